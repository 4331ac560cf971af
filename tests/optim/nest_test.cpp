#include <capstan/optim/adam.h>
#include <capstan/optim/average.h>
#include <capstan/optim/chain.h>
#include <capstan/optim/inject.h>
#include <capstan/optim/lookahead.h>
#include <capstan/optim/sam.h>
#include <capstan/optim/sgd.h>

#include <cmath>
#include <memory>

#include "support.h"

using namespace capstan;

// Wrappers around wrappers: they step as each of them says, and are saved and loaded as one.

namespace {

namespace schedule = optim::schedule;

struct Training {
  Tensor w, v;
  optim::SGD sgd;

  explicit Training(DType dtype = DType::f64)
      : w(parameter(wobbles({2, 9}, 0, dtype))),
        v(parameter(wobbles({5}, 40, dtype))),
        sgd(Parameters{{"w", w}, {"v", v}}, {.lr = 0.1, .momentum = 0.5}) {}
  Gradients gradients(int t) const {
    Tape tape;
    return tape.gradients(sum(0.5 * square(w - wobbles({2, 9}, 7 * t, w.dtype()))) + sum(v * wobbles({5}, 30 + 11 * t, v.dtype())));
  }
  std::string weights() const { return bits(w) + bits(v); }
};

/// A nest of wrappers around an optimizer of the training's parameters.
struct Nest {
  std::unique_ptr<optim::Optimizer> optimizer;
  std::vector<std::unique_ptr<optim::Wrapper>> wrappers = {};

  template <class Kind, class... Options>
  Nest around(Options... options) && {
    wrappers.push_back(wrappers.empty() ? std::make_unique<Kind>(*optimizer, options...)
                                        : std::make_unique<Kind>(*wrappers.back(), options...));
    return std::move(*this);
  }
  optim::Wrapper& outermost() const { return *wrappers.back(); }
};

const std::vector<optim::Injection> rising = {{"lr", schedule::linear(0.02, 0.1, 6)}};

std::vector<Nest (*)(const Training&)> nests() {
  using optim::LookaheadOptions;
  static constexpr auto adam = [](const Training& run) {
    return Nest{std::make_unique<optim::Adam>(Parameters{{"w", run.w}, {"v", run.v}})};
  };
  return {
      [](const Training& run) {
        return adam(run).around<optim::Lookahead>(LookaheadOptions{.period = 2}).around<optim::Lookahead>(LookaheadOptions{.period = 3});
      },
      [](const Training& run) { return adam(run).around<optim::Inject>(rising).around<optim::SAM>().around<optim::Lookahead>(); },
      [](const Training& run) {
        return adam(run)
            .around<optim::Lookahead>(LookaheadOptions{.period = 3})
            .around<optim::SAM>()
            .around<optim::Inject>(rising)
            .around<optim::Lookahead>(LookaheadOptions{.period = 2, .alpha = 0.75});
      },
      [](const Training& run) {
        using namespace optim::transform;
        return Nest{std::make_unique<optim::Chain>(Parameters{{"w", run.w}, {"v", run.v}},
                                                   chain(trace(0.9), scale_by_learning_rate(schedule::cosine(0.1, 20))))}
            .around<optim::Inject>(std::vector<optim::Injection>{{"0.trace/decay", schedule::linear(0.5, 0.9, 7)}})
            .around<optim::Lookahead>(LookaheadOptions{.period = 2})
            .around<optim::Lookahead>();
      }};
}

}  // namespace

TEST(Nests, TwoLookaheadsFollowEachOther) {
  Training run, by_hand;
  optim::Lookahead inner(run.sgd, {.period = 2, .alpha = 0.25}), outer(inner, {.period = 3, .alpha = 0.5});
  struct Weights {
    Tensor fast, slow, slower;
  };
  std::vector<Weights> all;
  for (const Tensor& t : {by_hand.w, by_hand.v}) all.push_back({t, t.clone(), t.clone()});
  for (int t = 1; t <= 12; ++t) {
    EXPECT_EQ(outer.step(run.gradients(t)), by_hand.gradients(t).loss());
    by_hand.sgd.step(by_hand.gradients(t));
    const NoGrad pause;
    for (Weights& k : all) {
      if (t % 2 == 0) k.fast.assign(k.slow += 0.25 * (k.fast - k.slow));
      if (t % 3 == 0) k.fast.assign(k.slower += 0.5 * (k.fast - k.slower));
    }
    EXPECT_EQ(run.weights(), by_hand.weights()) << t;
  }
  EXPECT_EQ(&outer.optimizer(), &run.sgd);
}

