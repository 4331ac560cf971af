#include <capstan/train/contour.h>

#include <capstan/core/text.h>
#include <capstan/train/figure.h>
#include <capstan/train/level_set.h>
#include <capstan/train/together.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace capstan::plot {

using capstan::detail::fail;

namespace {

using detail::Point;
using detail::Polyline;

constexpr std::size_t kPathBudget = 3000, kMostMarkers = 150;
constexpr detail::Style kCross{"#222222", "", 4};

/// From white to a slate that dark paths still stand out on.
std::string shade(std::size_t band, std::size_t bands) {
  constexpr double light[] = {252, 253, 254}, dark[] = {122, 142, 166};
  const double t = bands > 1 ? static_cast<double>(band) / static_cast<double>(bands - 1) : 0;
  std::string out = "#";
  for (int c = 0; c < 3; ++c) {
    const int value = static_cast<int>(std::lround(light[c] + t * (dark[c] - light[c])));
    for (const int digit : {value / 16, value % 16}) out += "0123456789ABCDEF"[digit];
  }
  return out;
}

/// Vermillion first: blue is near the shading.
detail::Style path_style(std::size_t i) {
  constexpr std::size_t order[] = {1, 0, 6, 2, 3, 4, 5};
  detail::Style style = detail::style(i);
  style.colour = detail::style(order[i % std::size(order)]).colour;
  return style;
}

void arrow(detail::Svg& svg, Point tip, Point from, const char* colour) {
  const double length = std::hypot(tip.x - from.x, tip.y - from.y);
  if (!(length > 0)) return;
  const double dx = (tip.x - from.x) / length, dy = (tip.y - from.y) / length;
  const Point base{tip.x - 9 * dx, tip.y - 9 * dy};
  svg.region({{tip, {base.x - 4 * dy, base.y + 4 * dx}, {base.x + 4 * dy, base.y - 4 * dx}}}, colour, "#FFFFFF", 0.6);
}

std::string count_text(std::size_t count, std::size_t total, const char* what, const std::string& name) {
  return count == 0 ? "" : (name.empty() ? "" : name + ": ") + std::to_string(count) + " of " + std::to_string(total) + " points " + what;
}

/// The part of a path that can be seen: between two points outside, the line would only cross the picture, and a diverging
/// path would fill it.
std::vector<Polyline> visible(const Polyline& points, std::size_t first, std::size_t last, const detail::Box& frame) {
  Polyline line;
  for (std::size_t i = first; i <= last; ++i) {
    if (i > first && !frame.contains(points[i]) && !frame.contains(points[i - 1])) line.push_back({std::nan(""), 0});
    line.push_back(points[i]);
  }
  std::vector<Polyline> pieces = detail::clip(line, frame);
  for (Polyline& piece : pieces) piece = detail::shorten(detail::simplify(piece, 0.05), kPathBudget);
  return pieces;
}

/// A white border under each path, all of them before the first path: where two lie upon one another, though their points do not, the gaps
/// in the upper one's dashes show the lower one.
void draw_borders(detail::Figure& figure, const std::vector<Polyline>& paths, const std::vector<std::vector<detail::Stretch>>& stretches) {
  for (std::size_t k = 0; k < paths.size(); ++k)
    for (const detail::Stretch& s : stretches[k]) {
      if (s.lead != k) continue;
      const std::vector<Polyline> pieces = visible(paths[k], s.first, s.last, figure.frame);
      if (!pieces.empty()) figure.svg.lines(pieces, "#FFFFFF", 3.2);
    }
}

/// Where paths run together, of the markers each has its own.
void draw_path(detail::Figure& figure, const std::vector<Polyline>& paths, std::size_t k, const std::vector<detail::Stretch>& stretches,
               const detail::Entry& entry) {
  const char* colour = entry.style.colour;
  const Polyline& points = paths[k];
  const detail::Box& frame = figure.frame;
  for (const detail::Stretch& s : stretches) {
    const std::vector<Polyline> pieces = visible(paths[s.lead], s.first, s.last, frame);
    if (pieces.empty()) continue;
    if (s.count > 1)
      figure.svg.lines(pieces, colour, 2.2, s.dash(), s.dash_offset());
    else
      figure.svg.lines(pieces, colour, 1.5, entry.style.dash);
  }
  std::vector<char> others(points.size(), 0);
  for (const detail::Stretch& s : stretches)
    for (std::size_t i = s.first; s.count > 1 && i <= s.last; ++i) others[i] = i % s.count == s.rank ? 0 : 1;
  for (std::size_t i = 0; i < points.size(); ++i)
    if (entry.has_marker && !others[i] && frame.contains(points[i]))
      figure.svg.marker(entry.style.marker, points[i], 2.8, colour, "#FFFFFF");
  if (frame.contains(points[0])) {
    double radius = 5.5;
    for (std::size_t j = 0; j < k; ++j) radius += std::hypot(paths[j][0].x - points[0].x, paths[j][0].y - points[0].y) < 4 ? 2.2 : 0;
    figure.svg.marker(0, points[0], radius, "none", colour);
  }
  bool is_first = true;
  for (std::size_t i = 1; i < points.size(); ++i) {
    if (!frame.contains(points[i - 1]) || frame.contains(points[i]) || !std::isfinite(points[i].x) || !std::isfinite(points[i].y)) continue;
    if (is_first || entry.has_marker)
      for (const Polyline& piece : detail::clip({points[i - 1], points[i]}, frame)) arrow(figure.svg, piece.back(), piece.front(), colour);
    is_first = false;
  }
}

}  // namespace

