#include <capstan/optim/chain.h>
#include <capstan/optim/lookahead.h>
#include <capstan/optim/sam.h>
#include <capstan/optim/sgd.h>

#include <cmath>

#include "chain.h"

using namespace capstan;
using namespace optim::transform;

// Parts of a chain that rest, and parts for some of the parameters.

namespace {

Gradients scaled(Gradients g, double factor) {
  g *= factor;
  return g;
}

/// Gradients of a finite loss, of which that for v is infinite at [5].
Gradients broken(const Pair& pair) {
  const Tensor v = pair.parameters["v"], w = pair.parameters["w"];
  Tape tape;
  const Tensor edge = v.rows(5, 6);
  return tape.gradients(sum(v) + sum(w) + sum(sqrt(edge - edge.detach())));
}

std::string all_bits(const Pair& pair, const optim::Optimizer& optimizer) { return bits(pair.parameters) + bits(optimizer.state()); }

}  // namespace

TEST(Accumulate, MakesOneStepOfTheMean) {
  for (const std::int64_t k : {1, 2, 4}) {
    Pair pair(DType::f64), whole(DType::f64);
    const auto rest = chain(clip_by_global_norm(0.5), scale_by_adam(), add_decayed_weights(0.1), scale_by_learning_rate(0.1));
    optim::Chain by_k(pair.parameters, chain(accumulate(k), rest)), at_once(whole.parameters, rest);
    for (int round = 0; round < 6; ++round) {
      const std::string before = bits(pair.parameters);
      Gradients sum;
      for (std::int64_t i = 0; i < k; ++i) {
        EXPECT_EQ(bits(pair.parameters), before);
        const int t = static_cast<int>(round * k + i);
        by_k.step(pair.gradients(t));
        sum += whole.gradients(t);
      }
      at_once.step(scaled(std::move(sum), 1.0 / static_cast<double>(k)));
      for (const auto& [name, w] : pair.parameters)
        for (std::size_t i = 0; i < values(w).size(); ++i) EXPECT_NEAR(values(w)[i], values(whole.parameters[name])[i], 1e-14);
    }
  }
}

TEST(Accumulate, OfEqualGradientsIsOneStepToTheBit) {
  Pair pair(DType::f32), whole(DType::f32);
  const auto rest = chain(scale_by_rss(), scale_by_learning_rate(optim::schedule::exponential(0.1, 0.5)));
  optim::Chain by_3(pair.parameters, chain(accumulate(3), rest)), at_once(whole.parameters, rest);
  for (int t = 0; t < 9; ++t) {
    by_3.step(pair.gradients(t / 3));
    if (t % 3 == 2) at_once.step(whole.gradients(t / 3));
    EXPECT_EQ(bits(pair.parameters), bits(whole.parameters)) << t;
  }
  EXPECT_EQ(by_3.lr(), 0.0125);  // the schedule counts what it has scaled
}

// w has a gradient in the first and third of three steps, late in the second, v in none.
TEST(Accumulate, CountsAMissingGradientAsNothing) {
  const auto one = [] { return parameter(zeros({1}, DType::f64)); };
  const auto full1 = [](double x) { return full({1}, x, DType::f64); };
  Tensor w = one(), v = one(), late = one();
  optim::Chain by_3(Parameters{{"w", w}, {"v", v}}, chain(accumulate(3), scale_by_learning_rate(1)));
  by_3.step(Gradients::from({{w, full1(3)}}));
  by_3.add_parameters(Parameters{{"late", late}});
  by_3.step(Gradients::from({{late, full1(6)}}));
  const std::uint32_t version = late.version();
  by_3.step(Gradients::from({{w, full1(9)}}));
  EXPECT_EQ(w.item(), -4);
  EXPECT_GT(late.version(), version);  // a tape that saved it must see that it moved
  EXPECT_EQ(late.item(), -2);
  EXPECT_EQ(v.item(), 0);
  EXPECT_EQ(v.version(), 0U);
}

