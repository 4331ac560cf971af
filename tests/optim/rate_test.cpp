#include <capstan/optim/make.h>

#include <cmath>
#include <set>

#include "all_methods.h"
#include "support.h"

// What effective_rates() says, against how far a step really goes.

namespace {

constexpr std::int64_t n = 20;

/// How far each element of w went for one unit of g, after three other steps; every element has g != 0.
struct Measured {
  Values rates, moves, state_of;
};
template <class Method, class Options>
Measured measured(const Options& o, DType dtype, const std::string& slot = "") {
  Tensor w = parameter(zeros({n}, dtype));
  Method optimizer(Parameters{{"w", w}}, o);
  for (int t = 0; t < 3; ++t) optimizer.step(Gradients::from({{w, wobbles({n}, 60 * t, dtype)}}));
  w.assign(zeros({n}, dtype));  // so that the move is what is left in w, to the last bit
  const Tensor g = wobbles({n}, 500, dtype);
  optimizer.step(Gradients::from({{w, g}}));
  const auto told = optimizer.effective_rates();
  EXPECT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].parameter, "w");
  EXPECT_EQ(told[0].lr, o.lr);
  EXPECT_EQ(told[0].steps, 4);
  EXPECT_TRUE(told[0].rates.shape() == Shape{n});
  EXPECT_TRUE(told[0].rates.dtype() == DType::f64);
  Measured m{values(told[0].rates), {}, slot.empty() ? values(g) : values(optimizer.state()["w/" + slot])};
  const Values moved = values(w);
  for (std::size_t i = 0; i < moved.size(); ++i) m.moves.push_back(std::abs(moved[i] / m.state_of[i]));
  return m;
}

/// The rate is the move for a unit of the gradient, or of a slot that stands in its place divided by `correction`.
template <class Method, class Options>
void expect_rate(const Options& o, const std::string& slot = "", double correction = 1) {
  for (const DType dtype : {DType::f32, DType::f64}) {
    const Measured m = measured<Method>(o, dtype, slot);
    for (std::size_t i = 0; i < m.rates.size(); ++i)
      EXPECT_NEAR(m.moves[i] * correction / m.rates[i], 1, dtype == DType::f64 ? 1e-12 : 2e-6)
          << Method::name << " " << name(dtype) << " " << i;
  }
}

/// A user's own, with a rate in one of its two rules: the square is kept, or it is not.
struct RootOptions {
  double lr = 0.5, start = 2;
  bool keep = true;
};
struct Root : optim::Elementwise<Root, RootOptions> {
  using Elementwise::Elementwise;
  static constexpr auto name = "root";
  static constexpr Field fields[] = {{"lr", &RootOptions::lr}, {"start", &RootOptions::start}, {"keep", &RootOptions::keep}};
  template <class T>
  struct Keeping {
    static constexpr std::array states = {"largest"};
    T lr;
    Keeping(const RootOptions&, optim::StepInfo step) : lr(T(step.lr)) {}
    void operator()(T& w, T g, T& most) const {
      const T now = std::abs(g);
      most = most >= now ? most : now;
      w -= rate(most) * g;
    }
    T rate(T most) const { return lr / most; }
  };
  template <class T>
  struct Plain {
    static constexpr std::array<const char*, 0> states = {};
    T rate;  // a number, and nothing that could be called
    Plain(const RootOptions&, optim::StepInfo step) : rate(T(step.lr)) {}
    void operator()(T& w, T g) const { w -= rate * g; }
  };
  template <class T>
  using Rules = optim::RuleList<Keeping<T>, Plain<T>>;
  static std::size_t rule_index(const RootOptions& o) { return o.keep ? 0 : 1; }
  static double initial(const RootOptions& o, std::size_t) { return o.start; }
};

