#pragma once
#include <capstan/core/tensor_map.h>

namespace capstan::optim {

/// An average of parameters over the steps of their training, which often tests better than the last step; EMA and SWA are
/// its two kinds. Each update() goes through every element, also of rows that had no gradient. Weakness: a copy of the
/// parameters, and the average of two places far apart may be worse than both. What a layer counts beside its parameters is not
/// averaged.
///
///     optim::EMA ema(model.parameters(), {.decay = 0.99});
///     for (...) { optimizer.step(...); ema.update(); }
///     ema.swap();   // the model holds the averages
///     test(model);
///     ema.swap();   // and its own values again, to the bit
class ParameterAverage {
 public:
  ParameterAverage(const ParameterAverage&) = delete;
  ParameterAverage& operator=(const ParameterAverage&) = delete;

  /// Takes in the parameters as they are now; the first call copies them. Throws ValueError while the model holds the averages,
  /// and when a parameter's dtype is no longer that of its average; then nothing is changed.
  void update();
  /// Exchanges the values of parameters and averages. Throws ValueError before the first update(), and as update() does for a
  /// dtype.
  void swap();
  /// Whether the model holds the averages.
  bool swapped() const noexcept { return swapped_; }
  /// How often update() was called.
  std::int64_t count() const noexcept { return count_; }

  /// Deep copies: "ema/count" (i64) and after the first update() "ema/average/<parameter>" for each; of a SWA "swa/...". Throws
  /// ValueError while the model holds the averages.
  TensorMap state() const;
  /// The same map with the averages themselves, which the next update() changes. Throws as state() does.
  TensorMap live_state() const;
  /// Throws ValueError listing every mismatch (missing, unexpected, shape, dtype), and while the model holds the averages; then
  /// nothing is changed.
  void load_state(const TensorMap& state);

 protected:
  /// Throws ValueError for no parameters and for one that is not f32 or f64, comes twice or is a gradient.
  ParameterAverage(const char* op, const Parameters& parameters);
  ~ParameterAverage() = default;
  /// How much of the average the (n + 1)-th update keeps, for n >= 1.
  virtual double keep(std::int64_t n) const = 0;

 private:
  void require_ready(bool may_be_swapped) const;

  const char* op_;
  Parameters parameters_;
  TensorMap averages_;
  std::int64_t count_ = 0;
  bool swapped_ = false;
};

struct EMAOptions {
  double decay = 0.999;
};

/// Exponential moving average (Polyak & Juditsky, SIAM J. Control Optim. 30, 1992, for the idea of averaging):
///   a <- decay*a + (1 - decay)*w,   a <- w the first time
/// as torch.optim.swa_utils.AveragedModel with get_ema_multi_avg_fn. Update it after each step; it remembers about
/// 1/(1 - decay) of them. Throws ValueError unless decay lies in [0, 1).
class EMA final : public ParameterAverage {
 public:
  explicit EMA(const Parameters& parameters, EMAOptions options = {});

 private:
  double keep(std::int64_t) const override { return decay_; }
  double decay_;
};

/// Stochastic weight averaging (Izmailov et al., UAI 2018, algorithm 1): the mean of the parameters at all updates,
///   a <- a*n/(n + 1) + w/(n + 1)
/// as torch.optim.swa_utils.AveragedModel. Update it once an epoch, late in training, at a constant or cyclic rate.
class SWA final : public ParameterAverage {
 public:
  explicit SWA(const Parameters& parameters) : ParameterAverage("swa", parameters) {}

 private:
  double keep(std::int64_t n) const override { return static_cast<double>(n) / static_cast<double>(n + 1); }
};

}  // namespace capstan::optim
