#pragma once
#include <cstdint>
#include <cstdio>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace capstan {

/// A number under the name by which it is shown: {"loss", loss}.
struct NamedValue {
  template <class Number>
  requires std::is_arithmetic_v<Number> NamedValue(std::string_view shown_name, Number number)
      : name(shown_name), value(static_cast<double>(number)) {}

  std::string_view name;
  double value;
};

/// automatic is live on a terminal (TERM=dumb apart) and plain elsewhere; off shows nothing.
enum class ProgressStyle { automatic, plain, live, off };

struct ProgressOptions {
  ProgressStyle style = ProgressStyle::automatic;
  std::FILE* file = nullptr;  // stderr when null, so that results on stdout stay clean
  std::int64_t done = 0;      // epochs that an earlier run has done: the first line is that of epoch done + 1
};

/// Shows how training goes: on a terminal one live line, elsewhere one plain line per epoch.
///
///   Progress progress(epochs, steps_per_epoch);
///   for (...) {
///     for (...) progress.step({{"loss", loss}});
///     progress.end_epoch({{"loss", mean}, {"accuracy", accuracy}});
///   }
///
///   epoch 3/10 ━━━━━━━━━━━━──────────  54%  loss 0.2310  accuracy 0.9510  0:03, 0:12 left
///   epoch  3/10  loss 0.2310  accuracy 0.9510  1.04 s
///
/// The live line is as wide as the terminal at that moment and never wraps. What does not fit is left out: the bar first, then further
/// values and the time. It is drawn at most 20 times a second; in between step() costs one look at the clock. After the last epoch the
/// line stays, with the last values and the total time.
class Progress {
 public:
  /// Totals of 0 are unknown: no bar, no remaining time. A run that goes on gives the last epoch's number, and the last one done:
  /// Progress(10, steps, {.done = 3}) begins with "epoch 4/10". Throws:
  ///   - ValueError for negative numbers and for more epochs done than there are.
  explicit Progress(std::int64_t epochs, std::int64_t steps_per_epoch = 0, ProgressOptions options = {});
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() { finish(); }

  /// One batch is done. The values are shown if the line happens to be redrawn.
  void step(std::initializer_list<NamedValue> values = {}) {
    ++step_;
    if (live_ && due()) draw(values);
  }
  /// One epoch is done. The live line keeps showing these values in the next one, those of the same name in step() first.
  void end_epoch(std::initializer_list<NamedValue> values = {});
  /// Ends the live line, so that what is printed next starts on a fresh one. Done by the last epoch and the destructor.
  void finish() noexcept;

 private:
  struct Kept {
    std::string name;
    double value;
  };

  bool due() noexcept;
  void draw(std::initializer_list<NamedValue> values);
  void write_line(bool last);
  std::string left_text(double seconds) const;
  int columns() const noexcept;

  std::int64_t epochs_, steps_, done_, epoch_, step_ = 0;
  std::FILE* file_;
  bool live_ = false, plain_ = false, unicode_ = false, drawn_ = false;
  double start_ = 0, epoch_start_ = 0, next_draw_ = 0;
  std::vector<Kept> kept_;  // of the last end_epoch
  std::vector<Kept> shown_;
};

}  // namespace capstan
