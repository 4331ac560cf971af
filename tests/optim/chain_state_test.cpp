#include <capstan/optim/chain.h>

#include <cmath>

#include "chain.h"

using namespace capstan;
using namespace optim::transform;

// A chain's numbers, state, explanation and refusals.

namespace {

/// One of everything that remembers something.
optim::Transform everything() {
  return chain(skip_nonfinite(3), accumulate(2), clip_by_global_norm(optim::schedule::linear(1, 0.5, 10)),
               partition({{"v", chain(scale_by_stddev({.initial_scale = 0.5}), scale_by_lion())},
                          {"*", chain(scale_by_rss(), scale_by_rms(), trace(0.9, true))}}),
               scale_by_adam({.nesterov = true}), add_decayed_weights(1e-2), scale_by_learning_rate(optim::schedule::linear(0.1, 0, 20)));
}

std::string all_bits(const Pair& pair, const optim::Optimizer& optimizer) { return bits(pair.parameters) + bits(optimizer.state()); }

}  // namespace

TEST(ChainState, GoesOnToTheBit) {
  for (const DType dtype : {DType::f64, DType::f32})
    for (const int before : {0, 1, 2, 5, 8}) {
      Pair run(dtype), other(dtype);
      optim::Chain first(run.parameters, everything()), second(other.parameters, everything());
      for (int t = 0; t < before; ++t) first.step(run.gradients(t));
      for (int t = 0; t < 3; ++t) second.step(other.gradients(70 + t));
      const TensorMap state = first.state();
      const std::string same = bits(state);
      second.load_state(state);
      EXPECT_EQ(bits(second.state()), same);
      for (const auto& [name, w] : run.parameters) Tensor(other.parameters[name]).assign(w);
      for (int t = before; t < before + 6; ++t) {
        first.step(run.gradients(t));
        second.step(other.gradients(t));
        ASSERT_EQ(all_bits(other, second), all_bits(run, first)) << before << " " << t;
      }
      EXPECT_EQ(bits(state), same);  // a deep copy, taken back as one
    }
}

// Whoever changes a state in place changes nothing of the chain, nor of one that took it.
TEST(ChainState, IsADeepCopyBothWays) {
  Pair pair(DType::f64);
  optim::Chain first(pair.parameters, everything()), second(pair.parameters, everything());
  for (int t = 0; t < 4; ++t) first.step(pair.gradients(t));
  const TensorMap given = first.state();
  const std::string same = bits(given);
  second.load_state(given);
  for (const auto& [name, t] : given)
    if (t.dtype() == DType::f64) Tensor(t) += 1;
  EXPECT_NE(bits(given), same);
  EXPECT_EQ(bits(first.state()) == same, true);
  EXPECT_EQ(bits(second.state()) == same, true);
}

TEST(ChainState, NamesWhatItHolds) {
  Pair pair(DType::f64);
  optim::Chain by_chain(pair.parameters, chain(accumulate(2), partition({{"v", chain(scale_by_rss(), scale_by_learning_rate(0.1))},
                                                                         {"*", scale_by_schedule([](auto) { return -1; })}})));
  EXPECT_EQ(names(by_chain.state()),
            "chain/0.accumulate/k chain/1.partition/0/0.scale_by_rss/initial_accumulator chain/1.partition/0/0.scale_by_rss/eps "
            "chain/1.partition/0/0.scale_by_rss/eps_in_sqrt chain/1.partition/0/1.scale_by_learning_rate/learning_rate chain/step w/step "
            "v/step chain/0.accumulate/done chain/0.accumulate/w/count chain/0.accumulate/v/count "
            "chain/1.partition/w/pattern chain/1.partition/v/pattern chain/1.partition/0/0.scale_by_rss/v/count "
            "chain/1.partition/1/0.scale_by_schedule/count");
  for (int t = 0; t < 3; ++t) by_chain.step(pair.gradients(t));
  const TensorMap state = by_chain.state();
  EXPECT_EQ(names(state),
            "chain/0.accumulate/k chain/1.partition/0/0.scale_by_rss/initial_accumulator chain/1.partition/0/0.scale_by_rss/eps "
            "chain/1.partition/0/0.scale_by_rss/eps_in_sqrt chain/1.partition/0/1.scale_by_learning_rate/learning_rate chain/step w/step "
            "v/step chain/0.accumulate/done chain/0.accumulate/w/count chain/0.accumulate/w/mean chain/0.accumulate/v/count "
            "chain/0.accumulate/v/mean chain/1.partition/w/pattern chain/1.partition/v/pattern chain/1.partition/0/0.scale_by_rss/v/count "
            "chain/1.partition/0/0.scale_by_rss/v/sum "
            "chain/1.partition/1/0.scale_by_schedule/count");
  const auto count = [&](const char* name) { return state[name].data<std::int64_t>()[0]; };
  EXPECT_EQ(count("chain/step"), 3);
  EXPECT_EQ(count("chain/0.accumulate/done"), 1);
  EXPECT_EQ(count("chain/1.partition/w/pattern"), 2);
  EXPECT_EQ(count("chain/1.partition/v/pattern"), 1);
  EXPECT_EQ(count("chain/1.partition/0/0.scale_by_rss/v/count"), 1);
  EXPECT_EQ(count("chain/1.partition/1/0.scale_by_schedule/count"), 1);
}

