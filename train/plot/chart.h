#pragma once
#include <capstan/train/axis.h>

#include <string>
#include <vector>

namespace capstan::plot {

struct LineChartOptions {
  std::string title = {};
  Axis x = {}, y = {};
  int width = 600, height = 380;
  std::string note = {};  // under the picture, in small type
};

/// A line chart as an SVG file:
///
///   plot::LineChart chart({.title = "Adagrad", .x = {.label = "epoch"}, .y = {.label = "loss", .log = true}});
///   chart.add("from scratch", epochs, losses).reference("least squares", 0.2419).save("loss.svg");
///
/// Series have colours that colour-blind readers can tell apart, and a dash of their own. A series without a name is not in the legend,
/// nor is one of which nothing is drawn. Where series lie upon one another, dashes in the colour of each take turns. Of single points at
/// one place each is larger than those of the series after it. When each x is a whole number, so are the ticks below. A legend of many
/// rows makes the picture higher, not the plot lower than six tenths of `height`.
/// Points that are not finite (or beyond 1e300), or not positive on a log axis, are not drawn: the line has a gap there. A note under the
/// picture counts them. Long series are thinned to the shape that the pixels can show. Lines that leave the limits of an axis are cut at
/// the frame; the note names a series that lies wholly outside. The same chart gives the same bytes.
class LineChart {
 public:
  /// Throws:
  ///   - ValueError for a size out of [200 x 150, 10000 x 10000];
  ///   - ValueError for limits that are not finite, not in order, or not positive on a log axis.
  explicit LineChart(LineChartOptions options = {});

  /// Adds a series. Throws ValueError when x and y differ in length or are empty.
  LineChart& add(std::string name, std::vector<double> x, std::vector<double> y);
  /// Draws a grey line across the chart at y, named in the legend. Throws ValueError unless y can be drawn.
  LineChart& reference(std::string name, double y);

  /// The picture. Throws ValueError when there is no series, or no point that can be drawn.
  std::string svg() const;
  /// Writes the picture through a temporary file: the path holds the old or the new one, never half. Throws also:
  ///   - IoError when the file cannot be written;
  ///   - ValueError for a name that ends as that of another format does, such as .png.
  void save(const std::string& path) const;

 private:
  struct Series {
    std::string name;
    std::vector<double> x, y;
  };
  struct Reference {
    std::string name;
    double y;
  };
  struct Limits {
    double x_low, x_high, y_low, y_high;
  };
  enum class Look { none, dots, line };

  bool is_drawable(double x, double y) const noexcept;
  bool has_whole_x() const noexcept;
  Limits limits() const;
  Look look_of(const Series& s, const Limits& limits) const;

  LineChartOptions options_;
  std::vector<Series> series_;
  std::vector<Reference> references_;
};

}  // namespace capstan::plot
