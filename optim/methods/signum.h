#pragma once
#include <capstan/optim/elementwise.h>

namespace capstan::optim {

/// Optax's momentum.
struct SignumOptions {
  double lr = 1e-3;
  double momentum = 0.9;    // how much of the average of gradients is kept; 0 is signSGD
  double weight_decay = 0;  // L2: g + weight_decay * w takes the place of g
};

/// Signum (Bernstein et al., ICML 2018, algorithm 2), as optax.signum:
///   m <- momentum*m + (1 - momentum)*g,  w <- w - lr*sign(m)
/// Without momentum it is signSGD (algorithm 1) and has no state. Once m is not 0, a zero gradient still moves w: a lazy
/// sparse step is exact for signSGD only. Throws ValueError unless lr and weight_decay are >= 0 and momentum lies in [0, 1).
/// Weakness: steps do not become smaller near a minimum, so that lr must fall to come to rest. A coordinate whose gradients
/// are mostly noise moves as far as any other.
struct Signum : Elementwise<Signum, SignumOptions> {
  using Elementwise::Elementwise;
  static constexpr auto name = "signum";
  static constexpr auto source = "Bernstein et al., ICML 2018, algorithm 2";
  static constexpr Field fields[] = {
      {"lr", &SignumOptions::lr}, {"momentum", &SignumOptions::momentum, Range::fraction}, {"weight_decay", &SignumOptions::weight_decay}};

  template <class T>
  struct Plain {
    static constexpr std::array<const char*, 0> states = {};
    static constexpr bool rests = true;
    T lr;
    Plain(const SignumOptions&, StepInfo step) : lr(T(step.lr)) {}
    void operator()(T& w, T g) const { w -= lr * sign(g); }
  };

  template <class T>
  struct Momentum {
    static constexpr std::array states = {"momentum"};
    T lr, keep, take;
    Momentum(const SignumOptions& o, StepInfo step) : lr(T(step.lr)), keep(T(o.momentum)), take(T(1 - o.momentum)) {}
    void operator()(T& w, T g, T& m) const {
      m = finite_or(keep * m + take * g, m);  // the sign of infinity would be finite for good
      w -= lr * sign(m);
    }
  };

  template <class T>
  using Rules = RuleList<Plain<T>, Momentum<T>>;
  static std::size_t rule_index(const SignumOptions& o) { return detail::equal(o.momentum, 0) ? 0 : 1; }
  static std::string formula(const SignumOptions& o);
};

extern template class Method<Signum, SignumOptions>;
extern template class Elementwise<Signum, SignumOptions>;

}  // namespace capstan::optim
