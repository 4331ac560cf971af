#pragma once
#include <capstan/optim/moments.h>

namespace capstan::optim {

/// PyTorch's names and defaults.
struct NAdamOptions {
  double lr = 2e-3;
  double beta1 = 0.9;    // how much of the average of gradients is kept
  double beta2 = 0.999;  // how much of the average of squares is kept
  double eps = 1e-8;
  double weight_decay = 0;              // L2: g + weight_decay * w takes the place of g
  double momentum_decay = 4e-3;         // how slowly the look-ahead grows from beta1/2 to beta1
  bool decoupled_weight_decay = false;  // w shrinks by lr * weight_decay * w before each step instead
};

/// NAdam (Dozat, ICLR workshop 2016, algorithm 2), as torch.optim.NAdam: Adam's averages m and v (optim/adam.h) with
/// Nesterov's look-ahead and a schedule of it,
///   mu_t = beta1 * (1 - 0.96^(t*momentum_decay) / 2),  M_t = mu_1 mu_2 ... mu_t
///   w <- w - lr * ((1 - mu_t)/(1 - M_t) * g + mu_(t+1)/(1 - M_(t+1)) * m) / (sqrt(v / (1 - beta2^t)) + eps)
/// The average m decays by beta1, as PyTorch has it, where the paper has mu_t. Where the root and eps are 0, w stays. Once m
/// is not 0, a zero gradient still moves w: a lazy sparse step is not exact. Throws ValueError unless lr, eps, weight_decay
/// and momentum_decay are >= 0 and beta1 and beta2 lie in [0, 1).
/// A square that overflows (from |g| = 1.8e19 on in f32, 1.3e154 in f64) makes v infinite and stops the element for good.
/// Weakness: Adam's; and one more schedule whose pace (0.96 and momentum_decay) nobody tunes.
struct NAdam : Elementwise<NAdam, NAdamOptions> {
  using Elementwise::Elementwise;
  static constexpr auto name = "nadam";
  static constexpr auto source = "Dozat, ICLR workshop 2016, algorithm 2";
  static constexpr auto formula =
      "mu(t) = {beta1}*(1 - 0.96^(t*{momentum_decay})/2), M(t) = mu(1)...mu(t), m <- {beta1}*m + (1 - {beta1})*g, "
      "v <- {beta2}*v + (1 - {beta2})*g^2, "
      "w <- w - {lr}*((1 - mu(t))/(1 - M(t))*g + mu(t + 1)/(1 - M(t + 1))*m)/(sqrt(v/(1 - {beta2}^t)) + {eps})";
  static constexpr Field fields[] = {{"lr", &NAdamOptions::lr},
                                     {"beta1", &NAdamOptions::beta1, Range::fraction},
                                     {"beta2", &NAdamOptions::beta2, Range::fraction},
                                     {"eps", &NAdamOptions::eps},
                                     {"weight_decay", &NAdamOptions::weight_decay},
                                     {"momentum_decay", &NAdamOptions::momentum_decay, Range::not_negative},
                                     {"decoupled_weight_decay", &NAdamOptions::decoupled_weight_decay}};
  static constexpr std::array states = {"exp_avg", "exp_avg_sq"};

  /// mu_t, and M_t, which counts as 0 once it no longer changes 1 - M_t.
  static double look_ahead(const NAdamOptions& o, std::int64_t t) {
    return o.beta1 * (1 - 0.5 * detail::power(0.96, static_cast<double>(t) * o.momentum_decay));
  }
  static double look_ahead_product(const NAdamOptions& o, std::int64_t t);

  template <class T>
  struct Rule : detail::AdamStep<T> {
    T plain_lr, of_g, of_m;
    Rule(const NAdamOptions& o, StepInfo step) : detail::AdamStep<T>(o, step), plain_lr(T(step.lr)) {
      const double mu = look_ahead(o, step.t), next = look_ahead(o, step.t + 1), product = look_ahead_product(o, step.t);
      of_g = T(step.lr * (1 - mu) / (1 - product));
      of_m = T(step.lr * next / (1 - product * next));
    }
    void operator()(T& w, T g, T& m, T& v) const {
      m = this->first(m, g);
      v = this->second(v, g);
      const T below = this->root(v);
      w -= below == T(0) ? T(0) : (of_g * g + of_m * m) / below;
    }
    T rate(T, T v) const { return plain_lr / this->root(v); }
  };

  static Decay decay(const NAdamOptions& o) { return o.decoupled_weight_decay ? Decay::decoupled : Decay::l2; }
};

extern template class Method<NAdam, NAdamOptions>;
extern template class Elementwise<NAdam, NAdamOptions>;

}  // namespace capstan::optim
