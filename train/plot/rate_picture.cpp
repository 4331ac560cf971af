#include <capstan/core/text.h>
#include <capstan/train/figure.h>
#include <capstan/train/rate_microscope.h>

#include <algorithm>
#include <cmath>
#include <limits>

// The picture of a RateMicroscope.
namespace capstan {

using capstan::detail::fail;
using capstan::detail::join;

namespace {

using plot::detail::Box;
using plot::detail::Polyline;

constexpr int kMostRows = 60;
constexpr std::size_t kMostColumns = 128;
constexpr const char* kLine = "#D55E00";

/// A field is the darker the more of the coordinates have their rate in it: the last shade whose share, in percent, is reached.
struct Shade {
  double from;
  const char* colour;
};
constexpr Shade kShades[] = {{0, "#EAF0F6"}, {0.5, "#D5E1ED"}, {1, "#BCD0E2"},  {2, "#A0BBD5"},
                             {5, "#82A4C5"}, {10, "#648BB3"},  {20, "#48719C"}, {50, "#2F567F"}};
std::size_t shade_of(double share) {
  std::size_t k = 0;
  while (k + 1 < std::size(kShades) && 100 * share >= kShades[k + 1].from) ++k;
  return k;
}

void draw_key(plot::detail::Svg& svg, const Box& frame) {
  const double left = frame.right + 14, width = 12, step = (frame.bottom - frame.top) / static_cast<double>(std::size(kShades));
  for (std::size_t k = 0; k < std::size(kShades); ++k) {
    const double bottom = frame.bottom - static_cast<double>(k) * step;
    svg.rectangle({left, bottom - step, left + width, bottom}, kShades[k].colour);
    if (k == 0 || k % plot::detail::key_stride(step) != 0) continue;
    svg.line({left, bottom}, {left + width + 3, bottom}, "#5F7388", 0.6);
    svg.text({left + width + 6, bottom + 4}, "start", 11, plot::detail::escape(join(kShades[k].from, " %")), "class=\"share\"");
  }
  svg.rectangle({left, frame.top, left + width, frame.bottom}, "none", "#444444");
  svg.text({left, frame.top - 7}, "start", 11, "share", "class=\"key\"");
}

}  // namespace

std::string RateMicroscope::svg() const {
  int low = std::numeric_limits<int>::max(), high = std::numeric_limits<int>::min();  // bins, of which `high` is beyond the last
  for (const Observation& o : kept_) {
    if (o.counts.empty()) continue;
    low = std::min(low, o.first_bin);
    high = std::max(high, o.first_bin + static_cast<int>(o.counts.size()));
  }
  if (high < low)
    fail<ValueError>("RateMicroscope", "there must be a rate to draw: ", kept_.size(),
                     " observations, and in none a rate above 0 (call observe() after a step)");
  low -= 1, high += 1;
  const int rows_a_field = (high - low + kMostRows - 1) / kMostRows;
  const double margin = kept_.size() == 1 ? 0.5 : 0, x_low = static_cast<double>(kept_.front().step) - margin,
               x_high = static_cast<double>(kept_.back().step) + margin;
  const RateSummary& now = kept_.back().all;
  std::string note =
      join(now.frozen, " of ", now.coordinates, " coordinates frozen at the end: below ", options_.frozen_below, " of their first rate");
  if (now.reached < now.coordinates) note += join("; ", now.coordinates - now.reached, " without a gradient");
  const plot::detail::Style solid{kLine, "", 0}, dashed{kLine, "5 2.5", 0};
  plot::detail::Figure figure({"RateMicroscope",
                               options_.title.empty() ? join("Effective rates of ", optimizer_->method()) : options_.title,
                               {.label = "step"},
                               {.label = "rate", .log = true},
                               x_low,
                               x_high,
                               std::pow(10, low / (1.0 * detail::rate_bins)),
                               std::pow(10, high / (1.0 * detail::rate_bins)),
                               {{"median", solid, 1.8}, {"5 % and 95 % of the coordinates", dashed, 1.2}},
                               note,
                               options_.width,
                               options_.height,
                               plot::detail::key_room});
  const Box& frame = figure.frame;

  const auto x_of = [&](std::size_t i) { return figure.x(static_cast<double>(kept_[i].step)); };
  const auto y_of = [&](int bin) {
    return std::clamp(std::round(figure.y(std::pow(10, bin / (1.0 * detail::rate_bins)))), frame.top, frame.bottom);
  };
  std::vector<std::vector<Polyline>> fields(std::size(kShades));
  const std::size_t columns_a_field = (kept_.size() + kMostColumns - 1) / kMostColumns;
  for (std::size_t begin = 0; begin < kept_.size(); begin += columns_a_field) {
    const std::size_t end = std::min(begin + columns_a_field, kept_.size());
    const double left = begin == 0 ? frame.left : std::round((x_of(begin - 1) + x_of(begin)) / 2);
    const double right = end == kept_.size() ? frame.right : std::round((x_of(end - 1) + x_of(end)) / 2);
    std::vector<double> shares(static_cast<std::size_t>((high - low) / rows_a_field) + 1);
    for (std::size_t i = begin; i < end; ++i)
      for (std::size_t k = 0; k < kept_[i].counts.size(); ++k)
        shares[static_cast<std::size_t>((kept_[i].first_bin + static_cast<int>(k) - low) / rows_a_field)] +=
            static_cast<double>(kept_[i].counts[k]) / static_cast<double>(kept_[i].all.reached) / static_cast<double>(end - begin);
    for (std::size_t k = 0, next; k < shares.size(); k = next) {  // neighbours of one shade are one field
      next = k + 1;
      if (shares[k] == 0) continue;
      const std::size_t shade = shade_of(shares[k]);
      while (next < shares.size() && shares[next] > 0 && shade_of(shares[next]) == shade) ++next;
      const double bottom = y_of(low + static_cast<int>(k) * rows_a_field), top = y_of(low + static_cast<int>(next) * rows_a_field);
      fields[shade].push_back({{left, bottom}, {left, top}, {right, top}, {right, bottom}});
    }
  }
  for (std::size_t k = 0; k < fields.size(); ++k)
    if (!fields[k].empty()) figure.svg.region(fields[k], kShades[k].colour, "none", 0);
  draw_key(figure.svg, frame);

  for (const std::size_t q : {1u, 5u, 3u}) {
    Polyline line;
    for (std::size_t i = 0; i < kept_.size(); ++i) {
      const bool is_there = !kept_[i].all.quantiles.empty() && kept_[i].all.quantiles[q] > 0;
      line.push_back({x_of(i), is_there ? figure.y(kept_[i].all.quantiles[q]) : std::nan("")});
    }
    std::vector<Polyline> pieces = plot::detail::clip(line, frame);
    for (Polyline& piece : pieces) piece = plot::detail::simplify(piece, 0.05);
    if (pieces.empty()) continue;
    figure.svg.lines(pieces, "#FFFFFF", q == 3 ? 3.4 : 2.6);
    figure.svg.lines(pieces, kLine, q == 3 ? 1.8 : 1.2, q == 3 ? "" : "5 2.5");
  }
  return figure.finish();
}

}  // namespace capstan
