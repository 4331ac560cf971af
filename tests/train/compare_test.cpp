#include <capstan/autograd/ops.h>
#include <capstan/autograd/tape.h>
#include <capstan/core/create.h>
#include <capstan/optim/sam.h>
#include <capstan/train/compare.h>

#include <cmath>
#include <limits>

#include "support.h"

using namespace capstan;

namespace {

/// (w - 1)^2 / 2 from 3, by exact steps; the losses after each of three.
std::vector<double> parabola(const MakeOptimizer& make) {
  Tensor w = parameter(tensor(3, DType::f64));
  const auto optimizer = make({{"w", w}});
  std::vector<double> losses;
  for (int i = 0; i < 3; ++i) {
    Tape tape;
    optimizer->step(tape.gradients(0.5 * square(w - 1)));
    losses.push_back(0.5 * (w.item() - 1) * (w.item() - 1));
  }
  return losses;
}

}  // namespace

TEST(Compare, TriesEachMethodAtEachRate) {
  const auto result = compare({"sgd", "sgd momentum=0.5", "adagrad lr=2 eps=0"}, parabola, {.rates = {0.5, 1, 1.5}});
  ASSERT_EQ(result.methods.size(), 3u);
  const auto& sgd = result.methods[0];
  EXPECT_EQ(sgd.spec, "sgd");
  ASSERT_EQ(sgd.attempts.size(), 3u);
  EXPECT_EQ(sgd.attempts[0].scores, (std::vector<double>{0.5, 0.125, 0.03125}));
  EXPECT_EQ(sgd.attempts[0].lr, 0.5);
  EXPECT_EQ(sgd.attempts[0].last(), 0.03125);
  EXPECT_EQ(sgd.attempts[1].last(), 0);
  EXPECT_EQ(sgd.best, 1u);
  EXPECT_FALSE(sgd.at_edge());
  const auto& momentum = result.methods[1];
  EXPECT_EQ(momentum.attempts[0].scores[1], 0.125 * 0);  // 3 -> 2 -> 1: half of the last step and half of the slope
  EXPECT_EQ(momentum.best, 0u);
  EXPECT_TRUE(momentum.at_edge());
  ASSERT_EQ(result.methods[2].attempts.size(), 1u);  // its own rate alone
  EXPECT_EQ(result.methods[2].attempts[0].lr, 2);
  EXPECT_FALSE(result.methods[2].at_edge());
  EXPECT_EQ(result.methods[2].attempts[0].last(), 0);
  EXPECT_EQ(result.winner().spec, "sgd");  // the first of equals
}

TEST(Compare, ShowsTablesAndCharts) {
  const auto result = compare({"sgd", "rmsprop"}, [](const MakeOptimizer& make) { return parabola(make); },
                              {.rates = {0.5, 0.25, 4}, .title = "A parabola", .score = "distance", .progress = "step"});
  EXPECT_EQ(result.table().substr(0, result.table().find('\n')), "method     best lr  last distance");
  EXPECT_NE(result.table().find("\nsgd            0.5    0.03125  (a better rate may lie outside)\n"), std::string::npos) << result.table();
  EXPECT_NE(result.table().find("\nat lr          0.5       0.25          4\n"), std::string::npos) << result.table();
  EXPECT_NE(result.table().find("\nsgd        0.03125      0.356       1458\n"), std::string::npos) << result.table();
  const auto& best = result.methods[1].attempts[result.methods[1].best];
  char name[32];
  std::snprintf(name, sizeof name, "rmsprop, lr %g", best.lr);
  EXPECT_EQ(result.curves().svg(), plot::LineChart({.title = "A parabola", .x = {.label = "step"}, .y = {.label = "distance", .log = true}})
                                       .add("sgd, lr 0.5", {1, 2, 3}, result.methods[0].attempts[0].scores)
                                       .add(name, {1, 2, 3}, best.scores)
                                       .svg());
  const auto last = [&](std::size_t m) {
    std::vector<double> y;
    for (const auto& a : result.methods[m].attempts) y.push_back(a.last());
    return y;
  };
  const double top = 10 * std::max(result.methods[0].attempts[0].scores[0], best.scores[0]);
  EXPECT_LT(top, 1458);
  EXPECT_EQ(result.sweep().svg(), plot::LineChart({.title = "A parabola",
                                                   .x = {.label = "lr", .log = true},
                                                   .y = {.label = "last distance", .log = true, .high = top},
                                                   .note = "A better rate may lie outside the grid: sgd"})
                                      .add("sgd", {0.5, 0.25, 4}, last(0))
                                      .add("rmsprop", {0.5, 0.25, 4}, last(1))
                                      .svg());
}