TEST(ChainState, RefusesAnotherWhole) {
  Pair pair(DType::f64);
  optim::Chain by_chain(pair.parameters, chain(scale_by_rss(), trace(0.5), scale_by_learning_rate(optim::schedule::constant(0.1))));
  by_chain.step(pair.gradients(1));
  const std::string before = all_bits(pair, by_chain);
  TensorMap state = without(by_chain.state(), "chain/0.scale_by_rss/w/sum", ones({3, 7}));
  state = without(state, "chain/0.scale_by_rss/v/sum");
  state = without(state, "chain/1.trace/v/trace", ones({2}, DType::f64));
  state = without(state, "chain/1.trace/w/count", tensor(-2, DType::i64));
  state = without(state, "chain/0.scale_by_rss/eps", tensor(1, DType::i64));
  state = without(state, "chain/2.scale_by_learning_rate/count");
  state = without(state, "w/step");
  state.insert("chain/3.clip/max_delta", ones({}, DType::f64));
  EXPECT_EQ(thrown([&] { by_chain.load_state(state); }), R"(ValueError: [chain] the state does not fit this optimizer:
  chain/0.scale_by_rss/eps: i64 [], wanted f64 []
  missing: w/step
  chain/0.scale_by_rss/w/sum: f32 [3, 7], wanted f64 [3, 7]
  missing: chain/0.scale_by_rss/v/sum
  chain/1.trace/w/count: a count must not be negative: -2
  chain/1.trace/v/trace: f64 [2], wanted f64 [19]
  missing: chain/2.scale_by_learning_rate/count
  unexpected: chain/1.trace/w/trace
  unexpected: chain/3.clip/max_delta)");
  EXPECT_EQ(thrown([&] { by_chain.load_state(without(by_chain.state(), "chain/1.trace/decay", full({}, -1, DType::f64))); }),
            "ValueError: [trace] decay must not be negative: -1");
  EXPECT_EQ(thrown([&] { by_chain.load_state(without(by_chain.state(), "chain/1.trace/nesterov", full({}, 0.5, DType::f64))); }),
            "ValueError: [trace] nesterov must be 0 or 1: 0.5");
  EXPECT_EQ(all_bits(pair, by_chain), before);
}

TEST(ChainState, KnowsItsPartsAndWhomTheyReach) {
  Pair pair(DType::f64);
  const auto state = [&](const optim::Transform& t) { return optim::Chain(pair.parameters, t).state(); };
  const auto load = [&](const optim::Transform& into, const optim::Transform& from) {
    optim::Chain by_chain(pair.parameters, into);
    const std::string before = bits(by_chain.state());
    const std::string text = thrown([&] { by_chain.load_state(state(from)); });
    EXPECT_EQ(bits(by_chain.state()), before);
    return text;
  };
  const auto split = [](const char* first) { return partition({{first, scale(-0.5)}, {"*", scale(-0.5)}}); };
  const std::string wrong = "ValueError: [chain] the state does not fit this optimizer:";
  EXPECT_EQ(load(split("v"), split("v")), "nothing");
  EXPECT_EQ(load(split("v"), split("w")),
            wrong + "\n  chain/0.partition/w/pattern: 1, wanted 2\n  chain/0.partition/v/pattern: 2, wanted 1");
  EXPECT_EQ(load(add_decayed_weights(0.1), add_decayed_weights(0.1, "w")),
            wrong + "\n  chain/0.add_decayed_weights/v/pattern: 0, wanted 1");
  EXPECT_EQ(load(set_to_zero(), scale_by_sign()),
            wrong + "\n  missing: chain/0.set_to_zero/place\n  unexpected: chain/0.scale_by_sign/place");
}

