#pragma once
#include <capstan/optim/moments.h>

namespace capstan::optim {

/// Optax's defaults; lr is the paper's.
struct YogiOptions {
  double lr = 1e-2;
  double beta1 = 0.9;    // how much of the average of gradients is kept
  double beta2 = 0.999;  // 1 - beta2 is how fast v follows the squares
  double eps = 1e-3;
  double initial_accumulator = 1e-6;  // what m and v start from
  double weight_decay = 0;            // L2: g + weight_decay * w takes the place of g
};

/// Yogi (Zaheer et al., NeurIPS 2018, algorithm 2), as optax.yogi:
///   m <- beta1*m + (1 - beta1)*g,  v <- v - (1 - beta2)*sign(v - g^2)*g^2
///   w <- w - lr * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)
/// Adam with a v that moves by a share of g^2, not of v - g^2, so that it forgets large gradients slowly when small ones
/// follow. The corrections by beta^t, and that m too starts from initial_accumulator, are Optax's, not the paper's. Where the
/// root and eps are 0, w stays. Once m is not 0, a zero gradient still moves w (it is not 0 at the start): a lazy sparse
/// step is not exact. Throws ValueError unless lr, eps, initial_accumulator and weight_decay are >= 0 and beta1 and beta2 lie
/// in [0, 1).
/// A square that overflows (from |g| = 1.8e19 on in f32, 1.3e154 in f64) makes v infinite and stops the element for good.
/// Weakness: v falls no faster than it rises, so that early large gradients keep the rate small for long.
struct Yogi : Elementwise<Yogi, YogiOptions> {
  using Elementwise::Elementwise;
  static constexpr auto name = "yogi";
  static constexpr auto source = "Zaheer et al., NeurIPS 2018, algorithm 2";
  static constexpr auto formula =
      "m <- {beta1}*m + (1 - {beta1})*g, v <- v - (1 - {beta2})*sign(v - g^2)*g^2 (both from {initial_accumulator}), "
      "w <- w - {lr}*(m/(1 - {beta1}^t))/(sqrt(v/(1 - {beta2}^t)) + {eps})";
  static constexpr Field fields[] = {{"lr", &YogiOptions::lr},
                                     {"beta1", &YogiOptions::beta1, Range::fraction},
                                     {"beta2", &YogiOptions::beta2, Range::fraction},
                                     {"eps", &YogiOptions::eps},
                                     {"initial_accumulator", &YogiOptions::initial_accumulator, Range::not_negative},
                                     {"weight_decay", &YogiOptions::weight_decay}};
  static constexpr std::array states = {"exp_avg", "exp_avg_sq"};

  template <class T>
  struct Rule : detail::AdamStep<T> {
    using detail::AdamStep<T>::AdamStep;
    void operator()(T& w, T g, T& m, T& v) const {
      m = this->first(m, g);
      const T x = g * g;
      v -= this->take2 * sign(v - x) * x;
      this->move(w, m, v);
    }
  };

  static double initial(const YogiOptions& o, std::size_t) { return o.initial_accumulator; }
  static bool rests(const YogiOptions& o) { return detail::equal(o.initial_accumulator, 0); }
};

extern template class Method<Yogi, YogiOptions>;
extern template class Elementwise<Yogi, YogiOptions>;

}  // namespace capstan::optim
