#include <capstan/optim/adagrad.h>
#include <capstan/optim/chain.h>
#include <capstan/optim/inject.h>
#include <capstan/optim/sgd.h>

#include <cmath>

#include "support.h"

using namespace capstan;

// Options that follow schedules, and an ordinary optimizer's rate that goes on after a load.

namespace {

namespace schedule = optim::schedule;

Gradients slope(const Tensor& w, int t) { return Gradients::from({{w, wobbles(w.shape(), 40 * t, w.dtype())}}); }

}  // namespace

TEST(Inject, LetsEachOptionFollowItsSchedule) {
  Tensor w = parameter(zeros({3}, DType::f64));
  optim::SGD sgd(Parameters{{"w", w}}, {.lr = 7, .momentum = 0.25});
  optim::Inject optimizer(sgd, {{"lr", schedule::exponential(0.5, 0.75)}, {"momentum", schedule::linear(0.5, 0.9, 4)}});
  EXPECT_EQ(sgd.lr(), 7);  // until the first step
  double at = 0, m = 0;
  for (int t = 0; t < 7; ++t) {
    EXPECT_EQ(optimizer.explain().substr(0, 14), "inject: lr(" + std::to_string(t) + ") ");
    optimizer.step(slope(w, t));
    const double momentum = 0.5 + 0.4 * std::min(t / 4.0, 1.0);
    m = momentum * m + wobble(40 * t);
    at -= 0.5 * std::pow(0.75, t) * m;
    EXPECT_NEAR(values(w)[0], at, 1e-14) << t;
    EXPECT_EQ(sgd.options().momentum, schedule::linear(0.5, 0.9, 4)(t));
  }
}

TEST(Inject, GivesTheBitsOfSetLr) {
  const optim::Schedule rate = schedule::cosine(0.3, 9);
  for (const DType dtype : {DType::f32, DType::f64}) {
    Tensor w = parameter(zeros({21}, dtype)), by_hand = parameter(zeros({21}, dtype));
    optim::Adagrad adagrad(Parameters{{"w", w}}), plain(Parameters{{"w", by_hand}});
    optim::Inject optimizer(adagrad, {{"lr", rate}});
    for (int t = 0; t < 12; ++t) {
      optimizer.step(slope(w, t));
      plain.set_lr(rate(t));
      plain.step(slope(by_hand, t));
      EXPECT_EQ(bits(w) + bits(adagrad.state()), bits(by_hand) + bits(plain.state()));
    }
  }
}

TEST(Inject, LeavesAGroupWhatItHasSet) {
  Tensor w = parameter(zeros({1}, DType::f64)), v = parameter(zeros({1}, DType::f64));
  optim::SGD sgd(Parameters{{"w", w}, {"v", v}}, {.lr = 1});
  sgd.group("v", [](auto& o) { o.lr = 0.5; });
  optim::Inject optimizer(sgd, {{"lr", schedule::constant(0.125)}});
  optimizer.step(Gradients::from({{w, ones({1}, DType::f64)}, {v, ones({1}, DType::f64)}}));
  EXPECT_EQ(w.item(), -0.125);
  EXPECT_EQ(v.item(), -0.5);
}

TEST(Inject, KnowsAChainsNumbers) {
  using namespace optim::transform;
  Tensor w = parameter(zeros({1}, DType::f64));
  optim::Chain chained(Parameters{{"w", w}}, chain(clip(1), scale_by_learning_rate(0.5)));
  optim::Inject optimizer(chained, {{"0.clip/max_delta", schedule::linear(2, 0.5, 1)}, {"lr", schedule::constant(0.25)}});
  for (int t = 0; t < 2; ++t) optimizer.step(Gradients::from({{w, full({1}, 8, DType::f64)}}));
  EXPECT_EQ(w.item(), -(2 * 0.25 + 0.5 * 0.25));
  EXPECT_EQ(thrown([&] { optim::Inject(chained, {{"0.clip/delta", schedule::constant(1)}}); }).substr(0, 12), "ValueError: ");
}