TEST(ChainState, RefusesAModelOfAnotherDtype) {
  Pair pair(DType::f64);
  const char* const text =
      "the state must have the parameter's dtype: 'w' is f32, its state f64 (convert the model first and make the "
      "optimizer then)";
  optim::Chain by_chain(pair.parameters, chain(scale_by_rss(), scale_by_learning_rate(0.1)));
  by_chain.step(pair.gradients(1));
  Tensor w = pair.parameters["w"], narrow = w.to(DType::f32);
  // As nn::Module::to() does it: the header points at another block.
  optim::Chain gathers(pair.parameters, chain(accumulate(2), scale_by_learning_rate(0.1)));
  gathers.step(pair.gradients(1));
  std::swap(w.header()->data, narrow.header()->data);
  std::swap(w.header()->dtype, narrow.header()->dtype);
  EXPECT_EQ(thrown([&] { by_chain.step(Gradients::from({{w, ones({3, 7})}})); }), std::string("ValueError: [chain] ") + text);
  EXPECT_EQ(thrown([&] {
              gathers.step(Gradients::from({{pair.parameters["v"], ones({19}, DType::f64)}}));
            }),
            std::string("ValueError: [chain] ") + text);
  std::swap(w.header()->data, narrow.header()->data);
  std::swap(w.header()->dtype, narrow.header()->dtype);
}

TEST(Chain, HasNumbersThatAreReadAndSet) {
  Pair pair(DType::f64);
  optim::Chain by_chain(pair.parameters, chain(clip_by_global_norm(1.0), trace(0.9, true),
                                               add_decayed_weights(optim::schedule::step(0.5, 1)), scale_by_learning_rate(0.1)));
  EXPECT_EQ(by_chain.numbers(), (std::vector<std::string>{"0.clip_by_global_norm/max_norm", "1.trace/decay", "1.trace/nesterov",
                                                          "2.add_decayed_weights/weight_decay", "3.scale_by_learning_rate/learning_rate"}));
  EXPECT_EQ(by_chain.lr(), 0.1);
  EXPECT_EQ(by_chain.number("1.trace/nesterov"), 1);
  EXPECT_EQ(by_chain.number("2.add_decayed_weights/weight_decay"), 0.5);
  by_chain.step(pair.gradients(1));
  EXPECT_NEAR(by_chain.number("2.add_decayed_weights/weight_decay"), 0.05, 1e-17);
  by_chain.set_lr(0);
  by_chain.set_number("1.trace/decay", 0.25);
  EXPECT_EQ(by_chain.lr(), 0);
  EXPECT_EQ(by_chain.number("1.trace/decay"), 0.25);
  const std::string before = all_bits(pair, by_chain);
  EXPECT_EQ(thrown([&] { by_chain.set_lr(-1); }), "ValueError: [scale_by_learning_rate] learning_rate must not be negative: -1");
  EXPECT_EQ(thrown([&] { by_chain.set_number("0.clip_by_global_norm/max_norm", 0); }),
            "ValueError: [clip_by_global_norm] max_norm must be above 0: 0");
  EXPECT_EQ(thrown([&] { by_chain.set_number("2.add_decayed_weights/weight_decay", 0.1); }),
            "ValueError: [chain] 2.add_decayed_weights/weight_decay follows a schedule: it cannot be set");
  EXPECT_EQ(thrown([&] { by_chain.number("1.trace/deca"); }),
            "ValueError: [chain] there is no option '1.trace/deca' among 0.clip_by_global_norm/max_norm, 1.trace/decay, 1.trace/nesterov, "
            "2.add_decayed_weights/weight_decay, 3.scale_by_learning_rate/learning_rate (did you mean '1.trace/decay'?)");
  EXPECT_EQ(all_bits(pair, by_chain), before);
  EXPECT_EQ(thrown([&] { optim::Chain(pair.parameters, scale(-0.1)).lr(); }),
            "ValueError: [chain] lr needs one scale_by_learning_rate: there are 0");
  EXPECT_EQ(thrown([&] { optim::Chain(pair.parameters, chain(scale_by_learning_rate(1), scale_by_learning_rate(1))).set_lr(1); }),
            "ValueError: [chain] lr needs one scale_by_learning_rate: there are 2 (number() and set_number() know "
            "0.scale_by_learning_rate/learning_rate, 1.scale_by_learning_rate/learning_rate)");
}

// What is set takes effect, as if the chain had been made with it.
TEST(Chain, StepsByTheNumbersThatWereSet) {
  Pair pair(DType::f64), other(DType::f64);
  optim::Chain set(pair.parameters, chain(trace(0.9), scale_by_learning_rate(0.1))),
      made(other.parameters, chain(trace(0.5), scale_by_learning_rate(0.3)));
  set.set_number("0.trace/decay", 0.5);
  set.set_lr(0.3);
  for (int t = 0; t < 3; ++t) {
    set.step(pair.gradients(t));
    made.step(other.gradients(t));
  }
  EXPECT_EQ(bits(pair.parameters), bits(other.parameters));
}

TEST(Chain, ServesSeveralOptimizersAndOutlivesItsTransform) {
  Pair one(DType::f64), two(DType::f64);
  auto transform = chain(trace(0.9), scale_by_learning_rate(0.1));
  optim::Chain first(one.parameters, transform), second(two.parameters, transform);
  transform = scale(1);
  first.step(one.gradients(1));
  EXPECT_NE(bits(one.parameters), bits(two.parameters));
  second.step(two.gradients(1));
  EXPECT_EQ(bits(one.parameters), bits(two.parameters));
}

