#include <capstan/optim/adagrad.h>
#include <capstan/optim/average.h>
#include <capstan/optim/lookahead.h>
#include <capstan/optim/sam.h>

#include "wrapped.h"

// Lookahead, EMA and SWA.

TEST(Lookahead, IsThePapersAlgorithm) {
  const auto cases = read_cases("wrappers.txt");
  const std::pair<const char*, optim::LookaheadOptions> all[] = {
      {"lookahead", {}}, {"lookahead_3", {.period = 3, .alpha = 0.8}}, {"lookahead_1", {.period = 1, .alpha = 0.3}}};
  for (const DType dtype : {DType::f64, DType::f32})
    for (const auto& [name, options] : all) {
      Training run(dtype);
      optim::Lookahead lookahead(run.sgd, options);
      int t = 0;
      for (const std::vector<double>& want : cases.at(name)) {
        lookahead.step(gradients_at(run.w, ++t));
        expect_near(run.w, want, name + std::to_string(t));
      }
      EXPECT_EQ(t, 50);
    }
}

TEST(Lookahead, GoesOnFromItsState) {
  for (const int before : {0, 1, 4, 5, 7}) {
    Training run, other;
    optim::Lookahead lookahead(run.sgd, {.period = 3}), resumed(other.sgd, {.period = 3});
    for (int t = 0; t < before; ++t) lookahead.step(gradients_at(run.w, t));
    for (int t = 0; t < 2; ++t) resumed.step(gradients_at(other.w, 50 + t));
    EXPECT_EQ(names(lookahead.state()), names(run.sgd.state()) + " lookahead/step lookahead/slow/w");
    resumed.load_state(lookahead.state());
    other.w.assign(run.w);
    for (int t = before; t < before + 8; ++t) {
      lookahead.step(gradients_at(run.w, t));
      resumed.step(gradients_at(other.w, t));
      EXPECT_EQ(bits(other.w) + bits(resumed.state()), bits(run.w) + bits(lookahead.state()));
    }
    const TensorMap state = lookahead.state();  // a deep copy
    const std::string same = bits(state);
    for (int t = 0; t < 3; ++t) lookahead.step(gradients_at(run.w, t));
    EXPECT_EQ(bits(state), same);
  }
}

TEST(Lookahead, RefusesAStateThatDoesNotFit) {
  Training run;
  optim::Lookahead lookahead(run.sgd);
  lookahead.step(gradients_at(run.w, 1));
  const std::string before = bits(lookahead.state());
  TensorMap state = without(lookahead.state(), "lookahead/step", tensor(-2, DType::i64));
  state = without(state, "lookahead/slow/w", ones({6}));
  state.insert("lookahead/slow/v", ones({6}));
  EXPECT_EQ(thrown([&] { lookahead.load_state(state); }), R"(ValueError: [lookahead] the state does not fit:
  lookahead/step: a count must not be negative: -2
  lookahead/slow/w: f32 [6], wanted f64 [6]
  unexpected: lookahead/slow/v)");
  EXPECT_EQ(thrown([&] { lookahead.load_state(run.sgd.state()); }),
            "ValueError: [lookahead] the state does not fit:\n  missing: lookahead/step\n  missing: lookahead/slow/w");
  EXPECT_EQ(thrown([&] { lookahead.load_state(without(lookahead.state(), "w/momentum")); }),
            "ValueError: [lookahead] the state does not fit:\n  missing: w/momentum");
  EXPECT_EQ(bits(lookahead.state()), before);
}

TEST(Lookahead, TakesInAParameterThatCameLater) {
  Training run;
  optim::Lookahead lookahead(run.sgd, {.period = 2, .alpha = 0.5});
  lookahead.step(gradients_at(run.w, 1));
  Tensor late = parameter(full({1}, 4, DType::f64));
  run.sgd.add_parameters(Parameters{{"late", late}});
  lookahead.step(Gradients::from({{late, full({1}, 10, DType::f64)}}));  // 4 -> 3, and half the way back
  EXPECT_DOUBLE_EQ(late.item(), 3.5);
  EXPECT_DOUBLE_EQ(lookahead.state()["lookahead/slow/late"].item(), 3.5);
}

