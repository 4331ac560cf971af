#include <capstan/optim/chain.h>
#include <capstan/optim/make.h>

#include "failure.h"

// Optimizers, chains, wrappers and averages when there is no memory.

namespace {

/// An optimizer after some steps, and the gradients of its next one.
struct Training {
  explicit Training(const std::string& spec, int steps, DType dtype) : w(parameters(dtype)), optimizer(optim::make(spec, w)) {
    for (int i = 0; i < steps; ++i) optimizer->step(gradients_of(w));
    g = gradients_of(w);
  }
  Parameters w;
  std::unique_ptr<optim::Optimizer> optimizer;
  Gradients g;
};

std::string show_training(Training& t) { return bits(t.w) + bits(t.optimizer->state()) + std::to_string(t.optimizer->step_count()); }

}  // namespace

TEST(AllocationFails, StepsOfEveryMethod) {
  for (const std::string& method : optim::methods())
    for (const int steps : {0, 2}) {
      const std::string what = method + " after " + std::to_string(steps);
      SCOPED_TRACE(what);
      const auto make = [&] { return std::make_unique<Training>(method + " lr=0.001", steps, steps == 0 ? DType::f32 : DType::f64); };
      expect_all_or_nothing(
          what + ": step", make, [](Training& t) { t.optimizer->step(t.g); }, show_training);
      if (HasFatalFailure()) break;
    }
}

TEST(AllocationFails, WhatAnOptimizerDoesBesides) {
  for (const std::string& method : optim::methods()) {
    SCOPED_TRACE(method);
    const auto make = [&] { return std::make_unique<Training>(method + " lr=0.001", 1, DType::f32); };
    expect_all_or_nothing(
        method + ": state and load_state", make,
        [](Training& t) {
          const TensorMap state = t.optimizer->state();
          t.optimizer->load_state(state);
        },
        show_training);
    expect_all_or_nothing(
        method + ": add_parameters", make,
        [](Training& t) {
          t.optimizer->add_parameters(Parameters{{"a name that is too long to lie in the string itself", parameter(ones({2, 40}))},
                                                 {"another name that is as long as the others are", parameter(ones({3, 7}))}});
        },
        show_training);
    if (HasFatalFailure()) return;
  }
}

TEST(AllocationFails, Chains) {
  struct State {
    State()
        : w(parameters()),
          chain(w, optim::transform::chain(optim::transform::clip_by_global_norm(1.0), optim::transform::scale_by_adam({}),
                                           optim::transform::add_decayed_weights(1e-2), optim::transform::scale_by_learning_rate(0.1))) {
      g = gradients_of(w);
    }
    Parameters w;
    optim::Chain chain;
    Gradients g;
  };
  expect_all_or_nothing(
      "chain", [] { return std::make_unique<State>(); }, [](State& s) { s.chain.step(s.g); },
      [](State& s) { return bits(s.w) + bits(s.chain.state()); });
}

TEST(AllocationFails, Wrappers) {
  struct State {
    Parameters w = parameters();
    optim::SGD sgd{w, {.lr = 0.01, .momentum = 0.5}};
    optim::Inject inject{sgd, {{"momentum", optim::schedule::linear(0.5, 0.9, 900)}}};
    optim::SAM sam{inject};
    optim::Lookahead optimizer{sam, {.period = 1}};
  };
  const auto show = [](State& s) { return bits(s.w) + bits(s.optimizer.state()); };
  const auto make = [] { return std::make_unique<State>(); };
  expect_all_or_nothing(
      "wrappers", make, [](State& s) { s.optimizer.step([&] { return gradients_of(s.w); }); }, show);
  expect_all_or_nothing(
      "state and load_state", make,
      [](State& s) {
        const TensorMap state = s.optimizer.state();
        s.optimizer.load_state(state);
      },
      show);
}

TEST(AllocationFails, Averages) {
  struct State {
    Parameters w = parameters();
    optim::EMA ema{w, {.decay = 0.9}};
  };
  const auto show = [](State& s) {
    const bool swapped = s.ema.swapped();
    if (swapped) s.ema.swap();
    const std::string all = (swapped ? "swapped" : "") + bits(s.w) + bits(s.ema.state());
    if (swapped) s.ema.swap();
    return all;
  };
  const auto first = [] { return std::make_unique<State>(); };
  const auto second = [] {
    auto s = std::make_unique<State>();
    s->ema.update();
    const NoGrad pause;
    for (const auto& [name, t] : s->w) {
      Tensor w = t;
      w *= 2;
    }
    return s;
  };
  expect_all_or_nothing(
      "the first update", first, [](State& s) { s.ema.update(); }, show);
  expect_all_or_nothing(
      "the second update", second, [](State& s) { s.ema.update(); }, show);
  expect_all_or_nothing(
      "state and load_state", second,
      [](State& s) {
        const TensorMap state = s.ema.state();
        s.ema.load_state(state);
      },
      show);
  // swap() asks for nothing.
  const auto s = second();
  const std::string before = show(*s);
  arm(1);
  s->ema.swap();
  EXPECT_EQ(disarm(), 0);
  s->ema.swap();
  EXPECT_EQ(show(*s) == before, true);
}
