#pragma once
#include <capstan/optim/elementwise.h>

namespace capstan::optim {

/// Optax's defaults; lr is that of the paper's program.
struct LionOptions {
  double lr = 1e-4;
  double beta1 = 0.9;          // how much of the average goes into the step
  double beta2 = 0.99;         // how much of the average is kept
  double weight_decay = 1e-3;  // decoupled: w shrinks by lr * weight_decay * w before each step
};

/// Lion (Chen et al., NeurIPS 2023, algorithm 2), as optax.lion:
///   w <- w - lr*weight_decay*w,  w <- w - lr*sign(beta1*m + (1 - beta1)*g),  m <- beta2*m + (1 - beta2)*g
/// One slot, and every coordinate moves by lr. Once m is not 0, a zero gradient still moves w: a lazy sparse step is not exact.
/// Throws ValueError unless lr and weight_decay are >= 0 and beta1 and beta2 lie in [0, 1).
/// Weakness: steps do not become smaller near a minimum, so that lr must fall to come to rest; small batches make the sign a
/// coin's. A third to a tenth of AdamW's lr, and as many times more weight decay, are the usual start.
struct Lion : Elementwise<Lion, LionOptions> {
  using Elementwise::Elementwise;
  static constexpr auto name = "lion";
  static constexpr auto source = "Chen et al., NeurIPS 2023, algorithm 2";
  static constexpr auto formula = "w <- w - {lr}*sign({beta1}*m + (1 - {beta1})*g), m <- {beta2}*m + (1 - {beta2})*g";
  static constexpr Field fields[] = {{"lr", &LionOptions::lr},
                                     {"beta1", &LionOptions::beta1, Range::fraction},
                                     {"beta2", &LionOptions::beta2, Range::fraction},
                                     {"weight_decay", &LionOptions::weight_decay}};
  static constexpr std::array states = {"exp_avg"};

  template <class T>
  struct Rule {
    T lr, keep1, take1, keep2, take2;
    Rule(const LionOptions& o, StepInfo step)
        : lr(T(step.lr)), keep1(T(o.beta1)), take1(T(1 - o.beta1)), keep2(T(o.beta2)), take2(T(1 - o.beta2)) {}
    T direction(T g, T m) const { return sign(keep1 * m + take1 * g); }
    T average(T m, T g) const { return finite_or(keep2 * m + take2 * g, m); }  // the sign of infinity would be finite for good
    void operator()(T& w, T g, T& m) const {
      w -= lr * direction(g, m);
      m = average(m, g);
    }
  };

  static Decay decay(const LionOptions&) { return Decay::decoupled; }
};

extern template class Method<Lion, LionOptions>;
extern template class Elementwise<Lion, LionOptions>;

}  // namespace capstan::optim