TEST(Lookahead, RefusesWhatCannotBeAndChangesNothing) {
  Training run;
  EXPECT_EQ(thrown([&] { optim::Lookahead(run.sgd, {.period = 0}); }), "ValueError: [lookahead] period must be positive: 0");
  EXPECT_EQ(thrown([&] { optim::Lookahead(run.sgd, {.alpha = 0}); }), "ValueError: [lookahead] alpha must lie in (0, 1]: 0");
  EXPECT_EQ(thrown([&] { optim::Lookahead(run.sgd, {.alpha = NAN}); }), "ValueError: [lookahead] alpha must lie in (0, 1]: nan");
  optim::Lookahead lookahead(run.sgd, {.period = 1});
  EXPECT_EQ(&lookahead.optimizer(), &run.sgd);
  const std::string before = bits(run.w) + bits(lookahead.state());
  EXPECT_NE(thrown([&] { lookahead.step(Gradients()); }), "nothing");
  EXPECT_EQ(bits(run.w) + bits(lookahead.state()), before);
  EXPECT_EQ(lookahead.explain(),
            "lookahead: every 1 steps slow <- slow + 0.5*(w - slow), w <- slow\n  48 bytes of slow weights\n  Zhang et al., NeurIPS 2019, "
            "algorithm 1\n" +
                run.sgd.explain());
}

TEST(Averages, AreTheReferences) {
  const auto cases = read_cases("wrappers.txt");
  for (const DType dtype : {DType::f64, DType::f32}) {
    Training run(dtype);
    const Parameters parameters{{"w", run.w}};
    optim::EMA ema(parameters, {.decay = 0.9}), slow(parameters), last(parameters, {.decay = 0});
    optim::SWA swa(parameters);
    for (int t = 1; t <= 50; ++t) {
      run.sgd.step(gradients_at(run.w, t));
      const auto expect = [&](auto& average, const char* name) {
        average.update();
        expect_near(average.state().at(1).tensor, cases.at(name).at(static_cast<std::size_t>(t - 1)), name);
      };
      expect(ema, "ema");
      expect(slow, "ema_slow");
      expect(last, "ema_last");
      expect(swa, "swa");
    }
    EXPECT_EQ(ema.count(), 50);
  }
}

TEST(Averages, ChangePlacesWithTheModel) {
  Training run;
  optim::EMA ema(Parameters{{"w", run.w}}, {.decay = 0.5});
  EXPECT_EQ(thrown([&] { ema.swap(); }), "ValueError: [ema] there is no average before the first update()");
  for (int t = 0; t < 3; ++t) {
    run.sgd.step(gradients_at(run.w, t));
    ema.update();
  }
  const std::string own = bits(run.w), state = bits(ema.state()), average = bits(ema.state()["ema/average/w"]);
  const TensorMap saved = ema.state();
  ema.swap();
  EXPECT_TRUE(ema.swapped());
  EXPECT_EQ(bits(run.w), average);
  const std::string text = "ValueError: [ema] the model holds the averages (call swap() first)";
  EXPECT_EQ(thrown([&] { ema.update(); }), text);
  EXPECT_EQ(thrown([&] { ema.state(); }), text);
  EXPECT_EQ(thrown([&] { ema.load_state(saved); }), text);
  EXPECT_EQ(bits(run.w), average);
  ema.swap();
  EXPECT_FALSE(ema.swapped());
  EXPECT_EQ(bits(run.w), own);
  EXPECT_EQ(bits(ema.state()), state);
}

TEST(Averages, GoOnFromTheirState) {
  for (const int before : {0, 1, 3}) {
    Training run, other;
    optim::SWA swa(Parameters{{"w", run.w}}), resumed(Parameters{{"w", other.w}});
    const auto advance = [](Training& training, optim::SWA& average, int t) {
      training.sgd.step(gradients_at(training.w, t));
      average.update();
    };
    for (int t = 0; t < before; ++t) advance(run, swa, t);
    advance(other, resumed, 9);
    resumed.load_state(swa.state());
    other.sgd.load_state(run.sgd.state());
    other.w.assign(run.w);
    for (int t = before; t < before + 4; ++t) {
      advance(run, swa, t);
      advance(other, resumed, t);
      EXPECT_EQ(bits(resumed.state()), bits(swa.state()));
    }
  }
}

