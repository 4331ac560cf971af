#include <capstan/train/svg.h>

#include <capstan/core/text.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <utility>

namespace capstan::plot::detail {
namespace {

constexpr std::size_t kStretch = 256;

/// The length in bytes of the character at text[i]; 0 when UTF-8 or XML forbids it.
std::size_t character_at(std::string_view text, std::size_t i) {
  const std::size_t length = capstan::detail::utf8_size(text.substr(std::min(i, text.size())));
  if (length == 0) return 0;
  if (length == 1) return text[i] >= ' ' && text[i] != '\x7f' ? 1 : 0;
  const std::string_view character = text.substr(i, length);
  return character == "\xEF\xBF\xBE" || character == "\xEF\xBF\xBF" ? 0 : length;
}

double character_width(std::string_view character) {
  constexpr std::string_view narrow = "ijl.,:;'|!I[]()/ tfr-", wide = "mwMW@%+=<>";
  if (character.size() > 1) return character.size() == 2 || character[0] == '\xE2' ? 0.7 : 1.0;
  if (narrow.find(character[0]) != std::string_view::npos) return 0.39;
  if (wide.find(character[0]) != std::string_view::npos) return 0.92;
  return character[0] >= 'A' && character[0] <= 'Z' ? 0.7 : 0.62;
}

double distance(Point p, Point a, Point b) {
  const double dx = b.x - a.x, dy = b.y - a.y, length = dx * dx + dy * dy;
  const double t = length > 0 ? std::clamp(((p.x - a.x) * dx + (p.y - a.y) * dy) / length, 0.0, 1.0) : 0;
  return std::hypot(p.x - a.x - t * dx, p.y - a.y - t * dy);
}

/// Liang and Barsky: shortens ab to its part in the box; false when there is none.
bool clip_segment(Point& a, Point& b, const Box& box) {
  double enter = 0, leave = 1;
  const double dx = b.x - a.x, dy = b.y - a.y;
  for (const auto& [step, room] : {std::pair{-dx, a.x - box.left}, {dx, box.right - a.x}, {-dy, a.y - box.top}, {dy, box.bottom - a.y}}) {
    if (step == 0 && room < 0) return false;
    if (step < 0) enter = std::max(enter, room / step);
    if (step > 0) leave = std::min(leave, room / step);
  }
  if (enter > leave) return false;
  const auto at = [&, a](double t) {
    return Point{std::clamp(a.x + t * dx, box.left, box.right), std::clamp(a.y + t * dy, box.top, box.bottom)};
  };
  if (leave < 1) b = at(leave);
  if (enter > 0) a = at(enter);
  return true;
}

}  // namespace

std::string number(double value) {
  char text[64];
  const double rounded = std::round(value * 100) / 100 + 0.0;  // + 0.0 turns -0 into 0
  std::string out(text, std::to_chars(text, text + sizeof text, rounded, std::chars_format::fixed, 2).ptr);
  out.erase(out.find_last_not_of('0') + 1);
  if (out.back() == '.') out.pop_back();
  return out;
}

std::string escape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = character_at(text, i);
    const std::string_view character = text.substr(i, length);
    if (length == 0)
      out += "\xEF\xBF\xBD";
    else if (character == "&")
      out += "&amp;";
    else if (character == "<")
      out += "&lt;";
    else if (character == ">")
      out += "&gt;";
    else if (character == "\"")
      out += "&quot;";
    else if (character == "'")
      out += "&apos;";
    else
      out += character;
    i += std::max<std::size_t>(length, 1);
  }
  return out;
}

double text_width(std::string_view text, double size) {
  double width = 0;
  for (std::size_t i = 0, length; i < text.size(); i += length) {
    length = std::max<std::size_t>(character_at(text, i), 1);
    width += size * character_width(text.substr(i, length));
  }
  return width;
}

std::string fit(std::string_view text, double size, double width) {
  if (text_width(text, size) <= width) return std::string(text);
  std::string out;
  for (std::size_t i = 0, length; i < text.size(); i += length) {
    length = std::max<std::size_t>(character_at(text, i), 1);
    if (text_width(out, size) + text_width(text.substr(i, length), size) + size > width) break;
    out += text.substr(i, length);
  }
  return out + "…";
}

