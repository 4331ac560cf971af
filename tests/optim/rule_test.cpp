#include <capstan/optim/make.h>

#include <cmath>

#include "all_methods.h"
#include "support.h"

// The loops against the rule itself, called for one element after the other; and what rules do where they could divide by 0.

namespace {

using optim::AdagradOptions;
using optim::RMSPropOptions;
using optim::SGDOptions;

constexpr int steps = 4;

template <class Rule, class T, class Options, std::size_t... I>
void move_one(const Options& o, double weight_decay, double from, T& w, std::int64_t i, std::index_sequence<I...>) {
  T states[sizeof...(I) + 1] = {};
  if constexpr (sizeof...(I) > 0) states[0] = T(from);
  for (int t = 0; t < steps; ++t) {
    const Rule rule(o, {o.lr, t + 1});
    const T g = T(wobble(60 * t + i));
    rule(w, weight_decay == 0 ? g : g + T(weight_decay) * w, states[I]...);
  }
}

/// n elements moved by the method, to the bit as by Rule<T>, element by element. `from` is what the first slot starts from.
template <class Method, template <class> class Rule, std::size_t slots, class T, class Options>
void expect_rule(const Options& o, double weight_decay, double from) {
  for (const std::int64_t n : {1, 15, 16, 17, 1000}) {
    Tensor w = parameter(wobbles({n}, 11, dtype_of<T>));
    std::vector<T> want(static_cast<std::size_t>(n));
    for (std::int64_t i = 0; i < n; ++i) {
      want[static_cast<std::size_t>(i)] = T(wobble(11 + i));
      move_one<Rule<T>>(o, weight_decay, from, want[static_cast<std::size_t>(i)], i, std::make_index_sequence<slots>{});
    }
    Method optimizer(Parameters{{"w", w}}, o);
    for (int t = 0; t < steps; ++t) optimizer.step(Gradients::from({{w, wobbles({n}, 60 * t, dtype_of<T>)}}));
    EXPECT_EQ(bits(w), bits(tensor(want))) << n;
  }
}

template <class Method, template <class> class Rule, std::size_t slots, class Options>
void expect_rule(const Options& o, double weight_decay = 0, double from = 0) {
  SCOPED_TRACE(Method::name);
  expect_rule<Method, Rule, slots, float>(o, weight_decay, from);
  expect_rule<Method, Rule, slots, double>(o, weight_decay, from);
}

}  // namespace