TEST(SkipNonfinite, LetsAStepRestAndCountsIt) {
  Pair pair(DType::f64), clean(DType::f64);
  const auto rest = chain(scale_by_adam(), scale_by_learning_rate(optim::schedule::exponential(0.1, 0.9)));
  optim::Chain careful(pair.parameters, chain(skip_nonfinite(), rest)), plain(clean.parameters, rest);
  for (int t = 0; t < 6; ++t) {
    const std::string before = bits(pair.parameters);
    for (int i = 0; i < t % 3; ++i) careful.step(broken(pair));
    EXPECT_EQ(bits(pair.parameters), before);
    careful.step(pair.gradients(t));
    plain.step(clean.gradients(t));
    EXPECT_EQ(bits(pair.parameters), bits(clean.parameters)) << t;
  }
  EXPECT_EQ(careful.skipped(), 6);
  EXPECT_EQ(careful.state()["chain/0.skip_nonfinite/skipped"].data<std::int64_t>()[0], 6);
  EXPECT_EQ(careful.state()["chain/0.skip_nonfinite/in_a_row"].data<std::int64_t>()[0], 0);
  // A loss that is not finite has gradients that mean nothing.
  const std::string before = bits(pair.parameters);
  Tape tape;
  careful.step(tape.gradients(sum(pair.parameters["v"]) + tensor(INFINITY, DType::f64)));
  EXPECT_EQ(bits(pair.parameters), before);
  EXPECT_EQ(careful.skipped(), 7);
}

TEST(SkipNonfinite, GivesUpAfterSoManyInARow) {
  Pair pair(DType::f64);
  optim::Chain careful(pair.parameters, chain(skip_nonfinite(2), scale_by_learning_rate(0.1)));
  careful.step(broken(pair));
  careful.step(broken(pair));
  const std::string before = all_bits(pair, careful);
  EXPECT_EQ(
      thrown([&] { careful.step(broken(pair)); }),
      "NotFiniteError: [chain] 0.skip_nonfinite: no more than 2 steps in a row may rest: the update of 'v' is not finite again (a lower "
      "lr, or a part that clips)");
  EXPECT_EQ(all_bits(pair, careful), before);
  EXPECT_EQ(thrown([&] {
              Tape tape;
              careful.step(tape.gradients(sum(pair.parameters["v"]) + tensor(NAN, DType::f64)));
            }),
            "NotFiniteError: [chain] 0.skip_nonfinite: no more than 2 steps in a row may rest: the loss is nan (a lower lr, or a part that "
            "clips)");
  careful.step(pair.gradients(1));
  careful.step(broken(pair));
  EXPECT_EQ(careful.skipped(), 3);
}

TEST(SkipNonfinite, LeavesToOthersWhatItDoesNotSee) {
  Pair pair(DType::f64);
  const std::string text =
      "NotFiniteError: [chain] step 1: the gradient for 'v' must be finite: inf at [5] (a lower lr, clip_value(), or "
      "set_check_finite(false))";
  const auto lr = scale_by_learning_rate(0.1);
  const optim::Transform all[] = {lr, partition({{"v", lr}, {"w", chain(skip_nonfinite(), lr)}}),
                                  chain(accumulate(2), skip_nonfinite(), lr),
                                  partition({{"v", set_to_zero()}, {"*", chain(skip_nonfinite(), lr)}})};
  for (const optim::Transform& transform : all) {
    optim::Chain by_chain(pair.parameters, transform);
    const std::string before = all_bits(pair, by_chain);
    EXPECT_EQ(thrown([&] { by_chain.step(broken(pair)); }), text);
    EXPECT_EQ(all_bits(pair, by_chain), before);
  }
  optim::Chain half(pair.parameters, partition({{"w", lr}, {"v", chain(skip_nonfinite(), lr)}}));
  EXPECT_EQ(thrown([&] {
              Tape tape;
              half.step(tape.gradients(sum(pair.parameters["w"]) + tensor(NAN, DType::f64)));
            }),
            "NotFiniteError: [chain] step 1: the loss must be finite: nan (a lower lr, or set_check_finite(false))");
  const std::string w = bits(pair.parameters["w"]), v = bits(pair.parameters["v"]);
  half.step(broken(pair));  // each part of a partition rests by itself
  EXPECT_NE(bits(pair.parameters["w"]), w);
  EXPECT_EQ(bits(pair.parameters["v"]), v);
}