Style style(std::size_t i) {
  constexpr const char* colours[] = {"#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"};
  constexpr const char* dashes[] = {"", "6 3", "2 2.5", "9 3 2 3", "12 4", "4 2 1.5 2 1.5 2", "1.5 4", "16 3 4 3"};
  return {colours[i % std::size(colours)], dashes[i % std::size(dashes)], static_cast<int>(i % 4)};
}

void Svg::open(double width, double height, std::string_view title) {
  const std::string w = number(width), h = number(height);
  out_ = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + w + "\" height=\"" + h + "\" viewBox=\"0 0 " + w + " " + h +
         "\" role=\"img\" font-family=\"Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif\" fill=\"#222222\">\n<title>" +
         escape(title) + "</title>\n";
  rectangle({0, 0, width, height}, "#FFFFFF");
}

void Svg::rectangle(const Box& b, std::string_view fill, std::string_view stroke) {
  out_ += "<rect x=\"" + number(b.left) + "\" y=\"" + number(b.top) + "\" width=\"" + number(b.right - b.left) + "\" height=\"" +
          number(b.bottom - b.top) + "\" fill=\"";
  out_.append(fill).append("\" stroke=\"").append(stroke).append("\"/>\n");
}

void Svg::line(Point a, Point b, std::string_view stroke, double width, std::string_view dash) {
  out_ += "<line x1=\"" + number(a.x) + "\" y1=\"" + number(a.y) + "\" x2=\"" + number(b.x) + "\" y2=\"" + number(b.y) + "\" stroke=\"";
  out_.append(stroke).append("\" stroke-width=\"").append(number(width));
  if (!dash.empty()) out_.append("\" stroke-dasharray=\"").append(dash);
  out_ += "\"/>\n";
}

void Svg::points(const Polyline& points) {
  for (std::size_t i = 0; i < points.size(); ++i) out_ += (i ? " " : "") + number(points[i].x) + "," + number(points[i].y);
}

void Svg::lines(const std::vector<Polyline>& lines, std::string_view stroke, double width, std::string_view dash, double dash_offset) {
  out_ += "<path d=\"";
  for (const Polyline& line : lines) {
    out_ += 'M';
    points(line);
    if (line.size() == 1) out_ += "h0";
  }
  out_.append("\" fill=\"none\" stroke=\"").append(stroke).append("\" stroke-width=\"").append(number(width));
  out_.append("\" stroke-linejoin=\"round");
  if (dash_offset != 0) out_.append("\" stroke-dashoffset=\"").append(number(dash_offset));
  out_.append(dash.empty() ? "\" stroke-linecap=\"round" : "\" stroke-dasharray=\"").append(dash).append("\"/>\n");
}

void Svg::region(const std::vector<Polyline>& loops, std::string_view fill, std::string_view stroke, double width) {
  out_ += "<path d=\"";
  for (const Polyline& loop : loops) {
    out_ += 'M';
    points(loop);
    out_ += 'Z';
  }
  out_.append("\" fill=\"").append(fill).append("\" fill-rule=\"evenodd\" stroke=\"").append(stroke);
  out_.append("\" stroke-width=\"").append(number(width)).append("\" stroke-linejoin=\"round\"/>\n");
}

void Svg::marker(int kind, Point at, double r, std::string_view fill, std::string_view stroke) {
  if (kind == 4) {
    for (const auto& [colour, width] : {std::pair{stroke, 4.2}, {fill, 2.0}})
      for (const double side : {-r, r}) line({at.x - r, at.y + side}, {at.x + r, at.y - side}, colour, width);
    return;
  }
  if (kind == 0) {
    out_ += "<circle cx=\"" + number(at.x) + "\" cy=\"" + number(at.y) + "\" r=\"" + number(r);
  } else {
    const double s = 0.88 * r, u = 1.25 * r;
    out_ += "<polygon points=\"";
    if (kind == 1) points({{at.x - s, at.y - s}, {at.x + s, at.y - s}, {at.x + s, at.y + s}, {at.x - s, at.y + s}});
    if (kind == 2) points({{at.x, at.y - u}, {at.x + u, at.y + 0.8 * r}, {at.x - u, at.y + 0.8 * r}});
    if (kind == 3) points({{at.x, at.y - u}, {at.x + u, at.y}, {at.x, at.y + u}, {at.x - u, at.y}});
  }
  out_.append("\" fill=\"").append(fill).append("\" stroke=\"").append(stroke).append("\" stroke-width=\"0.8\"/>\n");
}