/// A rule without memory may tell its rate too.
struct SteadyOptions {
  double lr = 0.25;
};
struct Steady : optim::Elementwise<Steady, SteadyOptions> {
  using Elementwise::Elementwise;
  static constexpr auto name = "steady";
  static constexpr Field fields[] = {{"lr", &SteadyOptions::lr}};
  static constexpr std::array<const char*, 0> states = {};
  template <class T>
  struct Rule {
    T lr;
    Rule(const SteadyOptions&, optim::StepInfo step) : lr(T(step.lr)) {}
    void operator()(T& w, T g) const { w -= lr * g; }
    T rate() const { return lr; }
  };
};

}  // namespace

TEST(EffectiveRate, OfAdagradIsTheMoveOfAStepInEveryDialect) {
  for (optim::AdagradOptions o : {optim::AdagradOptions::torch(0.1), optim::AdagradOptions::d2l(0.1), optim::AdagradOptions::optax(0.1),
                                  optim::AdagradOptions::keras(0.1), optim::AdagradOptions::mlx(0.1), optim::AdagradOptions::dynet(0.1)}) {
    expect_rate<optim::Adagrad>(o);
    o.eps = 0.3;
    o.lr_decay = 0.7;
    expect_rate<optim::Adagrad>(o);
  }
}

TEST(EffectiveRate, OfRMSPropIsTheMoveOfAStep) {
  for (const bool inside : {false, true})
    for (const bool centered : {false, true})
      expect_rate<optim::RMSProp>(
          optim::RMSPropOptions{.lr = 0.1, .alpha = 0.9, .eps = 0.01, .eps_inside_root = inside, .centered = centered});
}

TEST(EffectiveRate, OfAdamsFamilyIsThatOfTheCorrectedAverage) {
  const double beta1 = 0.8, left = 1 - std::pow(beta1, 4);
  for (const bool amsgrad : {false, true}) {
    expect_rate<optim::Adam>(optim::AdamOptions{.lr = 0.1, .beta1 = beta1, .beta2 = 0.3, .eps = 0.01, .amsgrad = amsgrad}, "exp_avg", left);
    expect_rate<optim::AdamW>(optim::AdamWOptions{.lr = 0.1, .beta1 = beta1, .eps = 0.01, .amsgrad = amsgrad}, "exp_avg", left);
  }
  expect_rate<optim::Adamax>(optim::AdamaxOptions{.lr = 0.1, .beta1 = beta1, .eps = 0.01}, "exp_avg", left);
  expect_rate<optim::AdaBelief>(optim::AdaBeliefOptions{.lr = 0.1, .beta1 = beta1, .eps = 0.01}, "exp_avg", left);
  expect_rate<optim::Yogi>(optim::YogiOptions{.lr = 0.1, .beta1 = beta1}, "exp_avg", left);
  expect_rate<optim::RAdam>(optim::RAdamOptions{.lr = 0.1, .beta1 = beta1}, "exp_avg", left);        // not yet adaptive
  expect_rate<optim::NAdam>(optim::NAdamOptions{.lr = 0.1, .beta1 = 0, .beta2 = 0.9, .eps = 0.01});  // all gradient
}