TEST(SkipNonfinite, StandsBehindWhatBringsInfinity) {
  Tensor w = parameter(ones({2}, DType::f64));
  const auto huge = [&] { return Gradients::from({{w, full({2}, 1e200, DType::f64)}}); };
  const auto lr = scale_by_learning_rate(0.1);
  for (const auto& [clipping, name] : {std::pair{clip_by_global_norm(1), "clip_by_global_norm"},
                                       {clip_by_block_rms(1), "clip_by_block_rms"},
                                       {clip_by_row_norm(1), "clip_by_row_norm"},
                                       {adaptive_grad_clip(0.1), "adaptive_grad_clip"}}) {
    optim::Chain bold(Parameters{{"w", w}}, chain(scale(1e200), clipping, lr)),
        careful(Parameters{{"w", w}}, chain(scale(1e200), clipping, skip_nonfinite(), lr));
    EXPECT_EQ(thrown([&] { bold.step(huge()); }),
              std::string("NotFiniteError: [chain] 1.") + name + ": the norm must be finite: inf (with the update of 'w')");
    careful.step(huge());
    EXPECT_EQ(careful.skipped(), 1);
    optim::Chain gathering(Parameters{{"w", w}}, chain(scale(1e200), clipping, accumulate(2), lr));
    EXPECT_NE(thrown([&] { gathering.step(huge()); }), "nothing");
    EXPECT_EQ(values(w), (Values{1, 1}));
  }
}

// Squares that f64 cannot hold: what is brought down has the norm that was asked for.
TEST(Clipping, BringsDownWhatSquaresCannotHold) {
  for (const double x : {1e200, 1e-200}) {
    const auto clipped = [&](const optim::Transform& clipping) {
      Tensor w = parameter(zeros({2, 2}, DType::f64));
      optim::Chain(Parameters{{"w", w}}, chain(clipping, scale(-1))).step(Gradients::from({{w, full({2, 2}, x, DType::f64)}}));
      return -values(w / x)[0];
    };
    EXPECT_NEAR(clipped(clip_by_global_norm(x)), 0.5, 1e-12) << x;
    EXPECT_NEAR(clipped(clip_by_norm(x)), 0.5, 1e-12) << x;
    EXPECT_NEAR(clipped(clip_by_row_norm(x)), std::sqrt(0.5), 1e-12) << x;
    EXPECT_NEAR(clipped(clip_by_block_rms(x / 4)), 0.25, 1e-12) << x;
    EXPECT_NEAR(clipped(adaptive_grad_clip(0.5, x)), std::sqrt(0.125), 1e-12) << x;
  }
}

TEST(Partition, GivesEachParameterItsOwn) {
  Pair pair(DType::f64), first(DType::f64), second(DType::f64);
  const auto of_w = chain(clip_by_global_norm(0.5), scale_by_adam(), scale_by_learning_rate(0.1)), of_v = chain(trace(0.9), scale(-0.01));
  optim::Chain parted(pair.parameters, partition({{"w", of_w}, {"*", of_v}}));
  optim::Chain w(Parameters{{"w", first.parameters["w"]}}, of_w), v(Parameters{{"v", second.parameters["v"]}}, of_v);
  for (int t = 0; t < 5; ++t) {
    parted.step(pair.gradients(t));
    w.step(first.gradients(t));
    v.step(second.gradients(t));
  }
  EXPECT_EQ(bits(pair.parameters["w"]), bits(first.parameters["w"]));
  EXPECT_EQ(bits(pair.parameters["v"]), bits(second.parameters["v"]));
}

// A sum of squares in another order has other bits, if not at every step.
TEST(Partition, JoinsInTheOrderOfTheParameters) {
  Parameters mine, others;
  for (const char* name : {"a0", "b1", "a2", "b3", "a4", "b5", "a6"})
    for (Parameters* to : {&mine, &others}) to->insert(name, parameter(zeros({5}, DType::f64)));
  const auto all = chain(clip_by_global_norm(0.5), scale_by_learning_rate(0.1));
  optim::Chain parted(mine, chain(partition({{"b*", scale(1)}, {"*", scale(1)}}), all)), whole(others, all);
  const auto gradients = [](const Parameters& of, int t) {
    std::vector<GradientFor> all_slopes;
    for (const auto& [name, w] : of) all_slopes.push_back({w, wobbles({5}, 101 * t + 13 * name[1], DType::f64) * std::pow(3, name[1] % 4)});
    return Gradients::from(all_slopes);
  };
  for (int t = 0; t < 30; ++t) {
    parted.step(gradients(mine, t));
    whole.step(gradients(others, t));
    EXPECT_EQ(bits(mine), bits(others)) << t;
  }
}