TEST(Compare, CountsWhatIsNotFiniteAsDiverged) {
  const auto steep = [](const MakeOptimizer& make) {
    Tensor w = parameter(tensor(3));
    const auto optimizer = make({{"w", w}});
    for (int i = 0; i < 300; ++i) {
      Tape tape;
      optimizer->step(tape.gradients(square(w)));
    }
    return std::vector<double>{w.item() * w.item()};
  };
  const auto result = compare({"sgd"}, steep, {.rates = {10, 0.5}});
  EXPECT_TRUE(result.methods[0].attempts[0].scores.empty());
  EXPECT_EQ(result.methods[0].attempts[0].last(), INFINITY);
  EXPECT_EQ(result.methods[0].best, 1u);
  EXPECT_NE(result.table().find("\nsgd      diverged          0"), std::string::npos) << result.table();
  const auto zero = compare({"sgd"}, [](const MakeOptimizer&) { return std::vector<double>{-0.0}; }, {.rates = {1}});
  EXPECT_NE(zero.table().find("\nsgd             1          0\n"), std::string::npos) << zero.table();
  const auto lost = compare({"sgd", "adagrad"}, [](const MakeOptimizer&) { return std::vector<double>{1, NAN}; }, {.rates = {1}});
  EXPECT_EQ(lost.methods[1].attempts[0].last(), INFINITY);
}

TEST(Compare, RefusesWhatCannotBe) {
  int runs = 0;
  const auto count = [&](const MakeOptimizer&) {
    ++runs;
    return std::vector<double>{};
  };
  EXPECT_EQ(thrown([&] { compare({}, count); }), "ValueError: [compare] there must be an optimizer");
  EXPECT_EQ(thrown([&] { compare({"sgd"}, count, {.rates = {}}); }), "ValueError: [compare] there must be a rate");
  EXPECT_EQ(thrown([&] { compare({"sgd"}, count, {.rates = {1, 0}}); }), "ValueError: [compare] rates must be finite and positive: 0");
  EXPECT_EQ(thrown([&] { compare({"sgd"}, count, {.rates = {std::numeric_limits<double>::infinity()}}); }),
            "ValueError: [compare] rates must be finite and positive: inf");
  EXPECT_EQ(thrown([&] { compare({"sgd", "sgd lr=-1"}, count); }), "ValueError: [sgd] lr must not be negative: -1");
  EXPECT_EQ(thrown([&] {
              compare({"sgd", "adam", "sgd"}, count);
            }),
            "ValueError: [compare] each optimizer must be there once: 'sgd' comes again");
  EXPECT_EQ(runs, 0);
  EXPECT_EQ(thrown([&] {
              compare({"sgd", "muon"}, [&](const MakeOptimizer& make) {
                const auto optimizer = make({{"w", parameter(ones({2}))}});
                ++runs;
                return std::vector<double>{1};
              });
            }),
            "ValueError: [muon] moves matrices only: 'w' has the shape [2] (give the others to another optimizer)");
  EXPECT_EQ(runs, 0);
  EXPECT_EQ(thrown([&] { compare({"sgd"}, count, {.rates = {0.5}}); }),
            "ValueError: [compare] the problem must return a score: none for sgd at lr 0.5");
  const auto chain =
      compare({"sgd"}, [](const MakeOptimizer&) -> std::vector<double> { throw NotFiniteError("any text"); }, {.rates = {1}});
  EXPECT_EQ(chain.methods[0].attempts[0].last(), INFINITY);
  using Around = Gradients (*)(Gradients, const Parameters&);
  for (const Around around :
       {Around{}, Around([](Gradients g, const Parameters&) { return clip_norm(std::move(g), 1); }),
        Around([](Gradients g, const Parameters&) { return clip_each(std::move(g), 1); }),
        Around([](Gradients g, const Parameters&) { return clip_rows(std::move(g), 1); }),
        Around([](Gradients g, const Parameters&p) { return clip_adaptive(std::move(g), p, 0.1); }),
        Around([](Gradients g, const Parameters&) { return std::move(g *= 1 / (global_norm(g) - global_norm(g))); })}) {
    const bool by_sam = !around;  // what refuses is not the optimizer, but around it
    const auto problem = [&](const MakeOptimizer& make) {
      Tensor w = parameter(full({}, 1e30));
      const auto optimizer = make({{"w", w}});
      optim::SAM sam(*optimizer);
      const auto gradients = [&] {
        Tape tape;
        Gradients g = tape.gradients(1e30 * w * w);
        return by_sam ? std::move(g) : around(std::move(g), {{"w", w}});
      };
      by_sam ? static_cast<void>(sam.step(gradients)) : optimizer->step(gradients());
      return std::vector<double>{1};
    };
    EXPECT_EQ(compare({"sgd"}, problem, {.rates = {1}}).methods[0].attempts[0].last(), INFINITY);
  }
  const auto observed = [](const MakeOptimizer&) {
    const Tensor w = parameter(zeros({1}));
    Tape tape({.check_finite = true});
    return std::vector<double>{sum(log(w)).item()};
  };
  EXPECT_EQ(compare({"sgd"}, observed, {.rates = {1}}).methods[0].attempts[0].last(), INFINITY);
  const auto matrices = compare({"muon"}, [](const MakeOptimizer& make) {
    const Tensor w = parameter(ones({2, 2}));
    make({{"w", w}});
    return std::vector<double>{1};
  });
  EXPECT_EQ(matrices.methods[0].attempts[0].last(), 1);
  for (const char* text : {"[data] must be finite", "[sgd] none",
                           "[sgd] step 1: the loss must be finite"})  // the problem's own errors are nobody's divergence
    EXPECT_EQ(thrown([&] { compare({"sgd"}, [&](const MakeOptimizer&) -> std::vector<double> { throw ValueError(text); }); }),
              "ValueError: " + std::string(text));
}
