#pragma once
#include <capstan/train/axis.h>

#include <string>
#include <type_traits>
#include <vector>

namespace capstan::plot {

struct ContourOptions {
  std::string title = {};
  Axis x = {.label = "x1"}, y = {.label = "x2"};  // both limits are required; logarithmic axes are refused
  std::vector<double> levels = {};                // from low to high; about ten round ones when empty
  int samples = 201;                              // function values per axis
  int width = 600, height = 400;
  bool log_levels = false;  // levels at even ratios, for a function whose values span powers of ten, such as Rosenbrock's
};

/// The height lines of a function of two variables and the paths that optimizers took over it, as an SVG file:
///
///   plot::ContourPlot plot([](double x1, double x2) { return 0.1 * x1 * x1 + 2 * x2 * x2; },
///                           {.x = {.label = "x1", .low = -6, .high = 2}, .y = {.label = "x2", .low = -3, .high = 2}});
///   plot.path("Adagrad", x1, x2).save("trace.svg");
///
/// The bands between the levels are shaded, the higher the darker, with a key at the right. With log_levels there are up to twelve levels
/// at 1, 2 and 5 times powers of ten, or fewer of a decade. They begin above the least hundredth of the positive values over the frame. A
/// cross marks where the sampled value is least, unless that is at the frame's border or at more than four places.
/// A path shows its points unless there are very many, a ring at its first one, and an arrow where it leaves the frame. Steps between two
/// points outside are not drawn. Where paths lie upon one another, dashes in the colour of each take turns. A note under the picture
/// counts the points outside and those that are not finite. Values of f that are NaN count as infinitely high. The same plot gives the
/// same bytes.
class ContourPlot {
 public:
  /// Samples f(x, y) over the frame. Throws:
  ///   - ValueError for a size, limits or levels that cannot be, and for samples out of [2, 2000];
  ///   - ValueError when f takes fewer than two finite values;
  ///   - ValueError for levels beside log_levels, and for log_levels when no value is positive.
  template <class F>
  requires std::is_invocable_r_v<double, F&, double, double>
  explicit ContourPlot(F&& f, ContourOptions options) : options_(std::move(options)) {
    check();
    const double x_low = *options_.x.low, x_step = (*options_.x.high - x_low) / (options_.samples - 1);
    const double y_low = *options_.y.low, y_step = (*options_.y.high - y_low) / (options_.samples - 1);
    columns_ = rows_ = options_.samples;
    values_.reserve(static_cast<std::size_t>(columns_) * static_cast<std::size_t>(rows_));
    for (int row = 0; row < rows_; ++row)
      for (int column = 0; column < columns_; ++column) values_.push_back(f(x_low + column * x_step, y_low + row * y_step));
    choose_levels();
  }
  /// Takes the values themselves, evenly spaced over the frame: `columns` per row, the first row at y.low. Throws ValueError
  /// also when they do not fill two rows and two columns.
  ContourPlot(std::vector<double> values, int columns, ContourOptions options);

  /// Adds a path. Throws ValueError when x and y differ in length or are empty.
  ContourPlot& path(std::string name, std::vector<double> x, std::vector<double> y);

  std::string svg() const;
  /// Writes the picture through a temporary file: the path holds the old or the new one, never half. Throws:
  ///   - IoError when the file cannot be written;
  ///   - ValueError for a name that ends as that of another format does, such as .png.
  void save(const std::string& path) const;

 private:
  struct Path {
    std::string name;
    std::vector<double> x, y;
  };

  void check() const;
  void choose_levels();
  void find_least(double least);

  ContourOptions options_;
  std::vector<double> values_, levels_;
  int columns_ = 0, rows_ = 0;
  std::vector<std::size_t> least_;  // where the value is least, when a cross marks it
  std::vector<Path> paths_;
};

}  // namespace capstan::plot
