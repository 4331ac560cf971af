#include <capstan/train/chart.h>

#include <capstan/core/text.h>
#include <capstan/train/figure.h>
#include <capstan/train/together.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

namespace capstan::plot {

using capstan::detail::fail;

namespace {

constexpr std::size_t kPointBudget = 3600;  // of all series: keeps the file under 60 KB
constexpr std::size_t kFewDots = 20;
constexpr double kDot = 6;  // the diameter of a point that stands alone
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Beyond 1e300, and on a log axis below 1e-300, margins would leave the range of a double.
bool is_drawable_on(const Axis& axis, double v) { return std::abs(v) <= 1e300 && (!axis.log || v >= 1e-300); }

detail::Style reference_style(std::size_t i) {
  constexpr const char* dashes[] = {"5 2.5", "1 2", "9 2 2 2", "2 4"};
  return {"#555555", dashes[i % std::size(dashes)], 0};
}

/// Adds a margin to the sides of a range whose limit the user left open.
void settle(const Axis& axis, double margin, double& low, double& high) {
  if (axis.low) low = *axis.low;
  if (axis.high) high = *axis.high;
  if (low > high) (axis.low ? high : low) = axis.low ? low : high;
  detail::widen(low, high, axis.log);
  const double space = margin * (axis.log ? std::log10(high) - std::log10(low) : high - low);
  if (!axis.low) low = axis.log ? std::max(low * std::pow(10, -space), 1e-307) : low - space;
  if (!axis.high) high = axis.log ? std::min(high * std::pow(10, space), 1e307) : high + space;
}

/// The points that no line leads to.
detail::Polyline lone(const detail::Polyline& points, const detail::Box& frame) {
  detail::Polyline out;
  for (const detail::Polyline& piece : detail::clip(points, frame))
    if (piece.size() == 1) out.push_back(piece[0]);
  return out;
}

/// A curve, at points of which those that are not finite are gaps. `shared` is the stretch that it runs along with others.
void draw(detail::Figure& figure, const detail::Polyline& points, const detail::Style& style, std::size_t budget,
          const detail::Stretch* shared = nullptr) {
  const double width = figure.frame.right - figure.frame.left;
  const double column = std::max(1.0, 4 * width / static_cast<double>(budget));
  std::vector<detail::Polyline> lines;
  std::size_t count = 0;
  for (const detail::Polyline& piece : detail::clip(points, figure.frame)) {
    if (piece.size() == 1) continue;
    lines.push_back(detail::simplify(detail::thin(piece, column, budget), 0.05));
    count += lines.back().size();
  }
  const bool is_noise = static_cast<double>(count) > 1.5 * width;  // reads better in a thin line
  if (lines.empty()) return;
  if (shared)
    figure.svg.lines(lines, style.colour, 2.2, shared->dash(), shared->dash_offset());
  else
    figure.svg.lines(lines, style.colour, is_noise ? 1 : 1.6, style.dash);
}

/// A dot at the place of others that will be drawn over it is the larger, that it stays to be seen.
void draw_dots(detail::Figure& figure, const detail::Polyline& points, const detail::Polyline& over, const char* colour) {
  const bool is_few = points.size() <= kFewDots;
  std::map<std::size_t, std::vector<detail::Polyline>> by_company;
  for (const detail::Point& p : points) {
    const auto is_here = [&](const detail::Point& q) { return is_few && std::hypot(p.x - q.x, p.y - q.y) < 1.5; };
    by_company[static_cast<std::size_t>(std::count_if(over.begin(), over.end(), is_here))].push_back({p});
  }
  for (const auto& [company, dots] : by_company) figure.svg.lines(dots, colour, (is_few ? kDot : 3.5) + 4 * static_cast<double>(company));
}

/// All curves, first of each what it runs along with others.
void draw_all(detail::Figure& figure, const std::vector<detail::Polyline>& curves, const std::vector<detail::Entry>& legend) {
  const std::size_t budget = std::max<std::size_t>(100, kPointBudget / curves.size());
  const double width = figure.frame.right - figure.frame.left, column = std::max(1.0, 4 * width / static_cast<double>(budget));
  const auto stretches = detail::stretches(curves);
  std::vector<detail::Polyline> alone(curves.size()), dots(curves.size());  // the former with gaps where the curve runs along with others
  detail::Polyline over;                                                    // the dots of the series that are still to be drawn
  for (std::size_t k = 0; k < curves.size(); ++k) {
    for (const detail::Stretch& s : stretches[k]) {
      if (s.count > 1) continue;
      alone[k].insert(alone[k].end(), curves[k].begin() + static_cast<std::ptrdiff_t>(s.first),
                      curves[k].begin() + static_cast<std::ptrdiff_t>(s.last) + 1);
      alone[k].push_back({std::nan(""), 0});
    }
    dots[k] = detail::thin(lone(alone[k], figure.frame), column, budget);
    over.insert(over.end(), dots[k].begin(), dots[k].end());
  }
  for (std::size_t k = 0; k < curves.size(); ++k) {
    for (const detail::Stretch& s : stretches[k]) {
      const auto begin = curves[s.lead].begin() + static_cast<std::ptrdiff_t>(s.first),
                 end = curves[s.lead].begin() + static_cast<std::ptrdiff_t>(s.last) + 1;
      if (s.count > 1) draw(figure, {begin, end}, legend[k].style, budget, &s);
    }
    draw(figure, alone[k], legend[k].style, budget);
    over.erase(over.begin(), over.begin() + std::ssize(dots[k]));
    draw_dots(figure, dots[k], over, legend[k].style.colour);
  }
}

}  // namespace

LineChart::LineChart(LineChartOptions options) : options_(std::move(options)) {
  detail::check_plan("LineChart", options_.width, options_.height, options_.x, options_.y);
}

LineChart& LineChart::add(std::string name, std::vector<double> x, std::vector<double> y) {
  if (x.size() != y.size())
    fail<ValueError>("LineChart", "x and y must be equally long: ", x.size(), " and ", y.size(), " values in series \"", name, "\"");
  if (x.empty()) fail<ValueError>("LineChart", "a series needs at least one point: series \"", name, "\" has none");
  series_.push_back({std::move(name), std::move(x), std::move(y)});
  return *this;
}

LineChart& LineChart::reference(std::string name, double y) {
  if (!is_drawable_on(options_.y, y))
    fail<ValueError>("LineChart", "a reference line must be finite, and positive on a log axis: \"", name, "\" at ", y);
  references_.push_back({std::move(name), y});
  return *this;
}

bool LineChart::is_drawable(double x, double y) const noexcept { return is_drawable_on(options_.x, x) && is_drawable_on(options_.y, y); }

bool LineChart::has_whole_x() const noexcept {
  for (const Series& s : series_)
    for (std::size_t i = 0; i < s.x.size(); ++i)
      if (is_drawable(s.x[i], s.y[i]) && std::floor(s.x[i]) != s.x[i]) return false;
  return true;
}

LineChart::Limits LineChart::limits() const {
  Limits l{kInfinity, -kInfinity, kInfinity, -kInfinity};
  // Only what the x limits leave in sight decides about y; when that is nothing, everything does.
  for (const bool is_strict : {true, false}) {
    for (const Series& s : series_)
      for (std::size_t i = 0; i < s.x.size(); ++i) {
        if (!is_drawable(s.x[i], s.y[i])) continue;
        if (is_strict && (s.x[i] < options_.x.low.value_or(-kInfinity) || s.x[i] > options_.x.high.value_or(kInfinity))) continue;
        l = {std::min(l.x_low, s.x[i]), std::max(l.x_high, s.x[i]), std::min(l.y_low, s.y[i]), std::max(l.y_high, s.y[i])};
      }
    if (l.x_low <= l.x_high) break;
  }
  for (const Reference& r : references_) l.y_low = std::min(l.y_low, r.y), l.y_high = std::max(l.y_high, r.y);
  settle(options_.x, 0, l.x_low, l.x_high);
  settle(options_.y, 0.04, l.y_low, l.y_high);
  return l;
}

/// How a series is drawn: by its line, or by dots alone, or not at all where the frame holds none of it.
LineChart::Look LineChart::look_of(const Series& s, const Limits& l) const {
  const detail::Scale x(l.x_low, l.x_high, options_.x.log, 0, 1), y(l.y_low, l.y_high, options_.y.log, 0, 1);
  detail::Polyline points;
  points.reserve(s.x.size());
  for (std::size_t i = 0; i < s.x.size(); ++i) {
    const bool is_shown = is_drawable(s.x[i], s.y[i]);
    points.push_back({is_shown ? x(s.x[i]) : std::nan(""), is_shown ? y(s.y[i]) : 0});
  }
  Look look = Look::none;
  for (const detail::Polyline& piece : detail::clip(points, {0, 0, 1, 1})) {
    if (piece.size() > 1) return Look::line;
    look = Look::dots;
  }
  return look;
}

std::string LineChart::svg() const {
  if (series_.empty()) fail<ValueError>("LineChart", "a chart needs at least one series: there is none (call add first)");
  const Limits l = limits();
  std::vector<detail::Entry> legend;
  std::string counts, outside;
  std::size_t skipped = 0, total = 0;
  for (const Series& s : series_) {
    std::size_t gaps = 0;
    for (std::size_t i = 0; i < s.x.size(); ++i) gaps += is_drawable(s.x[i], s.y[i]) ? 0 : 1;
    if (gaps > 0)
      counts += (counts.empty() ? "" : ", ") + std::to_string(gaps) + " of " + std::to_string(s.x.size()) +
                (s.name.empty() ? "" : " in " + s.name);
    skipped += gaps;
    total += s.x.size();
    const Look look = look_of(s, l);
    legend.push_back({look == Look::none ? "" : s.name, detail::style(legend.size())});
    if (look != Look::line) legend.back().width = 0;
    if (look == Look::dots) legend.back().dot = kDot;
    if (look == Look::none && gaps < s.x.size() && !s.name.empty()) outside += (outside.empty() ? "Outside the frame: " : ", ") + s.name;
  }
  const char* reason = options_.x.log || options_.y.log ? "not finite, or not positive on a log axis" : "not finite";
  if (skipped == total) fail<ValueError>("LineChart", "there must be a point to draw: all ", total, " are ", reason);
  std::string note = options_.note;
  for (const std::string& text : {skipped == 0 ? "" : "Points not drawn (" + std::string(reason) + "): " + counts, outside})
    if (!text.empty()) note += (note.empty() ? "" : "; ") + text;
  for (const Reference& r : references_) legend.push_back({r.name, reference_style(legend.size() - series_.size()), 1});
  detail::Figure figure({.op = "LineChart",
                         .title = options_.title,
                         .x = options_.x,
                         .y = options_.y,
                         .x_low = l.x_low,
                         .x_high = l.x_high,
                         .y_low = l.y_low,
                         .y_high = l.y_high,
                         .legend = legend,
                         .note = note,
                         .width = options_.width,
                         .height = options_.height,
                         .whole_x = has_whole_x()});

  const detail::Box& frame = figure.frame;
  for (std::size_t k = 0; k < references_.size(); ++k) {
    const double at = figure.y(references_[k].y);
    const detail::Style style = reference_style(k);
    if (at >= frame.top && at <= frame.bottom) figure.svg.line({frame.left, at}, {frame.right, at}, style.colour, 1, style.dash);
  }
  std::vector<detail::Polyline> curves(series_.size());
  for (std::size_t k = 0; k < series_.size(); ++k) {
    const Series& s = series_[k];
    curves[k].reserve(s.x.size());
    for (std::size_t i = 0; i < s.x.size(); ++i) {
      const bool is_shown = is_drawable(s.x[i], s.y[i]);
      curves[k].push_back({is_shown ? figure.x(s.x[i]) : std::nan(""), is_shown ? figure.y(s.y[i]) : 0});
    }
  }
  draw_all(figure, curves, legend);
  return figure.finish();
}

void LineChart::save(const std::string& path) const { detail::save_picture("LineChart", path, svg()); }

}  // namespace capstan::plot
