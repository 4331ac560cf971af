#include <capstan/capstan.h>
#include <capstan/optim/conformance.h>
#include <capstan/optim/make.h>

#include <cmath>
#include <cstdio>

#include "support.h"

// The code of docs/new-optimizer.md.

using namespace capstan;

namespace {

struct AgreeOptions {
  double lr = 0.01, beta = 0.9, base = 2.718281828459045, start = 0, weight_decay = 0;
  bool add = false;
};

/// PowerSign and AddSign (Bello et al., Neural Optimizer Search, ICML 2017).
struct Agree : optim::Elementwise<Agree, AgreeOptions> {
  using Elementwise::Elementwise;
  static constexpr auto name = "agree";
  static constexpr Field fields[] = {{"lr", &AgreeOptions::lr},     {"beta", &AgreeOptions::beta},
                                     {"base", &AgreeOptions::base}, {"start", &AgreeOptions::start},
                                     {"add", &AgreeOptions::add},   {"weight_decay", &AgreeOptions::weight_decay}};

  template <class T>
  struct Power {
    static constexpr std::array states = {"average"};
    T plain, agreed, opposed, b;
    Power(const AgreeOptions& o, optim::StepInfo step)
        : plain(T(step.lr)), agreed(T(step.lr * o.base)), opposed(T(step.lr / o.base)), b(T(o.beta)) {}
    void operator()(T& w, T g, T& m) const {
      m = b * m + (1 - b) * g;
      const T both = sign(g) * sign(m);
      w -= (both > 0 ? agreed : both < 0 ? opposed : plain) * g;
    }
  };
  template <class T>
  struct Add {
    static constexpr std::array states = {"average"};
    T lr, b;
    Add(const AgreeOptions& o, optim::StepInfo step) : lr(T(step.lr)), b(T(o.beta)) {}
    void operator()(T& w, T g, T& m) const {
      m = b * m + (1 - b) * g;
      w -= lr * (1 + sign(g) * sign(m)) * g;
    }
  };
  template <class T>
  using Rules = optim::RuleList<Power<T>, Add<T>>;
  static std::size_t rule_index(const AgreeOptions& o) { return o.add ? 1 : 0; }

  static double initial(const AgreeOptions& o, std::size_t) { return o.start; }

  static void check(const AgreeOptions& o) {
    if (!(o.beta >= 0 && o.beta < 1)) throw ValueError("[agree] beta must lie in [0, 1): " + std::to_string(o.beta));
    if (!(o.base >= 1)) throw ValueError("[agree] base must be at least 1: " + std::to_string(o.base));
  }

  static std::string formula(const AgreeOptions& o) {
    const std::string both = "sign(g)*sign(m)", factor = o.add ? "(1 + " + both + ")" : std::to_string(o.base) + "^(" + both + ")";
    return "m <- b*m + (1 - b)*g, w <- w - " + std::to_string(o.lr) + "*" + factor + "*g";
  }
};

}  // namespace

TEST(Guide, ShowsWhatAMethodIsUsedFor) {
  manual_seed(1);
  nn::Linear model(3, 2);
  const Tensor x = randn({8, 3}), y = randn({8, 2});

  Agree optimizer(model.parameters(), {.lr = 0.05, .base = 2, .weight_decay = 1e-4});
  optimizer.group("bias", [](auto& o) { o.weight_decay = 0; });  // changes what it names and inherits the rest
  for (int step = 0; step < 100; ++step) {
    Tape tape;
    Gradients gradients = clip_norm(tape.gradients(mse_loss(model(x), y)), 1.0);
    optimizer.set_lr(0.05 / std::sqrt(step + 1));  // any schedule is a number a step
    optimizer.step(gradients);
  }
  std::printf("%s\n", optimizer.explain().c_str());

  TensorMap state = optimizer.state();  // names to tensors
  Agree other(model.parameters());
  other.group("bias", [](auto&) {});
  other.load_state(state);  // goes on where the first one stopped, to the bit

  EXPECT_EQ(bits(other.state()), bits(state));
  EXPECT_EQ(optimizer.options(1).weight_decay, 0);
  EXPECT_EQ(other.options(0).weight_decay, 1e-4);
  EXPECT_LT(mse_loss(model(x), y).item(), 0.5 * mean(square(y)).item());
}

TEST(Guide, ShowsAMethodByItsName) {
  Tensor w = parameter(zeros({4}));
  const Parameters parameters{{"w", w}};
  optim::register_optimizer<Agree>();
  auto a = optim::make("agree lr=0.05 add=true", parameters);
  auto b = optim::make("agree", parameters, {{"lr", 0.05}, {"add", true}});

  EXPECT_EQ(a->explain(), b->explain());
  EXPECT_EQ(a->explain(),
            "agree: m <- b*m + (1 - b)*g, w <- w - 0.050000*(1 + sign(g)*sign(m))*g\n  1 parameter, 4 elements, 16 bytes of state\n"
            "  a row-sparse gradient moves every row");
  EXPECT_EQ(thrown([&] { optim::make("agree beta=1", parameters); }), "ValueError: [agree] beta must lie in [0, 1): 1.000000");
  EXPECT_EQ(thrown([&] { optim::make("agree base=0.5", parameters); }), "ValueError: [agree] base must be at least 1: 0.500000");
  EXPECT_EQ(thrown([&] { optim::make("agree basis=2", parameters); }),
            "ValueError: [agree] there is no option 'basis' among lr, beta, base, start, add, weight_decay (did you mean 'base'?)");
}

TEST(Guide, ShowsRulesThatComputeWhatTheySay) {
  Tensor w = parameter(tensor({1.0, 1.0}, DType::f64));
  Agree power(Parameters{{"w", w}}, {.lr = 0.125, .beta = 0.5, .base = 2, .start = 4});
  power.step(Gradients::from({{w, tensor({1.0, -1.0}, DType::f64)}}));  // averages 2.5 and 1.5: only the first agrees
  EXPECT_EQ(values(w), (std::vector<double>{0.75, 1.0625}));
  Agree add(Parameters{{"w", w}}, {.lr = 0.125, .beta = 0.5, .start = 4, .add = true});
  add.step(Gradients::from({{w, tensor({1.0, -1.0}, DType::f64)}}));
  EXPECT_EQ(values(w), (std::vector<double>{0.5, 1.0625}));
}

TEST(Guide, ShowsTheProof) {
  const auto report = optim::conformance<Agree>({.lr = 0.01}, {{.lr = 0.01, .start = 0.5, .add = true}});
  std::printf("%s\n", report.text().c_str());

  EXPECT_TRUE(report);
}