TEST(EffectiveRate, OfTheOthersIsWhatTheirFormulaSays) {
  expect_rate<optim::RowwiseAdagrad>(optim::RowwiseAdagradOptions{.lr = 0.1, .eps = 0.3, .initial_accumulator = 0.1});
  const auto both = [](const char* spec, const char* first, const char* second, auto formula) {
    for (const DType dtype : {DType::f32, DType::f64}) {
      Tensor w = parameter(zeros({n}, dtype));
      const auto optimizer = optim::make(spec, {{"w", w}});
      for (int t = 0; t < 6; ++t) optimizer->step(Gradients::from({{w, wobbles({n}, 60 * t, dtype)}}));
      const TensorMap state = optimizer->state();
      const Values x = values(state["w/" + std::string(first)]), y = values(state["w/" + std::string(second)]),
                   rates = values(optimizer->effective_rates().at(0).rates);
      for (std::size_t i = 0; i < rates.size(); ++i)
        EXPECT_NEAR(rates[i] / formula(x[i], y[i]), 1, 1e-12) << spec << " " << name(dtype) << " " << i;
    }
  };
  both("adadelta lr=0.5 eps=1e-4", "square_avg", "acc_delta",
       [](double v, double a) { return 0.5 * std::sqrt(a + 1e-4) / std::sqrt(v + 1e-4); });
  both("ftrl lr=0.5 beta=0.25 l2=3", "accumulator", "linear", [](double s, double) { return 0.5 / (0.25 + std::sqrt(s) + 1.5); });
  both("rmsprop lr=0.5 alpha=0.5 eps=0.1 momentum=0.9", "square_avg", "momentum",
       [](double v, double) { return 0.5 / (std::sqrt(v) + 0.1); });
  both("rmsprop lr=0.5 alpha=0.5 eps=0.1 momentum=0.9 centered=1", "square_avg", "grad_avg",
       [](double v, double a) { return 0.5 / (std::sqrt(v - a * a) + 0.1); });
  both("nadam lr=0.5 beta2=0.9 eps=0.1", "exp_avg_sq", "exp_avg",
       [](double v, double) { return 0.5 / (std::sqrt(v / (1 - std::pow(0.9, 6))) + 0.1); });
  both("schedule_free_adamw lr=0.5 beta2=0.9 eps=0.1", "exp_avg_sq", "z",
       [](double v, double) { return 0.5 / (std::sqrt(v / (1 - std::pow(0.9, 6))) + 0.1); });
  both("radam lr=0.5 beta2=0.9 eps=0.1", "exp_avg_sq", "exp_avg", [](double v, double) {
    const double most = 19, left = 1 - std::pow(0.9, 6), r = most - 12 * (1 - left) / left;
    if (r <= 5) return 0.5;
    return 0.5 * std::sqrt((r - 4) * (r - 2) * most / ((most - 4) * (most - 2) * r) * left) / (std::sqrt(v) + 0.1);
  });
}

TEST(EffectiveRate, IsThereForTheMethodsThatDivide) {
  std::set<std::string> have;
  for (const std::string& method : built_in_methods) {
    Tensor w = parameter(zeros({2, 3}));
    const auto optimizer = optim::make(method, {{"w", w}});
    if (!optimizer->effective_rates().empty()) have.insert(method);
  }
  for (const char* name : {"adabelief", "adadelta", "adagrad", "adam", "adamax", "adamw", "ftrl", "nadam", "radam", "rmsprop",
                           "rowwise_adagrad", "schedule_free_adamw", "yogi"})
    EXPECT_TRUE(have.count(name)) << name;
  for (const char* name : {"lion", "muon", "rprop", "sgd", "signum"}) EXPECT_FALSE(have.count(name)) << name;
}

