#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace capstan::plot::detail {

/// A place in a picture, in pixels from its upper left corner.
struct Point {
  double x, y;
};
using Polyline = std::vector<Point>;

struct Box {
  double left, top, right, bottom;
  bool contains(Point p) const noexcept { return p.x >= left && p.x <= right && p.y >= top && p.y <= bottom; }
};

/// Two decimals at most, trailing zeros dropped, a decimal point whatever the locale says.
std::string number(double value);
/// Text for XML: the five special characters escaped, what XML or UTF-8 forbids replaced by U+FFFD.
std::string escape(std::string_view text);
/// About how wide a sans-serif text becomes.
double text_width(std::string_view text, double size);
/// The text, shortened to end in an ellipsis when it is wider than that.
std::string fit(std::string_view text, double size, double width);

/// The i-th series of a picture: Okabe and Ito's colours, which colour-blind readers can tell apart, and a dash of its own
/// for print in black and white.
struct Style {
  const char* colour;
  const char* dash;  // "" is solid
  int marker;        // 0 circle, 1 square, 2 triangle, 3 diamond; 4 a cross of two strokes
};
Style style(std::size_t i);

/// Writes SVG elements one after another; the same calls give the same bytes.
class Svg {
 public:
  void open(double width, double height, std::string_view title);
  void rectangle(const Box& box, std::string_view fill, std::string_view stroke = "none");
  void line(Point a, Point b, std::string_view stroke, double width, std::string_view dash = "");
  /// Several lines as one shape; a line of one point is a dot as wide as the stroke.
  void lines(const std::vector<Polyline>& lines, std::string_view stroke, double width, std::string_view dash = "", double dash_offset = 0);
  /// Closed loops as one shape, filled by the even-odd rule.
  void region(const std::vector<Polyline>& loops, std::string_view fill, std::string_view stroke, double width);
  void marker(int kind, Point at, double radius, std::string_view fill, std::string_view stroke);
  /// `markup` is escaped already; anchor is start, middle or end; `more` are further attributes.
  void text(Point at, std::string_view anchor, double size, std::string_view markup, std::string_view more = "");
  std::string close();

 private:
  void points(const Polyline& points);
  std::string out_;
};

/// The parts of a polyline that lie inside the box; a point that is not finite ends a part.
std::vector<Polyline> clip(const Polyline& points, const Box& box);
/// Leaves out points that are nearer than `tolerance` pixels to the line drawn without them.
Polyline simplify(const Polyline& points, double tolerance);
/// Simplifies ever more coarsely until no more than about `budget` points are left.
Polyline shorten(Polyline points, std::size_t budget);
/// At most four points per column of pixels (first, lowest, highest, last), then shortened to the budget.
Polyline thin(const Polyline& points, double column_width, std::size_t budget);

}  // namespace capstan::plot::detail
