#pragma once
#include <capstan/train/axis.h>
#include <capstan/train/scale.h>
#include <capstan/train/svg.h>

namespace capstan::plot::detail {

struct Entry {
  std::string name;
  Style style;
  double width = 1.8;  // of the line; 0: the marker or dot alone
  bool has_marker = false;
  double dot = 0;  // the diameter of a dot that stands for single points
};

inline constexpr double key_room = 62;  // at the right, for a key of shades
/// Of the fields of a key, that are so many pixels high, one of how many can have a text.
inline std::size_t key_stride(double field) { return field >= 12 ? 1 : static_cast<std::size_t>(12 / field) + 1; }

/// What surrounds the data of every picture.
struct Plan {
  const char* op;  // opens error texts
  std::string title;
  Axis x, y;
  double x_low, x_high, y_low, y_high;
  std::vector<Entry> legend;
  std::string note;  // under the picture, in small type, on up to three lines
  int width, height;
  double right = 0;  // room kept free between frame and right edge
  bool grid = true;
  bool whole_x = false;  // the values along x are whole numbers, and so are the ticks
};

/// A picture under way: the constructor draws title, legend, grid and axes, the caller the data, finish() the frame.
class Figure {
 public:
  explicit Figure(const Plan& plan);
  std::string finish();

  Svg svg;
  Box frame{};
  Scale x, y;

 private:
  double title_room() const;
  void title_and_legend(const Plan& plan, const std::vector<std::string>& titles);
  void axes(const Plan& plan, const Ticks& x_ticks, const Ticks& y_ticks);
};

/// Throws ValueError when a picture is too small to hold anything, or an axis has limits that cannot be.
void check_plan(const char* op, int width, int height, const Axis& x, const Axis& y);

/// Writes through a temporary file and a rename: a reader never sees half a picture. IoError with path and reason; ValueError
/// when the name ends as that of another format does (.png, .pdf ...), which check_picture_name() alone throws too.
void check_picture_name(const char* op, const std::string& path);
void save_picture(const char* op, const std::string& path, const std::string& svg);
/// The same for a text of whatever name.
void save_text(const char* op, const std::string& path, const std::string& text);

}  // namespace capstan::plot::detail