// A rate is that of a step made: none before the first, and none where no gradient has been.
TEST(EffectiveRate, IsNoNumberWhereNoGradientHasBeen) {
  for (const char* spec : {"adagrad", "adagrad initial_accumulator=0.1", "rmsprop centered=1 momentum=0.5", "adadelta", "adam amsgrad=1",
                           "yogi initial_accumulator=0", "ftrl", "rowwise_adagrad initial_accumulator=0.1", "schedule_free_adamw"})
    for (const DType dtype : {DType::f32, DType::f64}) {
      Tensor w = parameter(zeros({4, 1}, dtype)), late = parameter(zeros({2}, dtype)), none = parameter(zeros({0, 3}, dtype));
      const auto optimizer = optim::make(spec, {{"w", w}, {"late", late}, {"none", none}});
      const auto missing = [&](std::size_t k) {
        std::string s;
        for (const double rate : values(optimizer->effective_rates().at(k).rates)) s += std::isnan(rate) ? '-' : 'x';
        return s;
      };
      EXPECT_EQ(missing(0) + "|" + missing(1) + "|" + missing(2), "----|--|") << spec;
      const Tensor g = tensor({1.0, 0.0, -2.0, 0.0}, dtype).reshape({4, 1});
      for (int t = 0; t < 3; ++t) optimizer->step(Gradients::from({{w, g}, {none, zeros({0, 3}, dtype)}}));
      EXPECT_EQ(missing(0) + "|" + missing(1) + "|" + missing(2), "x-x-|--|") << spec << " " << name(dtype);
      EXPECT_EQ(optimizer->effective_rates()[0].steps, 3);
      EXPECT_EQ(optimizer->effective_rates()[1].steps, 0);
    }
  // Squares of 1e-200 vanish, and without eps the rule would divide by 0: the element stays.
  Tensor w = parameter(zeros({1}, DType::f64));
  optim::RMSProp rmsprop(Parameters{{"w", w}}, {.alpha = 0.5, .eps = 0, .centered = true});
  for (int t = 0; t < 2; ++t) rmsprop.step(Gradients::from({{w, full({1}, 1e-200, DType::f64)}}));
  EXPECT_EQ(values(w), Values{0});
  EXPECT_TRUE(std::isnan(rmsprop.effective_rates()[0].rates.item()));
}

TEST(EffectiveRate, FollowsGroupsAndLoads) {
  Tensor w = parameter(zeros({1}, DType::f64)), b = parameter(zeros({1}, DType::f64));
  optim::Adagrad adagrad(Parameters{{"w", w}, {"b", b}}, {.lr = 0.5, .eps = 0});
  adagrad.group("b", [](auto& o) { o.lr = 8, o.eps = 2, o.eps_inside_root = true; });
  const Tensor four = full({1}, 4, DType::f64), root = full({1}, std::sqrt(14), DType::f64);
  adagrad.step(Gradients::from({{w, four}, {b, root}}));
  adagrad.set_lr(1);
  auto rates = adagrad.effective_rates();
  EXPECT_EQ(rates[0].lr, 1);
  EXPECT_EQ(rates[0].rates.item(), 0.25);
  EXPECT_EQ(rates[1].lr, 8);
  EXPECT_NEAR(rates[1].rates.item(), 2, 1e-15);
  optim::Adagrad other(Parameters{{"w", w}, {"b", b}});
  other.group("b", [](auto&) {});
  other.load_state(adagrad.state());
  EXPECT_EQ(bits(other.effective_rates()[1].rates), bits(rates[1].rates));
  const Tape tape;  // nothing is recorded
  EXPECT_EQ(bits(adagrad.effective_rates()[0].rates), bits(rates[0].rates));
}

TEST(EffectiveRate, OfAUsersMethodIsWhatItsRuleTells) {
  Tensor w = parameter(zeros({3}, DType::f64)), b = parameter(zeros({1}, DType::f64));
  Root root(Parameters{{"w", w}, {"b", b}});
  root.group("b", [](auto& o) { o.keep = false; });
  root.step(Gradients::from({{w, tensor({4.0, -8.0, 1.0}, DType::f64)}, {b, ones({1}, DType::f64)}}));
  EXPECT_EQ(values(w), (Values{-0.5, 0.5, -0.25}));
  const auto rates = root.effective_rates();
  ASSERT_EQ(rates.size(), 1u);  // the other rule tells none
  EXPECT_EQ(rates[0].parameter, "w");
  EXPECT_EQ(rates[0].rates.data<double>()[0], 0.125);
  EXPECT_EQ(rates[0].rates.data<double>()[1], 0.0625);
  EXPECT_TRUE(std::isnan(rates[0].rates.data<double>()[2]));  // still at 2
  Steady steady(Parameters{{"b", b}});
  EXPECT_TRUE(std::isnan(steady.effective_rates()[0].rates.item()));
  steady.step(Gradients::from({{b, ones({1}, DType::f64)}}));
  EXPECT_EQ(steady.effective_rates()[0].rates.item(), 0.25);
}