TEST(Partition, FreezesAndRestsInParts) {
  Pair pair(DType::f64);
  const std::string w = bits(pair.parameters["w"]);
  optim::Chain frozen(pair.parameters, partition({{"w", set_to_zero()}, {"*", chain(accumulate(2), scale_by_learning_rate(0.1))}}));
  const std::string v = bits(pair.parameters["v"]);
  frozen.step(pair.gradients(1));
  EXPECT_EQ(bits(pair.parameters["v"]), v);
  frozen.step(pair.gradients(2));
  EXPECT_EQ(bits(pair.parameters["w"]), w);
  EXPECT_NE(bits(pair.parameters["v"]), v);
}

TEST(Partition, NeedsAPlaceForEachAndAUseOfEach) {
  Pair pair(DType::f64);
  const auto lr = scale_by_learning_rate(0.1);
  const auto refused = [&](const optim::Transform& transform) { return thrown([&] { optim::Chain(pair.parameters, transform); }); };
  EXPECT_EQ(refused(chain(scale_by_sign(), partition({{"w", lr}, {"*.bias", lr}}))),
            "ValueError: [chain] 1.partition: each parameter must match a pattern: 'v' among 'w', '*.bias' (\"*\" takes the rest)");
  EXPECT_EQ(refused(partition({{"*", lr}, {"*.bias", lr}})),
            "ValueError: [chain] 0.partition: a pattern must be the first to match some parameter: '*.bias' among w, v");
  EXPECT_EQ(refused(partition({{"w", partition({{"v", lr}, {"*", lr}})}, {"*", lr}})),
            "ValueError: [chain] 0.partition/0/0.partition: a pattern must be the first to match some parameter: 'v' among w");
  EXPECT_EQ(refused(add_decayed_weights(0.1, "*.weight")),
            "ValueError: [chain] 0.add_decayed_weights: a pattern must be the first to match some parameter: '*.weight' among w, v");
  optim::Chain by_chain(pair.parameters, partition({{"w", lr}, {"v", lr}}));
  EXPECT_EQ(thrown([&] {
              by_chain.add_parameters(Parameters{{"u", parameter(ones({2}))}});
            }),
            "ValueError: [chain] 0.partition: each parameter must match a pattern: 'u' among 'w', 'v' (\"*\" takes the rest)");
  EXPECT_EQ(names(by_chain.parameters()), "w v");
}

TEST(AddDecayedWeights, TakesAPattern) {
  Pair pair(DType::f64), plain(DType::f64);
  optim::Chain some(pair.parameters, chain(add_decayed_weights(0.1, "v"), scale_by_learning_rate(0.1)));
  optim::SGD sgd(plain.parameters, {.lr = 0.1, .weight_decay = 0.1});
  sgd.group("w", [](auto& o) { o.weight_decay = 0; });
  some.step(pair.gradients(1));
  sgd.step(plain.gradients(1));
  EXPECT_EQ(bits(pair.parameters), bits(plain.parameters));
}

TEST(Chain, StandsInsideWrappers) {
  Pair pair(DType::f64), plain(DType::f64);
  optim::Chain by_chain(pair.parameters, chain(trace(0.9), scale_by_learning_rate(0.1)));
  optim::SGD sgd(plain.parameters, {.lr = 0.1, .momentum = 0.9});
  optim::Lookahead around_chain(by_chain, {.period = 2}), around_sgd(sgd, {.period = 2});
  optim::SAM sam_chain(by_chain), sam_sgd(sgd);
  for (int t = 0; t < 6; ++t) {
    around_chain.step(pair.gradients(t));
    around_sgd.step(plain.gradients(t));
    sam_chain.step([&] { return pair.gradients(t); });
    sam_sgd.step([&] { return plain.gradients(t); });
    EXPECT_EQ(bits(pair.parameters), bits(plain.parameters)) << t;
  }
  const TensorMap state = around_chain.state();
  around_chain.load_state(state);
  EXPECT_EQ(bits(around_chain.state()), bits(state));
}