TEST(Rules, RunOverArraysAsOverOneElement) {
  const AdagradOptions outside{.lr = 0.1, .eps = 1e-3, .initial_accumulator = 0.1, .lr_decay = 0.01};
  AdagradOptions inside = outside, decayed = outside;
  inside.eps_inside_root = true;
  decayed.weight_decay = 0.01;
  expect_rule<optim::Adagrad, optim::Adagrad::Rule, 1>(outside, 0, 0.1);
  expect_rule<optim::Adagrad, optim::Adagrad::Rule, 1>(decayed, 0.01, 0.1);
  expect_rule<optim::Adagrad, optim::Adagrad::Rule, 1>(inside, 0, 0.1);

  expect_rule<optim::SGD, optim::SGD::Plain, 0>(SGDOptions{.lr = 0.1});
  expect_rule<optim::SGD, optim::SGD::Momentum, 1>(SGDOptions{.lr = 0.1, .momentum = 0.9, .dampening = 0.1});
  expect_rule<optim::SGD, optim::SGD::Nesterov, 1>(SGDOptions{.lr = 0.1, .momentum = 0.9, .nesterov = true, .weight_decay = 0.01}, 0.01);

  const RMSPropOptions plain{.lr = 0.1, .alpha = 0.9};
  expect_rule<optim::RMSProp, optim::RMSProp::Plain, 1>(plain);
  expect_rule<optim::RMSProp, optim::RMSProp::Plain, 1>(RMSPropOptions::d2l(0.1));
  RMSPropOptions o = plain;
  o.momentum = 0.5;
  expect_rule<optim::RMSProp, optim::RMSProp::Momentum, 2>(o);
  o.centered = true;
  expect_rule<optim::RMSProp, optim::RMSProp::CenteredMomentum, 3>(o);
  o.momentum = 0;
  expect_rule<optim::RMSProp, optim::RMSProp::Centered, 2>(o);

  const double lr = 0.1, beta1 = 0.8, beta2 = 0.9, eps = 1e-3;
  expect_rule<optim::Adadelta, optim::Adadelta::Rule, 2>(optim::AdadeltaOptions{.lr = lr, .eps = eps});
  expect_rule<optim::Adam, optim::Adam::Plain, 2>(optim::AdamOptions{lr, beta1, beta2, eps, 0.01}, 0.01);
  expect_rule<optim::Adam, optim::Adam::AMSGrad, 3>(optim::AdamOptions{.beta2 = beta2, .amsgrad = true});
  expect_rule<optim::AdamW, optim::Adam::Plain, 2>(optim::AdamWOptions{lr, beta1, beta2, eps, 0});
  expect_rule<optim::Adamax, optim::Adamax::Rule, 2>(optim::AdamaxOptions{lr, beta1, beta2, eps});
  expect_rule<optim::NAdam, optim::NAdam::Rule, 2>(optim::NAdamOptions{lr, beta1, beta2, eps});
  expect_rule<optim::RAdam, optim::RAdam::Rule, 2>(optim::RAdamOptions{lr, beta1, beta2, eps});
  expect_rule<optim::AdaBelief, optim::AdaBelief::Rule, 2>(optim::AdaBeliefOptions{lr, beta1, beta2, eps});
  expect_rule<optim::Yogi, optim::Yogi::Rule, 2>(optim::YogiOptions{lr, beta1, beta2, eps, 0});
  expect_rule<optim::Lion, optim::Lion::Rule, 1>(optim::LionOptions{lr, beta1, beta2, 0});
  expect_rule<optim::Signum, optim::Signum::Plain, 0>(optim::SignumOptions{lr, 0});
  expect_rule<optim::Signum, optim::Signum::Momentum, 1>(optim::SignumOptions{lr, 0.5});
  expect_rule<optim::Rprop, optim::Rprop::Rule, 2>(optim::RpropOptions{.lr = 0});
  expect_rule<optim::FTRL, optim::FTRL::Rule, 2>(optim::FTRLOptions{.lr = lr, .l1 = 0.01, .l2 = 0.1, .initial_accumulator = 0.1}, 0, 0.1);

  expect_rule<Signum, Signum::Rule, 1>(SignumOptions{.lr = 0.1, .momentum = 0.5});
  expect_rule<Blend, Blend::One, 1>(BlendOptions{}, 0, 0.25);
  expect_rule<Blend, Blend::Two, 2>(BlendOptions{.two = true}, 0, 0.25);
}

// Without eps, an element with neither gradient nor history stays where it is; its neighbours move.
TEST(Rules, StayPutWhereBothSidesOfADivisionAreZero) {
  const auto check = [](auto make) {
    for (const DType dtype : {DType::f32, DType::f64}) {
      Tensor w = parameter(wobbles({20}, 0, dtype)), g = wobbles({20}, 30, dtype);
      for (std::int64_t i = 0; i < 20; i += 3) g.rows(i, i + 1).assign(zeros({1}, dtype));
      const auto optimizer = make(Parameters{{"w", w}});
      const std::vector<double> before = values(w);
      for (int t = 0; t < 3; ++t) optimizer->step(Gradients::from({{w, g}}));
      const std::vector<double> now = values(w);
      for (std::size_t i = 0; i < now.size(); ++i) {
        EXPECT_TRUE(std::isfinite(now[i])) << i;
        EXPECT_EQ(now[i] == before[i], i % 3 == 0) << i;
      }
    }
  };
  for (const bool inside : {false, true}) {
    check([&](const Parameters& p) { return std::make_unique<optim::Adagrad>(p, AdagradOptions{.eps = 0, .eps_inside_root = inside}); });
    for (const double momentum : {0.0, 0.5})
      check([&](const Parameters& p) {
        return std::make_unique<optim::RMSProp>(p, RMSPropOptions{.eps = 0, .eps_inside_root = inside, .momentum = momentum});
      });
  }
  for (const char* spec : {"adam", "adam amsgrad=1", "adamw weight_decay=0", "adamax", "nadam", "radam beta2=0.9", "adabelief eps_root=0",
                           "yogi initial_accumulator=0"})
    check([&](const Parameters& p) { return optim::make(std::string(spec) + " eps=0", p); });
}