TEST(Averages, RefuseWhatCannotBe) {
  Training run;
  const Parameters parameters{{"w", run.w}};
  EXPECT_EQ(thrown([&] { optim::EMA(parameters, {.decay = 1}); }), "ValueError: [ema] decay must lie in [0, 1): 1");
  EXPECT_EQ(thrown([&] { optim::EMA(parameters, {.decay = -0.5}); }), "ValueError: [ema] decay must lie in [0, 1): -0.5");
  EXPECT_EQ(thrown([] { optim::SWA(Parameters{}); }), "ValueError: [swa] needs at least one parameter");
  EXPECT_EQ(thrown([] {
              optim::SWA(Parameters{{"i", zeros({2}, DType::i64)}});
            }),
            "ValueError: [swa] parameters are f32 or f64: 'i' is i64");
  EXPECT_EQ(thrown([&] {
              const Tensor& w = parameters["w"];
              optim::EMA(Parameters{{"w", w}, {"tied", w}});
            }),
            "ValueError: [ema] a parameter must come once: 'tied' is 'w'");
  EXPECT_EQ(thrown([&] {
              const Gradients g = gradients_at(run.w, 1);
              optim::SWA(Parameters{{"w", run.w}, {"g", g[run.w]}});
            }),
            "ValueError: [swa] a gradient cannot be a parameter: 'g'");
  optim::SWA swa(parameters);
  swa.update();
  const std::string before = bits(swa.state());
  TensorMap state = without(swa.state(), "swa/average/w", ones({2}));
  state.insert("swa/average/v", ones({2}));
  EXPECT_EQ(thrown([&] { swa.load_state(state); }),
            "ValueError: [swa] the state does not fit:\n  swa/average/w: f32 [2], wanted f64 [6]\n  unexpected: swa/average/v");
  EXPECT_EQ(thrown([&] { swa.load_state({}); }), "ValueError: [swa] the state does not fit:\n  missing: swa/count");
  EXPECT_EQ(thrown([&] {
              swa.load_state({{"swa/count", tensor(-1, DType::i64)}});
            }),
            "ValueError: [swa] the state does not fit:\n  swa/count: a count must not be negative: -1");
  EXPECT_EQ(thrown([&] {
              swa.load_state({{"swa/count", tensor(3, DType::i64)}});
            }),
            "ValueError: [swa] the state does not fit:\n  missing: swa/average/w");
  EXPECT_EQ(bits(swa.state()), before);
}

// The norm is that of all the optimizer's parameters together; strangers and parameters without a gradient do not count.
TEST(Wrappers, RefuseAParameterThatIsNamedLikeOne) {
  Tensor w = parameter(ones({2}));
  optim::SGD sgd(Parameters{{"lookahead", w}}, {.lr = 1});
  optim::SAM sam(sgd);
  optim::Lookahead lookahead(sam);
  EXPECT_EQ(thrown([&] { lookahead.step([&] {
                           return Gradients::from({{w, ones({2})}});
                         }); }),
            "ValueError: [lookahead] a parameter must not be named like a wrapper: 'lookahead' (their state would have the same names)");
  EXPECT_EQ(values(w), (std::vector<double>{1, 1}));
}

TEST(Optimizers, ListTheirParameters) {
  Tensor w = parameter(zeros({2})), v = parameter(zeros({3}));
  optim::Adagrad adagrad(Parameters{{"w", w}});
  adagrad.add_parameters(Parameters{{"v", v}});
  const Parameters all = adagrad.parameters();
  EXPECT_EQ(names(all), "w v");
  EXPECT_EQ(all["v"].header(), v.header());  // the tensors themselves
}

TEST(Wrappers, LiveStatesAreTheSameWithoutCopies) {
  Training run;
  optim::Lookahead inner(run.sgd), outer(inner);
  optim::EMA ema(Parameters{{"w", run.w}});
  outer.step(gradients_at(run.w, 0));
  ema.update();
  const TensorMap state = outer.state(), live = outer.live_state();
  EXPECT_EQ(bits(live), bits(state));
  EXPECT_EQ(bits(ema.live_state()), bits(ema.state()));
  for (const char* name : {"w/momentum", "lookahead/slow/w", "lookahead/lookahead/slow/w"}) {
    EXPECT_EQ(live[name].header()->data, outer.live_state()[name].header()->data) << name;
    EXPECT_NE(live[name].header()->data, state[name].header()->data) << name;
  }
  EXPECT_EQ(ema.live_state()["ema/average/w"].header()->data, ema.live_state()["ema/average/w"].header()->data);
  EXPECT_NE(ema.state()["ema/average/w"].header()->data, ema.live_state()["ema/average/w"].header()->data);
  ema.swap();
  EXPECT_EQ(thrown([&] { ema.live_state(); }), "ValueError: [ema] the model holds the averages (call swap() first)");
}
