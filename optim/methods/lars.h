#pragma once
#include <capstan/optim/whole_tensor.h>

namespace capstan::optim {

/// Optax's names and defaults; lr has none there.
struct LARSOptions {
  double lr = 0.1;
  double weight_decay = 0;          // L2: g + weight_decay * w takes the place of g
  double trust_coefficient = 1e-3;  // how much of its own norm a parameter moves by, for lr = 1
  double eps = 0;
  double momentum = 0.9;
  bool nesterov = false;
};

/// LARS (You, Gitman & Ginsburg, arXiv:1708.03888, algorithm 1), as optax.lars:
///   u = lr * trust_coefficient * |w|/(|g| + eps) * g,     and u = lr*g where |w| or |g| is 0
///   m <- momentum*m + u,  w <- w - m                      [nesterov: w <- w - (u + momentum*m)]
/// over each parameter as a whole. Weight decay is in g, so that |g + weight_decay*w| stands below, where the paper has
/// |g| + weight_decay*|w|. Where a norm is 0 Optax drops the coefficient too. Without momentum nothing but a gradient moves w;
/// with it a zero gradient still does. A lazy sparse step is not exact, since |w| and |g| are of the whole tensor. Throws
/// ValueError unless lr, weight_decay, trust_coefficient, eps and momentum are >= 0, and for nesterov without momentum.
/// The step has the same length for every |g|, be it of 1e-45 in f32; an element of m that would be infinite stays.
/// Weakness: a bias that starts at 0 makes its first step with lr itself; it needs a warm-up of lr for the largest batches.
struct LARS : WholeTensor<LARS, LARSOptions> {
  using WholeTensor::WholeTensor;
  static constexpr auto name = "lars";
  static constexpr auto source = "You, Gitman & Ginsburg, arXiv:1708.03888, algorithm 1";
  static constexpr Field fields[] = {{"lr", &LARSOptions::lr},
                                     {"weight_decay", &LARSOptions::weight_decay},
                                     {"trust_coefficient", &LARSOptions::trust_coefficient, Range::not_negative},
                                     {"eps", &LARSOptions::eps},
                                     {"momentum", &LARSOptions::momentum, Range::not_negative},
                                     {"nesterov", &LARSOptions::nesterov}};
  static constexpr std::array states = {"momentum"};

  static std::array<Tensor, 2> plan(const LARSOptions& o, StepInfo step, const Tensor& w, const Tensor& g, const Tensor& m);
  static void check(const LARSOptions& o);
  static std::string formula(const LARSOptions& o);
};

extern template class Method<LARS, LARSOptions>;
extern template class WholeTensor<LARS, LARSOptions>;

}  // namespace capstan::optim
