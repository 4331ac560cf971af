#pragma once
#include <capstan/optim/moments.h>

namespace capstan::optim {

/// PyTorch's names and defaults.
struct RAdamOptions {
  double lr = 1e-3;
  double beta1 = 0.9;    // how much of the average of gradients is kept
  double beta2 = 0.999;  // how much of the average of squares is kept
  double eps = 1e-8;
  double weight_decay = 0;              // L2: g + weight_decay * w takes the place of g
  bool decoupled_weight_decay = false;  // w shrinks by lr * weight_decay * w before each step instead
};

/// RAdam (Liu et al., ICLR 2020, algorithm 2), as torch.optim.RAdam: Adam's averages m and v (optim/adam.h), and
///   R = 2/(1 - beta2) - 1,  r_t = R - 2 t beta2^t / (1 - beta2^t)
///   w <- w - lr * m/(1 - beta1^t)                                                    while r_t <= 5
///   w <- w - lr * m/(1 - beta1^t) * c * sqrt(1 - beta2^t) / (sqrt(v) + eps)          then,
///   c = sqrt((r_t - 4)(r_t - 2) R / ((R - 4)(R - 2) r_t))
/// so that a v which has seen few gradients is not divided by, and then cautiously: a warm-up that needs no schedule. PyTorch
/// waits for r_t > 5, the paper for 4. Where the root and eps are 0, w stays. Once m is not 0, a zero gradient still moves w:
/// a lazy sparse step is not exact. Throws ValueError unless lr, eps and weight_decay are >= 0 and beta1 and beta2 lie in
/// [0, 1).
/// A square that overflows (from |g| = 1.8e19 on in f32, 1.3e154 in f64) makes v infinite and stops the element for good.
/// Weakness: the first steps (five for beta2 = 0.999) are those of SGD with momentum, and as large as the gradients are. For
/// beta2 <= 2/3 all of them are.
struct RAdam : Elementwise<RAdam, RAdamOptions> {
  using Elementwise::Elementwise;
  static constexpr auto name = "radam";
  static constexpr auto source = "Liu et al., ICLR 2020, algorithm 2";
  static constexpr auto formula =
      "R = 2/(1 - {beta2}) - 1, r = R - 2*t*{beta2}^t/(1 - {beta2}^t), m <- {beta1}*m + (1 - {beta1})*g, "
      "v <- {beta2}*v + (1 - {beta2})*g^2, w <- w - {lr}*(m/(1 - {beta1}^t)), "
      "once r > 5 times sqrt((r - 4)*(r - 2)*R/((R - 4)*(R - 2)*r))*sqrt(1 - {beta2}^t)/(sqrt(v) + {eps})";
  static constexpr Field fields[] = {{"lr", &RAdamOptions::lr},
                                     {"beta1", &RAdamOptions::beta1, Range::fraction},
                                     {"beta2", &RAdamOptions::beta2, Range::fraction},
                                     {"eps", &RAdamOptions::eps},
                                     {"weight_decay", &RAdamOptions::weight_decay},
                                     {"decoupled_weight_decay", &RAdamOptions::decoupled_weight_decay}};
  static constexpr std::array states = {"exp_avg", "exp_avg_sq"};

  template <class T>
  struct Rule : detail::Moments<T> {
    T lr, eps;
    bool adaptive;
    Rule(const RAdamOptions& o, StepInfo step) : detail::Moments<T>(o.beta1, o.beta2, step.t), eps(T(o.eps)) {
      const double t = static_cast<double>(step.t), most = 2 / (1 - o.beta2) - 1;
      const double r = most - 2 * t * (1 - this->correction2) / this->correction2;
      adaptive = r > 5;
      const double caution = adaptive ? std::sqrt((r - 4) * (r - 2) * most / ((most - 4) * (most - 2) * r) * this->correction2) : 1;
      lr = T(step.lr / this->correction1 * caution);
    }
    void operator()(T& w, T g, T& m, T& v) const {
      m = this->first(m, g);
      v = this->second(v, g);
      const T root = adaptive ? std::sqrt(v) + eps : T(1);
      w -= root == T(0) ? T(0) : lr * m / root;
    }
    static constexpr bool forgets = true;
    T rate(T, T v) const { return lr * T(this->correction1) / (adaptive ? std::sqrt(v) + eps : T(1)); }
  };

  static Decay decay(const RAdamOptions& o) { return o.decoupled_weight_decay ? Decay::decoupled : Decay::l2; }
};

extern template class Method<RAdam, RAdamOptions>;
extern template class Elementwise<RAdam, RAdamOptions>;

}  // namespace capstan::optim