TEST(Inject, GoesOnFromItsState) {
  const std::vector<optim::Injection> injections = {{"lr", schedule::cosine(0.3, 9)}, {"momentum", schedule::linear(0, 0.9, 5)}};
  for (const int before : {0, 1, 4}) {
    Tensor w = parameter(zeros({21})), v = parameter(zeros({21}));
    optim::SGD one(Parameters{{"w", w}}), two(Parameters{{"w", v}}, {.lr = 3, .momentum = 0.5});
    optim::Inject run(one, injections), resumed(two, injections);
    for (int t = 0; t < before; ++t) run.step(slope(w, t));
    for (int t = 0; t < 2; ++t) resumed.step(slope(v, 30 + t));
    EXPECT_EQ(names(run.state()), names(one.state()) + " inject/step");
    resumed.load_state(run.state());
    v.assign(w);
    for (int t = before; t < before + 6; ++t) {
      run.step(slope(w, t));
      resumed.step(slope(v, t));
      EXPECT_EQ(bits(v) + bits(resumed.state()), bits(w) + bits(run.state())) << t;
    }
  }
}

TEST(Inject, RefusesWhatCannotBeAndChangesNothing) {
  Tensor w = parameter(zeros({2}));
  optim::SGD sgd(Parameters{{"w", w}}, {.lr = 0.5, .momentum = 0.5});
  const optim::Schedule one = schedule::constant(1);
  EXPECT_EQ(thrown([&] { optim::Inject(sgd, std::vector<optim::Injection>{}); }), "ValueError: [inject] needs at least one option");
  EXPECT_EQ(thrown([&] {
              optim::Inject(sgd, {{"momentun", one}});
            }),
            "ValueError: [sgd] there is no option 'momentun' among lr, momentum, dampening, nesterov, weight_decay (did you mean "
            "'momentum'?)");
  EXPECT_EQ(thrown([&] {
              optim::Inject(sgd, {{"lr", one}, {"momentum", one}, {"lr", one}});
            }),
            "ValueError: [inject] an option must come once: 'lr'");

  const auto expect_refused = [&](const std::vector<optim::Injection>& injections, const std::string& text) {
    optim::Inject optimizer(sgd, injections);
    optimizer.step(slope(w, 0));
    sgd.set_lr(0.125);
    const std::string before = bits(w) + bits(optimizer.state());
    EXPECT_EQ(thrown([&] { optimizer.step(slope(w, 1)); }), "ValueError: " + text);
    EXPECT_EQ(bits(w) + bits(optimizer.state()), before);  // lr and momentum among it
  };
  const optim::Schedule sinking = [](std::int64_t t) { return t == 0 ? 0.5 : -1.0; };
  expect_refused({{"momentum", schedule::exponential(0.5, 0.5)}, {"lr", sinking}}, "[sgd] lr must not be negative: -1");
  const optim::Schedule half_on = [](std::int64_t t) { return t == 0 ? 1.0 : 0.5; };
  expect_refused({{"nesterov", half_on}}, "[sgd] nesterov must be 0 or 1: 0.5");

  optim::Inject optimizer(sgd, {{"lr", schedule::exponential(1, 0.5)}});
  const std::string before = bits(w) + bits(optimizer.state());
  EXPECT_NE(thrown([&] { optimizer.step(Gradients()); }), "nothing");
  EXPECT_EQ(bits(w) + bits(optimizer.state()), before);
  EXPECT_EQ(thrown([&] { optimizer.load_state(sgd.state()); }), "ValueError: [inject] the state does not fit:\n  missing: inject/step");
}

TEST(Schedules, GoOnByTheOptimizersSteps) {
  const optim::Schedule rate = schedule::warm_up(schedule::cosine(0.3, 6), 3);
  Tensor w = parameter(zeros({5}, DType::f64)), v = parameter(zeros({5}, DType::f64));
  optim::SGD run(Parameters{{"w", w}}), resumed(Parameters{{"w", v}});
  const auto advance = [&](optim::SGD& sgd, const Tensor& at, int t) {
    sgd.set_lr(rate(sgd.step_count()));
    sgd.step(slope(at, t));
    return sgd.lr();
  };
  for (int t = 0; t < 4; ++t) EXPECT_EQ(advance(run, w, t), rate(t));
  EXPECT_EQ(thrown([&] { run.step(Gradients()); }).substr(0, 10), "ValueError");
  EXPECT_EQ(run.step_count(), 4);  // a refused one does not count
  resumed.load_state(run.state());
  v.assign(w);
  EXPECT_EQ(resumed.step_count(), 4);
  for (int t = 4; t < 10; ++t) {
    EXPECT_EQ(advance(resumed, v, t), rate(t));
    advance(run, w, t);
    EXPECT_EQ(bits(v), bits(w));
  }
}
