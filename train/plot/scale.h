#pragma once
#include <string>
#include <vector>

namespace capstan::plot::detail {

/// Maps values to pixels, by their value or by its logarithm.
class Scale {
 public:
  Scale(double low, double high, bool log, double first_pixel, double last_pixel);

  /// Values without a logarithm become NaN; far ones stay finite.
  double operator()(double value) const noexcept;
  double low() const noexcept { return low_; }
  double high() const noexcept { return high_; }
  bool log() const noexcept { return log_; }

 private:
  double low_, high_;
  bool log_;
  double origin_, span_, first_, length_;
};

struct Tick {
  double value;
  std::string text;  // markup; empty for a small tick between the named ones
  double width = 0;  // of the text, for a font size of 1
};

struct Ticks {
  std::vector<Tick> ticks;  // from low to high
  std::string factor;       // markup of a power of ten by which all texts are multiplied, or empty
};

inline constexpr double tick_font = 12;  // the size of their texts

/// What an axis offers its ticks.
struct TickRoom {
  double pixels;       // its length
  bool side_by_side;   // the texts stand beside one another, as under a picture, not above one another
  bool whole = false;  // the data are whole numbers: so are the ticks
};

/// As many named ticks as read well, at 1, 2 or 5 times a power of ten between low and high; texts do not touch. On a log axis they stand
/// at powers of ten. Where fewer than three of these are in sight, they stand at 1, 2 and 5 (1 and 3, 1 to 9) times them. Over less
/// than that they stand at even distances. Where there is room, the first and the last name stand in the outer fifths of the axis. For
/// their sake there are more ticks, or a log axis takes whatever round values do it.
Ticks make_ticks(double low, double high, bool log, const TickRoom& room);

/// Whether ticks can be told apart: high - low is finite and not below 1e-9 of the larger of the two.
bool is_wide(double low, double high) noexcept;

/// The steps of make_ticks alone: the multiples of 1, 2 or 5 times a power of ten strictly between low and high. Where that is not wide,
/// values at even distances.
std::vector<double> round_values(double low, double high, int target);
/// At most `most` values at even distances on a log scale, strictly between low and high > 0. They are 1, 2 and 5, or 1 and 3, or 1 times
/// (each so many) powers of ten. Where fewer than three of them lie there, round_values(low, high, most).
std::vector<double> round_ratios(double low, double high, int most);

/// A value as short as its ticks are apart: six significant digits at most.
std::string value_text(double value);

/// Widens an empty or nearly empty range so that ticks can tell its ends apart.
void widen(double& low, double& high, bool log);

}  // namespace capstan::plot::detail