TEST(Nests, SAMStandsOnEitherSideOfLookahead) {
  for (const DType dtype : {DType::f32, DType::f64}) {
    Training run(dtype), other(dtype);
    optim::SAM inside(run.sgd);
    optim::Lookahead around_sam(inside, {.period = 2}), inside_sam(other.sgd, {.period = 2});
    optim::SAM around_lookahead(inside_sam);
    for (int t = 0; t < 7; ++t) {
      int calls = 0;
      const double loss = around_sam.step([&] {
        ++calls;
        return run.gradients(t);
      });
      EXPECT_EQ(calls, 2);
      EXPECT_EQ(around_lookahead.step([&] { return other.gradients(t); }), loss);
      EXPECT_EQ(run.weights(), other.weights()) << t;
    }
  }
}

TEST(Nests, WithoutSAMCallTheFunctionOnce) {
  Training run, other;
  optim::Lookahead by_function(run.sgd), by_gradients(other.sgd);
  int calls = 0;
  for (int t = 0; t < 6; ++t) {
    const double loss = by_function.step([&] {
      ++calls;
      return run.gradients(t);
    });
    EXPECT_EQ(by_gradients.step(other.gradients(t)), loss);
  }
  EXPECT_EQ(calls, 6);
  EXPECT_EQ(run.weights(), other.weights());
}

TEST(Nests, NameWhatEachKeeps) {
  Training run;
  optim::Lookahead first(run.sgd);
  optim::Inject second(first, rising);
  optim::Lookahead third(second);
  EXPECT_EQ(names(third.state()), names(run.sgd.state()) +
                                      " lookahead/step lookahead/slow/w lookahead/slow/v lookahead/inject/step"
                                      " lookahead/inject/lookahead/step lookahead/inject/lookahead/slow/w"
                                      " lookahead/inject/lookahead/slow/v");
  optim::Lookahead around(first);
  EXPECT_EQ(names(around.state()), names(run.sgd.state()) +
                                       " lookahead/step lookahead/slow/w lookahead/slow/v lookahead/lookahead/step"
                                       " lookahead/lookahead/slow/w lookahead/lookahead/slow/v");
  optim::EMA ema(run.sgd.parameters());
  optim::SWA swa(run.sgd.parameters());
  ema.update();
  swa.update();
  TensorMap all = around.state();  // in one file
  for (const TensorMap& more : {ema.state(), swa.state()})
    for (const auto& entry : more) all.insert(entry.name, entry.tensor);
  EXPECT_TRUE(all.contains("ema/average/v") && all.contains("swa/count"));
}

TEST(Nests, GoOnFromTheirState) {
  for (const auto make : nests())
    for (const DType dtype : {DType::f32, DType::f64})
      for (const int before : {0, 1, 3, 6}) {
        Training run(dtype), other(dtype);
        const Nest nest = make(run), resumed = make(other);
        const auto advance = [](const Training& training, const Nest& n, int t) {
          n.outermost().step([&] { return training.gradients(t); });
        };
        for (int t = 0; t < before; ++t) advance(run, nest, t);
        for (int t = 0; t < 2; ++t) advance(other, resumed, 50 + t);
        const TensorMap state = nest.outermost().state();
        const std::string same = bits(state);
        resumed.outermost().load_state(state);
        other.w.assign(run.w);
        other.v.assign(run.v);
        for (int t = before; t < before + 7; ++t) {
          EXPECT_EQ(bits(resumed.outermost().state()), bits(nest.outermost().state())) << t;
          advance(run, nest, t);
          advance(other, resumed, t);
          EXPECT_EQ(other.weights(), run.weights()) << t;
        }
        EXPECT_EQ(bits(state), same);  // a deep copy
      }
}