void Svg::text(Point at, std::string_view anchor, double size, std::string_view markup, std::string_view more) {
  out_ += "<text x=\"" + number(at.x) + "\" y=\"" + number(at.y) + "\" text-anchor=\"";
  out_.append(anchor).append("\" font-size=\"").append(number(size)).append("\"");
  if (!more.empty()) out_.append(" ").append(more);
  out_.append(">").append(markup).append("</text>\n");
}

std::string Svg::close() {
  out_ += "</svg>\n";
  return std::move(out_);
}

std::vector<Polyline> clip(const Polyline& points, const Box& box) {
  std::vector<Polyline> pieces;
  bool is_open = false;
  for (std::size_t i = 0; i < points.size(); ++i) {
    Point b = points[i];
    const bool is_finite = std::isfinite(b.x) && std::isfinite(b.y);
    const bool follows = i > 0 && is_finite && std::isfinite(points[i - 1].x) && std::isfinite(points[i - 1].y);
    if (!follows) {
      is_open = is_finite && box.contains(b);
      if (is_open) pieces.push_back({b});
      continue;
    }
    Point a = points[i - 1];
    if (!clip_segment(a, b, box)) {
      is_open = false;
      continue;
    }
    if (!is_open) pieces.push_back({a});
    pieces.back().push_back(b);
    is_open = box.contains(points[i]);
  }
  return pieces;
}

Polyline simplify(const Polyline& points, double tolerance) {
  if (points.size() < 3) return points;
  std::vector<char> is_kept(points.size(), 0);
  is_kept.front() = 1;
  // Douglas and Peucker, without recursion, in stretches: over all points at once it could take quadratic time.
  std::vector<std::pair<std::size_t, std::size_t>> open;
  for (std::size_t first = 0; first + 1 < points.size(); first += kStretch)
    open.emplace_back(first, std::min(first + kStretch, points.size() - 1));
  for (const auto& stretch : open) is_kept[stretch.second] = 1;
  while (!open.empty()) {
    const auto [first, last] = open.back();
    open.pop_back();
    std::size_t worst = first;
    double most = tolerance;
    for (std::size_t i = first + 1; i < last; ++i)
      if (const double d = distance(points[i], points[first], points[last]); d > most) worst = i, most = d;
    if (worst == first) continue;
    is_kept[worst] = 1;
    open.insert(open.end(), {{first, worst}, {worst, last}});
  }
  Polyline out;
  for (std::size_t i = 0; i < points.size(); ++i)
    if (is_kept[i]) out.push_back(points[i]);
  return out;
}

Polyline thin(const Polyline& points, double column_width, std::size_t budget) {
  const auto column = [&](std::size_t i) { return std::floor(points[i].x / column_width); };
  Polyline out;
  for (std::size_t begin = 0, end; begin < points.size(); begin = end) {
    std::size_t low = begin, high = begin;
    for (end = begin; end < points.size() && column(end) == column(begin); ++end) {
      if (points[end].y < points[low].y) low = end;
      if (points[end].y > points[high].y) high = end;
    }
    std::size_t kept[] = {begin, std::min(low, high), std::max(low, high), end - 1};
    for (int k = 0; k < 4; ++k)
      if (k == 0 || kept[k] != kept[k - 1]) out.push_back(points[kept[k]]);
  }
  return shorten(std::move(out), budget);
}

Polyline shorten(Polyline points, std::size_t budget) {
  for (double tolerance = 0.25; points.size() > budget && tolerance < 1000; tolerance *= 2) points = simplify(points, tolerance);
  return points;
}

}  // namespace capstan::plot::detail