// A gradient that does not vary makes v - a^2 vanish, and rounding may leave it below 0: it counts as 0, the root is eps.
TEST(Rules, TakeAVarianceBelowZeroAsZero) {
  for (const DType dtype : {DType::f32, DType::f64})
    for (const double momentum : {0.0, 0.5}) {
      Tensor w = parameter(zeros({50}, dtype)), g = wobbles({50}, 30, dtype);
      optim::RMSProp optimizer(Parameters{{"w", w}}, RMSPropOptions{.lr = 1e-3, .alpha = 0.5, .momentum = momentum, .centered = true});
      for (int t = 0; t < 100; ++t) optimizer.step(Gradients::from({{w, g}}));
      bool below = false;
      const TensorMap state = optimizer.state();
      const std::vector<double> v = values(state["w/square_avg"]), a = values(state["w/grad_avg"]), now = values(w);
      for (std::size_t i = 0; i < now.size(); ++i) {
        EXPECT_TRUE(std::isfinite(now[i])) << i;
        below = below ||
                (dtype == DType::f32 ? static_cast<float>(v[i]) < static_cast<float>(a[i]) * static_cast<float>(a[i]) : v[i] < a[i] * a[i]);
      }
      EXPECT_TRUE(below) << "the case that this is about must occur";
    }
}

// Told not to look for NaN, a rule must not spread it either: its elements stay, the others move.
TEST(Rules, LeaveWhatNaNWouldMove) {
  for (const Row& row : rows())
    for (Settings settings : row.all) {
      for (const bool with_eps : {true, false}) {
        if (!with_eps)
          for (auto& [option, value] : settings)
            if (option == "eps") value = 0;
        if (!with_eps && row.whole) continue;
        Tensor w = parameter(zeros(row.shape(20)));
        const auto optimizer = row.build(Parameters{{"w", w}}, settings);
        optimizer->set_check_finite(false);
        Tensor g = ones(row.shape(20));
        g.data<float>()[3] = g.data<float>()[18] = NAN;
        optimizer->step(Gradients::from({{w, g}}));
        const std::vector<double> now = values(w);
        for (std::size_t i = 0; i < now.size(); ++i) {
          EXPECT_TRUE(std::isfinite(now[i])) << row.name << " " << i;
          if (i == 3 || i == 18) {
            EXPECT_EQ(now[i], 0) << row.name << " " << i;
          } else if (!row.whole && row.name != "adadelta") {
            EXPECT_NE(now[i], 0) << row.name << " " << i;
          }
        }
      }
    }
}

// First steps of the six dialects at |g| = 1e-6 differ by a factor of 316,000, as the options' comment says.
TEST(Rules, DialectsDifferAsTheCommentSays) {
  const auto first_step = [](const AdagradOptions& o) {
    Tensor w = parameter(zeros({1}, DType::f64));
    optim::Adagrad(Parameters{{"w", w}}, o).step(Gradients::from({{w, full({1}, 1e-6, DType::f64)}}));
    return -w.item();
  };
  const double largest = std::max({first_step(AdagradOptions::torch(0.1)), first_step(AdagradOptions::mlx(0.1)),
                                   first_step(AdagradOptions::dynet(0.1)), first_step(AdagradOptions::d2l(0.1))});
  const double least = std::min(first_step(AdagradOptions::optax(0.1)), first_step(AdagradOptions::keras(0.1)));
  EXPECT_NEAR(largest / least, 316000, 500);
}

// NAdam's product of momenta is kept from one call to the next: whoever asks, in whatever order, gets the same bits.
TEST(Rules, OfNAdamKnowTheirProductInAnyOrder) {
  const optim::NAdamOptions a, b{.beta1 = 0.5, .momentum_decay = 0.1};
  const auto product = [](const optim::NAdamOptions& o, std::int64_t t) {
    double p = 1;
    for (std::int64_t k = 1; k <= t; ++k) p *= optim::NAdam::look_ahead(o, k);
    return p > 1e-20 ? p : 0;
  };
  for (const std::int64_t t : {5, 1, 2, 2, 30, 29, 3, 40, 41})
    for (const optim::NAdamOptions& o : {a, b}) EXPECT_EQ(optim::NAdam::look_ahead_product(o, t), product(o, t)) << t;
  EXPECT_EQ(optim::NAdam::look_ahead_product(a, 1000000), 0);  // below anything that 1 - M would feel
  EXPECT_EQ(optim::NAdam::look_ahead_product(a, 1000001), 0);
  EXPECT_EQ(optim::NAdam::look_ahead_product(a, 7), product(a, 7));
  EXPECT_EQ(optim::NAdam::look_ahead_product({.beta1 = 0}, 3), 0);
}
