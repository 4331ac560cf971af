#pragma once
#include <capstan/optim/elementwise.h>

#include <array>

namespace sign_momentum {

namespace optim = capstan::optim;
using capstan::sign;

struct SignMomentumOptions {
  double lr = 1e-3, momentum = 0.9;
};

/// Signum (Bernstein et al., ICML 2018, alg. 2):  m <- b*m + (1-b)*g,  w <- w - lr*sign(m).
struct SignMomentum : optim::Elementwise<SignMomentum, SignMomentumOptions> {
  using Elementwise::Elementwise;
  static constexpr auto name = "sign_momentum";
  static constexpr Field fields[] = {{"lr", &SignMomentumOptions::lr}, {"momentum", &SignMomentumOptions::momentum}};
  static constexpr std::array states = {"momentum"};
  template <class T>
  struct Rule {
    T lr, b;
    Rule(const SignMomentumOptions& o, optim::StepInfo step) : lr(T(step.lr)), b(T(o.momentum)) {}
    void operator()(T& w, T g, T& m) const {
      m = b * m + (1 - b) * g;
      w -= lr * sign(m);
    }
  };
};

}  // namespace sign_momentum
