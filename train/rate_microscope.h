#pragma once
#include <capstan/optim/optimizer.h>

namespace capstan {

namespace detail {
inline constexpr int rate_bins = 40;  // of a decade, in a RateMicroscope's histograms
}

struct RateMicroscopeOptions {
  double frozen_below = 1e-3;  // a coordinate is frozen while less than this share of its first rate is left
  double warn_from = 0.5;      // warning() names a parameter from this share of frozen coordinates on
  std::string title = {};      // of the picture; "Effective rates of <method>" when empty
  int width = 600, height = 380;
};

/// The effective rates of some coordinates at one time.
struct RateSummary {
  std::int64_t coordinates = 0;  // of these
  std::int64_t reached = 0;      // some gradient has reached so many, which have a rate
  std::int64_t frozen = 0;
  std::vector<double> quantiles;  // the rates' least, 5 %, 25 %, median, 75 %, 95 % and largest; empty when there is none
  double left = 0;                // the median of what is left of the coordinates' first rates; NaN when there is none
  std::int64_t stopped = 0;       // of the frozen ones, those whose rate is 0: a square that overflowed has stopped them for good

  /// NaN when there is none.
  double median() const noexcept;
};

/// Looks at the effective rate of each coordinate, lr/(sqrt(s) + eps) for Adagrad, how it spreads and how it falls:
///
///     RateMicroscope microscope(optimizer);
///     for (int step = 1; step <= steps; ++step) {
///       ...
///       optimizer.step(tape.gradients(loss));
///       if (step % 100 == 0) microscope.observe();
///     }
///     microscope.save("rates.svg");
///     std::puts(microscope.warning().c_str());
///
/// The rates are those of optim::Optimizer::effective_rates(), which says what each method's are. A coordinate's first rate is that of
/// the first observation that finds it with one. It is frozen while its rate is less than `frozen_below` of that, or 0. Both rates are
/// taken by unit of lr, so that a schedule freezes nothing.
/// An observation takes time and memory for some numbers of each coordinate. One histogram of it is kept, on a logarithmic axis, and a
/// few numbers for each parameter. Of more than 256 observations every other one is dropped, and so on: memory is bounded, and they are
/// evenly apart. The last one is always there. The same observations give the same bytes.
class RateMicroscope {
 public:
  /// The optimizer must outlive this, which never changes it. Throws:
  ///   - ValueError for a method without effective rates;
  ///   - ValueError unless frozen_below lies in (0, 1), warn_from in (0, 1], and the size is one that a picture can have.
  explicit RateMicroscope(const optim::Optimizer& optimizer, RateMicroscopeOptions options = {});

  /// Looks at the rates as they are after `step`, or the number of steps that the optimizer has made. Throws, and keeps nothing then:
  ///   - ValueError unless that is more than at the last observation.
  void observe(std::int64_t step);
  void observe();

  /// What the last observation saw, of all coordinates and of one parameter's. Throws ValueError before the first, and for a
  /// parameter that it did not see.
  const RateSummary& all() const;
  const RateSummary& of(std::string_view parameter) const;
  /// How many coordinates are frozen; 0 before the first observation.
  std::int64_t frozen() const noexcept;

  /// Empty, or which parameters' rates have vanished, by what factor, and what to do (see optim::EffectiveRates::forgets).
  std::string warning() const;
  /// Up to twelve of the observations, then the parameters at the last one.
  std::string table() const;

  /// The histogram over time, the median, and the quantiles of 5 % and 95 %. Throws ValueError when there is no rate to draw.
  std::string svg() const;
  /// Writes the picture through a temporary file: the path holds the old or the new one, never half. Throws also:
  ///   - IoError when the file cannot be written;
  ///   - ValueError for a name that ends as that of another format does, such as .png.
  void save(const std::string& path) const;
  /// Writes a row for each observation: the step, the numbers of a RateSummary, then median and frozen coordinates of each parameter. Last
  /// comes how many coordinates have a rate from 10^(k/10) on up to the next of these. The file is replaced as a whole. Throws:
  ///   - ValueError when there is no observation;
  ///   - IoError when the file cannot be written.
  void write_csv(const std::string& path) const;

 private:
  /// The first rates of one parameter's coordinates, by unit of lr; NaN when there was none yet.
  struct First {
    std::string parameter;
    std::vector<double> rates;
    std::optional<bool> forgets = {};  // as the last observation told
  };
  struct Observation {
    std::int64_t step;
    RateSummary all;
    std::vector<RateSummary> parameters;  // in the order of first_, which may be longer now
    int first_bin = 0;                    // the k for which the first of `counts` is of rates from 10^(k/40) on
    std::vector<std::int64_t> counts;     // empty when no rate is above 0
  };

  void observe(std::int64_t step, const std::vector<optim::EffectiveRates>& told);
  std::size_t place_of(std::string_view parameter) const noexcept;
  const Observation& last() const;

  const optim::Optimizer* optimizer_;
  RateMicroscopeOptions options_;
  std::vector<First> first_;
  std::vector<Observation> kept_;
  std::size_t seen_ = 0, every_ = 1;  // of the observations seen, each one of so many is kept, and the last
};

}  // namespace capstan