ContourPlot::ContourPlot(std::vector<double> values, int columns, ContourOptions options)
    : options_(std::move(options)), values_(std::move(values)), columns_(columns) {
  check();
  const auto count = values_.size();
  if (columns < 2 || count < 2 * static_cast<std::size_t>(columns) || count % static_cast<std::size_t>(columns) != 0)
    fail<ValueError>("ContourPlot", "the values must fill at least two rows of two columns: ", count, " values in rows of ", columns);
  rows_ = static_cast<int>(count / static_cast<std::size_t>(columns));
  choose_levels();
}

void ContourPlot::check() const {
  detail::check_plan("ContourPlot", options_.width, options_.height, options_.x, options_.y);
  for (const auto& [axis, name] : {std::pair{&options_.x, "x"}, {&options_.y, "y"}}) {
    if (axis->log) fail<ValueError>("ContourPlot", "axes must be linear: ", name, " is logarithmic");
    if (!axis->low || !axis->high)
      fail<ValueError>("ContourPlot", "both limits of an axis are needed: ", name, " lacks ", (axis->low ? "high" : "low"));
    if (!detail::is_wide(*axis->low, *axis->high))
      fail<ValueError>("ContourPlot", "an axis must be wider than 1e-9 of its limits: ", name, " from ", *axis->low, " to ", *axis->high);
  }
  for (std::size_t i = 0; i < options_.levels.size(); ++i) {
    if (!std::isfinite(options_.levels[i])) fail<ValueError>("ContourPlot", "levels must be finite: level ", i, " is ", options_.levels[i]);
    if (i > 0 && !(options_.levels[i - 1] < options_.levels[i]))
      fail<ValueError>("ContourPlot", "levels must rise: ", options_.levels[i - 1], " comes before ", options_.levels[i]);
  }
  if (options_.log_levels && !options_.levels.empty())
    fail<ValueError>("ContourPlot", "levels are given or chosen: ", options_.levels.size(), " levels beside log_levels");
  if (options_.samples < 2 || options_.samples > 2000) fail<ValueError>("ContourPlot", "samples must lie in [2, 2000]: ", options_.samples);
}

void ContourPlot::choose_levels() {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (double& v : values_) {
    if (std::isnan(v)) v = std::numeric_limits<double>::infinity();
    if (std::isfinite(v)) low = std::min(low, v), high = std::max(high, v);
  }
  if (!(low < high))
    fail<ValueError>("ContourPlot", "f must take different finite values over the frame: ",
                     (low == high ? "all are " + detail::value_text(low) : std::string("there are none")));
  find_least(low);
  if (!options_.log_levels) {
    levels_ = options_.levels.empty() ? detail::round_values(low, high, 12) : options_.levels;
    return;
  }
  std::vector<double> positive;
  for (const double v : values_)
    if (v > 0 && std::isfinite(v)) positive.push_back(v);
  if (positive.empty()) fail<ValueError>("ContourPlot", "log_levels need a positive value: the largest is ", high);
  const auto hundredth = positive.begin() + static_cast<std::ptrdiff_t>(positive.size() / 100);
  std::nth_element(positive.begin(), hundredth, positive.end());
  levels_ = detail::round_ratios(*hundredth, high, 12);
}

void ContourPlot::find_least(double least) {
  for (std::size_t i = 0; i < values_.size(); ++i)
    if (values_[i] == least) least_.push_back(i);
  const auto columns = static_cast<std::size_t>(columns_), rows = static_cast<std::size_t>(rows_);
  const auto at_border = [&](std::size_t i) {
    return i % columns == 0 || i % columns == columns - 1 || i / columns == 0 || i / columns == rows - 1;
  };
  if (least_.size() > 4 || std::any_of(least_.begin(), least_.end(), at_border)) least_.clear();
}

