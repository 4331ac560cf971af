#pragma once
#include <capstan/optim/moments.h>
#include <capstan/optim/whole_tensor.h>

namespace capstan::optim {

/// Optax's defaults; lr is Adam's.
struct LAMBOptions {
  double lr = 1e-3;
  double beta1 = 0.9;    // how much of the average of gradients is kept
  double beta2 = 0.999;  // how much of the average of squares is kept
  double eps = 1e-6;
  double weight_decay = 0;  // inside the step: its share is scaled like the rest
};

/// LAMB (You et al., ICLR 2020, algorithm 2, with phi(x) = x), as optax.lamb: with Adam's averages m and v (optim/adam.h),
///   u = (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps) + weight_decay*w
///   w <- w - lr * |w|/|u| * u,        and w <- w - lr*u where |w| or |u| is 0
/// over each parameter as a whole, so that each tensor moves by lr times its own norm: made for very large batches. Once m is
/// not 0, a zero gradient still moves w: a lazy sparse step is not exact. Throws ValueError unless lr and weight_decay are
/// >= 0, eps > 0 and beta1 and beta2 lie in [0, 1).
/// A square that overflows (from |g| = 1.8e19 on in f32, 1.3e154 in f64) makes v infinite and stops the element for good.
/// Weakness: a tensor of small norm (a bias near 0) hardly moves; put biases and norms into a group of Adam's kind instead.
struct LAMB : WholeTensor<LAMB, LAMBOptions> {
  using WholeTensor::WholeTensor;
  static constexpr auto name = "lamb";
  static constexpr auto source = "You et al., ICLR 2020, algorithm 2";
  static constexpr Field fields[] = {{"lr", &LAMBOptions::lr},
                                     {"beta1", &LAMBOptions::beta1, Range::fraction},
                                     {"beta2", &LAMBOptions::beta2, Range::fraction},
                                     {"eps", &LAMBOptions::eps},
                                     {"weight_decay", &LAMBOptions::weight_decay}};
  static constexpr std::array states = {"exp_avg", "exp_avg_sq"};

  static std::array<Tensor, 3> plan(const LAMBOptions& o, StepInfo step, const Tensor& w, const Tensor& g, const Tensor& m,
                                    const Tensor& v);
  static Decay decay(const LAMBOptions&) { return Decay::own; }
  static void check(const LAMBOptions& o);
  static std::string formula(const LAMBOptions& o);
};

extern template class Method<LAMB, LAMBOptions>;
extern template class WholeTensor<LAMB, LAMBOptions>;

}  // namespace capstan::optim
