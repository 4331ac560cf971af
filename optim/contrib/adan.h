#pragma once
#include <capstan/optim/elementwise.h>

namespace capstan::optim {

/// The names and defaults of the authors' program. Each beta is what an average keeps; the paper's are 1 - beta.
struct AdanOptions {
  double lr = 1e-3;
  double beta1 = 0.98;  // of the average of gradients
  double beta2 = 0.92;  // of the average of their differences
  double beta3 = 0.99;  // of the average of squares
  double eps = 1e-8;
  double weight_decay = 0;      // proximal: w is divided by 1 + lr * weight_decay after each step
  bool bias_correction = true;  // averages from 0, divided by 1 - beta^t; false: from the first gradient, as in the paper
};

/// Adan (Xie et al., arXiv:2208.06677, algorithm 1): Adam with Nesterov's look ahead, told from two gradients. With the difference
/// d = g - (g of the step before), 0 in the first step,
///   m <- beta1*m + (1 - beta1)*g,  v <- beta2*v + (1 - beta2)*d,  n <- beta3*n + (1 - beta3)*(g + beta2*d)^2
///   w <- (w - lr * (m' + beta2*v') / (sqrt(n') + eps)) / (1 + lr*weight_decay)
/// where m' = m / (1 - beta1^t), and so for v and n. Without bias_correction they are m, v and n themselves, and m and n start as g
/// and g^2. The paper's restarts are left out. Where the root and eps are 0, w stays. A zero gradient still moves w once m is not 0,
/// so that a lazy sparse step is not exact.
/// Throws ValueError:
///   - unless lr, eps and weight_decay are >= 0;
///   - unless beta1, beta2 and beta3 lie in [0, 1).
/// A square that overflows (from |g| = 1.8e19 on in f32, 1.3e154 in f64) makes n infinite and stops the element for good.
/// Weakness: four numbers of state for each element, twice Adam's; and the noise of two gradients is in each difference.
struct Adan : Elementwise<Adan, AdanOptions> {
  using Elementwise::Elementwise;
  static constexpr auto name = "adan";
  static constexpr auto source = "Xie et al., arXiv:2208.06677, algorithm 1";
  static constexpr Field fields[] = {{"lr", &AdanOptions::lr},
                                     {"beta1", &AdanOptions::beta1, Range::fraction},
                                     {"beta2", &AdanOptions::beta2, Range::fraction},
                                     {"beta3", &AdanOptions::beta3, Range::fraction},
                                     {"eps", &AdanOptions::eps},
                                     {"weight_decay", &AdanOptions::weight_decay},
                                     {"bias_correction", &AdanOptions::bias_correction}};
  static constexpr std::array states = {"exp_avg", "exp_avg_diff", "exp_avg_sq", "last_gradient"};

  template <class T>
  struct Rule {
    T keep1, take1, keep2, take2, keep3, take3, ahead, lr, lr1, lr2, scale, eps, shrink;
    bool first;
    Rule(const AdanOptions& o, StepInfo step);
    void operator()(T& w, T g, T& m, T& v, T& n, T& last) const {
      const T difference = first ? T(0) : g - last, seen = g + ahead * difference;
      m = keep1 * m + take1 * g;
      v = finite_or(keep2 * v + take2 * difference, v);
      n = keep3 * n + take3 * (seen * seen);
      last = g;
      const T root = std::sqrt(n) * scale + eps;
      w = (w - (root == T(0) ? T(0) : (lr1 * m + lr2 * v) / root)) * shrink;
    }
    static constexpr bool forgets = true;
    T rate(T, T, T n, T) const { return lr / (std::sqrt(n) * scale + eps); }
  };

  static Decay decay(const AdanOptions&) { return Decay::own; }
  static std::string formula(const AdanOptions& o);
};

extern template class Method<Adan, AdanOptions>;
extern template class Elementwise<Adan, AdanOptions>;

}  // namespace capstan::optim
