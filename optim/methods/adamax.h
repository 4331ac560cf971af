#pragma once
#include <capstan/optim/moments.h>

namespace capstan::optim {

/// PyTorch's names and defaults.
struct AdamaxOptions {
  double lr = 2e-3;
  double beta1 = 0.9;    // how much of the average of gradients is kept
  double beta2 = 0.999;  // how much of the largest gradient is kept
  double eps = 1e-8;
  double weight_decay = 0;  // L2: g + weight_decay * w takes the place of g
};

/// Adamax (Kingma & Ba, ICLR 2015, algorithm 2), as torch.optim.Adamax:
///   m <- beta1*m + (1 - beta1)*g,  u <- max(beta2*u, |g| + eps),  w <- w - lr/(1 - beta1^t) * m/u
/// Adam with the largest gradient, slowly forgotten, in the place of the root mean square; eps is PyTorch's, the paper has
/// none. Where u is 0, w stays. Once m is not 0, a zero gradient still moves w: a lazy sparse step is not exact. Throws
/// ValueError unless lr, eps and weight_decay are >= 0 and beta1 and beta2 lie in [0, 1).
/// Weakness: one outlier keeps the rate small for about 1/(1 - beta2) steps.
struct Adamax : Elementwise<Adamax, AdamaxOptions> {
  using Elementwise::Elementwise;
  static constexpr auto name = "adamax";
  static constexpr auto source = "Kingma & Ba, ICLR 2015, algorithm 2";
  static constexpr auto formula = "m <- {beta1}*m + (1 - {beta1})*g, u <- max({beta2}*u, |g| + {eps}), w <- w - {lr}*(m/(1 - {beta1}^t))/u";
  static constexpr Field fields[] = {{"lr", &AdamaxOptions::lr},
                                     {"beta1", &AdamaxOptions::beta1, Range::fraction},
                                     {"beta2", &AdamaxOptions::beta2, Range::fraction},
                                     {"eps", &AdamaxOptions::eps},
                                     {"weight_decay", &AdamaxOptions::weight_decay}};
  static constexpr std::array states = {"exp_avg", "exp_inf"};

  template <class T>
  struct Rule : detail::Moments<T> {
    T lr, eps;
    Rule(const AdamaxOptions& o, StepInfo step)
        : detail::Moments<T>(o.beta1, o.beta2, step.t), lr(T(step.lr / this->correction1)), eps(T(o.eps)) {}
    void operator()(T& w, T g, T& m, T& u) const {
      m = this->first(m, g);
      const T kept = this->keep2 * u, now = std::abs(g) + eps;
      u = kept >= now ? kept : now;
      w -= u == T(0) ? T(0) : lr * m / u;
    }
    static constexpr bool forgets = true;
    T rate(T, T u) const { return lr * T(this->correction1) / u; }
  };
};

extern template class Method<Adamax, AdamaxOptions>;
extern template class Elementwise<Adamax, AdamaxOptions>;

}  // namespace capstan::optim