TEST(Chain, ExplainsItself) {
  Pair pair(DType::f64);
  optim::Chain by_chain(pair.parameters, chain(everything(), stateless("half", [](const Tensor& u, const Tensor&) { return 0.5 * u; })));
  for (int t = 0; t < 4; ++t) by_chain.step(pair.gradients(t));
  EXPECT_EQ(by_chain.explain(), R"(chain: u <- g
  0.skip_nonfinite: what follows rests while the loss or u is not finite, for 3 steps in a row at most
  1.accumulate: u <- the mean of u over 2 steps; what follows rests in between
  2.clip_by_global_norm: u <- u*min(1, max_norm(t)/|u|), |u| over all parameters, max_norm(2) = 0.9
  3.partition: by the parameter's name
    v
      3.partition/0/0.scale_by_stddev: v <- 0.9*v + (1 - 0.9)*u^2 (from 0.5), a <- 0.9*a + (1 - 0.9)*u, u <- u/sqrt(v - a^2 + 1e-08)
      3.partition/0/1.scale_by_lion: d <- sign(0.9*m + (1 - 0.9)*u), m <- 0.99*m + (1 - 0.99)*u, u <- d
    *
      3.partition/1/0.scale_by_rss: s <- s + u^2 (from 0.1), u <- u/sqrt(s + 1e-07)
      3.partition/1/1.scale_by_rms: v <- 0.9*v + (1 - 0.9)*u^2 (from 0), u <- u/sqrt(v + 1e-08)
      3.partition/1/2.trace: m <- 0.9*m + u, u <- u + 0.9*m
  4.scale_by_adam: m <- 0.9*m + (1 - 0.9)*u, v <- 0.999*v + (1 - 0.999)*u^2, u <- (0.9*m/(1 - 0.9^(t + 1)) + (1 - 0.9)*u/(1 - 0.9^t))/(sqrt(v/(1 - 0.999^t)) + 1e-08)
  5.add_decayed_weights: u <- u + 0.01*w
  6.scale_by_learning_rate: u <- -learning_rate(t)*u, learning_rate(2) = 0.09
  7.half: u <- half(u, w)
  w <- w + u
  2 parameters, 40 elements, 1920 bytes of state
  a row-sparse gradient moves every row)");
}

TEST(Chain, TakesAFunctionOfTheUsersOwn) {
  Pair pair(DType::f64), plain(DType::f64);
  const auto lr = scale_by_learning_rate(0.1);
  const auto with = [&](auto f) { return optim::Chain(pair.parameters, chain(stateless("own", f), lr)); };
  optim::Chain clipped(plain.parameters, chain(clip(0.3), lr));
  clipped.step(plain.gradients(1));
  with([](const Tensor& u, const Tensor&) { return clamp(u, -0.3, 0.3); }).step(pair.gradients(1));
  EXPECT_EQ(bits(pair.parameters), bits(plain.parameters));
  {
    Tensor a = parameter(ones({2})), b = parameter(ones({2}));  // whose update is the other's value before the step
    optim::Chain swapped(Parameters{{"a", a}, {"b", b}},
                         stateless("other", [&](const Tensor&, const Tensor& w) { return w.header() == a.header() ? b : a; }));
    swapped.step(Gradients::from({{a, ones({2})}, {b, ones({2})}}));
    EXPECT_EQ(values(a), (std::vector<double>{2, 2}));
    EXPECT_EQ(values(b), (std::vector<double>{2, 2}));
  }
  const std::string before = bits(pair.parameters);
  EXPECT_EQ(thrown([&] { with([](const Tensor&, const Tensor&) { return ones({2}); }).step(pair.gradients(1)); }),
            "ValueError: [chain] 0.own: an update must have its parameter's shape and dtype: f32 [2] for 'w', which is f64 [3, 7]");
  EXPECT_EQ(thrown([&] {
              with([](const Tensor& u, const Tensor& w) { return w.dim() == 1 ? throw ValueError("no") : u; }).step(pair.gradients(1));
            }),
            "ValueError: no");
  EXPECT_EQ(bits(pair.parameters), before);
  with([](const Tensor&, const Tensor& w) { return w; }).step(pair.gradients(1));
  Tensor w = plain.parameters["w"];
  w -= 0.1 * w.clone();
  EXPECT_EQ(bits(pair.parameters["w"]), bits(w));
  EXPECT_EQ(thrown([] { stateless("two words", [](const Tensor& u, const Tensor&) { return u; }); }),
            "ValueError: [stateless] a name must be one word without '/': 'two words'");
}
