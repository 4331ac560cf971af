// Two rules as a user writes them, compiled as a user's file is: at -O2 with capstan::rule_flags.
#include <capstan/optim/make.h>

#include "bench.h"

using namespace capstan;

namespace {

struct OwnAdagradOptions {
  double lr = 0.01, eps = 1e-10;
};
struct OwnAdagrad : optim::Elementwise<OwnAdagrad, OwnAdagradOptions> {
  using Elementwise::Elementwise;
  static constexpr auto name = "own_adagrad";
  static constexpr Field fields[] = {{"lr", &OwnAdagradOptions::lr}, {"eps", &OwnAdagradOptions::eps}};
  static constexpr std::array states = {"sum"};
  template <class T>
  struct Rule {
    T lr, eps;
    Rule(const OwnAdagradOptions& o, optim::StepInfo step) : lr(T(step.lr)), eps(T(o.eps)) {}
    void operator()(T& w, T g, T& s) const {
      s += g * g;
      w -= lr * g / (std::sqrt(s) + eps);
    }
  };
};

struct OwnMomentumOptions {
  double lr = 0.001, momentum = 0.9;
};
struct OwnMomentum : optim::Elementwise<OwnMomentum, OwnMomentumOptions> {
  using Elementwise::Elementwise;
  static constexpr auto name = "own_momentum";
  static constexpr Field fields[] = {{"lr", &OwnMomentumOptions::lr}, {"momentum", &OwnMomentumOptions::momentum}};
  static constexpr std::array states = {"momentum"};
  template <class T>
  struct Rule {
    T lr, b;
    Rule(const OwnMomentumOptions& o, optim::StepInfo step) : lr(T(step.lr)), b(T(o.momentum)) {}
    void operator()(T& w, T g, T& m) const {
      m = b * m + g;
      w -= lr * m;
    }
  };
};

}  // namespace

void bench::register_own_rules() {
  optim::register_optimizer<OwnAdagrad>();
  optim::register_optimizer<OwnMomentum>();
}