TEST(Nests, ListEveryMismatchAndRefuseTheWhole) {
  Training run;
  optim::Lookahead first(run.sgd);
  optim::Inject second(first, rising);
  optim::Lookahead third(second);
  for (int t = 0; t < 3; ++t) third.step(run.gradients(t));
  const std::string before = run.weights() + bits(third.state());
  TensorMap state = without(third.state(), "lookahead/step");
  state = without(state, "lookahead/slow/v", ones({5}));
  state = without(state, "lookahead/inject/step", tensor(-1, DType::i64));
  state = without(without(state, "lookahead/inject/lookahead/slow/w"), "w/momentum");
  state.insert("lookahead/lookahead/step", tensor(1, DType::i64));
  EXPECT_EQ(thrown([&] { third.load_state(state); }), R"(ValueError: [lookahead] the state does not fit:
  missing: lookahead/step
  lookahead/slow/v: f32 [5], wanted f64 [5]
  lookahead/inject/step: a count must not be negative: -1
  missing: lookahead/inject/lookahead/slow/w
  missing: w/momentum
  unexpected: lookahead/lookahead/step)");
  EXPECT_EQ(thrown([&] { third.load_state(without(third.state(), "sgd/lr", full({}, -1, DType::f64))); }),
            "ValueError: [sgd] lr must not be negative: -1");
  EXPECT_EQ(run.weights() + bits(third.state()), before);
}

TEST(Nests, ChangeNothingWhenAStepIsRefused) {
  Training run;
  optim::Inject first(run.sgd, rising);
  optim::Lookahead second(first, {.period = 1});
  optim::Lookahead third(second, {.period = 1});
  optim::SAM sam(third);
  optim::Lookahead outermost(sam, {.period = 1});
  outermost.step([&] { return run.gradients(0); });
  const auto everything = [&] { return run.weights() + bits(outermost.state()) + std::to_string(run.sgd.lr()); };
  const std::string before = everything();
  EXPECT_EQ(thrown([&] { outermost.step(run.gradients(1)); }),
            "ValueError: [sam] the gradients are wanted at two places: step() was given some (give it a function that computes them)");
  EXPECT_EQ(everything(), before);
  EXPECT_EQ(thrown([&] { third.step(Gradients()); }),
            "ValueError: [sgd] none of the 2 parameters has a gradient (were they made from this optimizer's model?)");
  EXPECT_EQ(everything(), before);
  EXPECT_EQ(thrown([&] { outermost.step([]() -> Gradients { throw ValueError("the batch is gone"); }); }), "ValueError: the batch is gone");
  EXPECT_EQ(everything(), before);
}

TEST(Nests, TakeInAParameterThatCameLater) {
  Training run;
  optim::Lookahead inner(run.sgd, {.period = 1, .alpha = 0.5}), outer(inner, {.period = 1, .alpha = 0.5});
  outer.step(run.gradients(0));
  Tensor late = parameter(full({1}, 4, DType::f64));
  run.sgd.add_parameters(Parameters{{"late", late}});
  outer.step(Gradients::from({{late, full({1}, 10, DType::f64)}}));  // 4 -> 3, half the way back, and half of that
  EXPECT_DOUBLE_EQ(late.item(), 3.75);
  EXPECT_DOUBLE_EQ(outer.state()["lookahead/slow/late"].item(), 3.75);
  EXPECT_DOUBLE_EQ(outer.state()["lookahead/lookahead/slow/late"].item(), 3.5);
}

TEST(Nests, ExplainEachOfThem) {
  Training run;
  optim::Inject first(run.sgd, rising);
  optim::SAM second(first, {.rho = 0.25});
  optim::Lookahead third(second, {.period = 3});
  EXPECT_EQ(third.explain(),
            "lookahead: every 3 steps slow <- slow + 0.5*(w - slow), w <- slow\n"
            "  184 bytes of slow weights\n"
            "  Zhang et al., NeurIPS 2019, algorithm 1\n"
            "sam: e = 0.25*g(w)/|g(w)|, g <- g(w + e)\n"
            "  Foret et al., ICLR 2021, algorithm 1\n"
            "inject: lr(0) = 0.02\n" +
                run.sgd.explain());
}