ContourPlot& ContourPlot::path(std::string name, std::vector<double> x, std::vector<double> y) {
  if (x.size() != y.size())
    fail<ValueError>("ContourPlot", "x and y must be equally long: ", x.size(), " and ", y.size(), " values in path \"", name, "\"");
  if (x.empty()) fail<ValueError>("ContourPlot", "a path needs at least one point: path \"", name, "\" has none");
  paths_.push_back({std::move(name), std::move(x), std::move(y)});
  return *this;
}

std::string ContourPlot::svg() const {
  const double x_low = *options_.x.low, x_high = *options_.x.high, y_low = *options_.y.low, y_high = *options_.y.high;
  std::vector<detail::Entry> legend;
  std::string note;
  for (const Path& p : paths_) {
    std::size_t outside = 0, odd = 0;
    for (std::size_t i = 0; i < p.x.size(); ++i) {
      if (!std::isfinite(p.x[i]) || !std::isfinite(p.y[i]))
        ++odd;
      else if (p.x[i] < x_low || p.x[i] > x_high || p.y[i] < y_low || p.y[i] > y_high)
        ++outside;
    }
    for (const std::string& text :
         {count_text(outside, p.x.size(), "lie outside the frame", p.name), count_text(odd, p.x.size(), "are not finite", p.name)})
      if (!text.empty()) note += (note.empty() ? "" : "; ") + text;
    legend.push_back({p.name, path_style(legend.size()), 1.8, p.x.size() <= kMostMarkers});
  }
  const double least = least_.empty() ? 0 : values_[least_[0]];
  if (!least_.empty()) legend.push_back({"least value " + detail::value_text(least), kCross, 0, true});
  detail::Figure figure({"ContourPlot", options_.title, options_.x, options_.y, x_low, x_high, y_low, y_high, legend, note, options_.width,
                         options_.height, detail::key_room, false});
  detail::Svg& svg = figure.svg;
  const detail::Box& frame = figure.frame;

  const std::size_t bands = levels_.size() + 1;
  svg.rectangle(frame, shade(0, bands));
  for (std::size_t k = 0; k < levels_.size(); ++k) {
    std::vector<Polyline> loops = detail::level_set(values_, columns_, levels_[k], frame);
    for (Polyline& loop : loops) loop = detail::simplify(loop, 0.08);
    if (!loops.empty()) svg.region(loops, shade(k + 1, bands), "#5F7388", 0.6);
  }

  const double key_left = frame.right + 14, key_width = 12, step = (frame.bottom - frame.top) / static_cast<double>(bands);
  for (std::size_t k = 0; k < bands; ++k) {
    const double bottom = frame.bottom - static_cast<double>(k) * step;
    svg.rectangle({key_left, bottom - step, key_left + key_width, bottom}, shade(k, bands));
    if (k == 0 || k % detail::key_stride(step) != 0) continue;
    svg.line({key_left, bottom}, {key_left + key_width + 3, bottom}, "#5F7388", 0.6);
    svg.text({key_left + key_width + 6, bottom + 4}, "start", 11, detail::escape(detail::value_text(levels_[k - 1])), "class=\"level\"");
  }
  svg.rectangle({key_left, frame.top, key_left + key_width, frame.bottom}, "none", "#444444");

  for (const std::size_t i : least_) {
    const auto columns = static_cast<std::size_t>(columns_), row = i / columns, column = i % columns;
    const Point at{frame.left + static_cast<double>(column) / (columns_ - 1) * (frame.right - frame.left),
                   frame.bottom - static_cast<double>(row) / (rows_ - 1) * (frame.bottom - frame.top)};
    svg.marker(kCross.marker, at, 5.5, kCross.colour, "#FFFFFF");
  }
  std::vector<Polyline> paths(paths_.size());
  for (std::size_t k = 0; k < paths_.size(); ++k)
    for (std::size_t i = 0; i < paths_[k].x.size(); ++i) paths[k].push_back({figure.x(paths_[k].x[i]), figure.y(paths_[k].y[i])});
  const auto stretches = detail::stretches(paths);
  draw_borders(figure, paths, stretches);
  for (std::size_t k = 0; k < paths.size(); ++k) draw_path(figure, paths, k, stretches[k], legend[k]);
  return figure.finish();
}

void ContourPlot::save(const std::string& path) const { detail::save_picture("ContourPlot", path, svg()); }

}  // namespace capstan::plot
