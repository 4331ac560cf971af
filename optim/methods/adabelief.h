#pragma once
#include <capstan/optim/moments.h>

namespace capstan::optim {

/// Optax's defaults; lr is Adam's.
struct AdaBeliefOptions {
  double lr = 1e-3;
  double beta1 = 0.9;    // how much of the average of gradients is kept
  double beta2 = 0.999;  // how much of the average of squared surprises is kept
  double eps = 1e-16;
  double eps_root = 1e-16;  // added to s at every step
  double weight_decay = 0;  // L2: g + weight_decay * w takes the place of g
};

/// AdaBelief (Zhuang et al., NeurIPS 2020, algorithm 2), as optax.adabelief:
///   m <- beta1*m + (1 - beta1)*g,  s <- beta2*s + (1 - beta2)*(g - m)^2 + eps_root
///   w <- w - lr * (m / (1 - beta1^t)) / (sqrt(s / (1 - beta2^t)) + eps)
/// Adam divided not by the size of gradients but by how far they are from what was expected. The paper has one eps for both
/// places. Where the root and eps are 0, w stays. Once m is not 0, a zero gradient still moves w: a lazy sparse step is not
/// exact. Throws ValueError unless lr, eps, eps_root and weight_decay are >= 0 and beta1 and beta2 lie in [0, 1).
/// A square that overflows (from |g| = 1.8e19 on in f32, 1.3e154 in f64) makes s infinite and stops the element for good.
/// Weakness: a gradient that does not vary makes s vanish, and only the two tiny eps bound the step.
struct AdaBelief : Elementwise<AdaBelief, AdaBeliefOptions> {
  using Elementwise::Elementwise;
  static constexpr auto name = "adabelief";
  static constexpr auto source = "Zhuang et al., NeurIPS 2020, algorithm 2";
  static constexpr auto formula =
      "m <- {beta1}*m + (1 - {beta1})*g, s <- {beta2}*s + (1 - {beta2})*(g - m)^2 + {eps_root}, "
      "w <- w - {lr}*(m/(1 - {beta1}^t))/(sqrt(s/(1 - {beta2}^t)) + {eps})";
  static constexpr Field fields[] = {{"lr", &AdaBeliefOptions::lr},
                                     {"beta1", &AdaBeliefOptions::beta1, Range::fraction},
                                     {"beta2", &AdaBeliefOptions::beta2, Range::fraction},
                                     {"eps", &AdaBeliefOptions::eps},
                                     {"eps_root", &AdaBeliefOptions::eps_root, Range::not_negative},
                                     {"weight_decay", &AdaBeliefOptions::weight_decay}};
  static constexpr std::array states = {"exp_avg", "exp_avg_var"};

  template <class T>
  struct Rule : detail::AdamStep<T> {
    T eps_root;
    Rule(const AdaBeliefOptions& o, StepInfo step) : detail::AdamStep<T>(o, step), eps_root(T(o.eps_root)) {}
    void operator()(T& w, T g, T& m, T& s) const {
      m = this->first(m, g);
      s = this->second(s, g - m) + eps_root;
      this->move(w, m, s);
    }
  };
};

extern template class Method<AdaBelief, AdaBeliefOptions>;
extern template class Elementwise<AdaBelief, AdaBeliefOptions>;

}  // namespace capstan::optim
