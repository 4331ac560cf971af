#include <capstan/core/threads.h>
#include <capstan/optim/adagrad.h>
#include <capstan/optim/adamw.h>
#include <capstan/optim/chain.h>
#include <capstan/optim/lion.h>
#include <capstan/optim/rmsprop.h>
#include <capstan/optim/sgd.h>
#include <capstan/optim/signum.h>

#include <cmath>

#include "chain.h"

using namespace capstan;
using namespace optim::transform;

// A chain of the parts equals the built-in optimizer to the bit.

namespace {

/// Steps both along the same gradients, 50 times, and compares every bit of the parameters in f64 and f32.
template <class Method, class Options>
void expect_same(const Options& options, const optim::Transform& transform, double clip_to = 0) {
  for (const DType dtype : {DType::f64, DType::f32}) {
    Pair own(dtype), chained(dtype);
    Method method(own.parameters, options);
    optim::Chain chain(chained.parameters, transform);
    for (int t = 1; t <= 50; ++t) {
      method.step(clip_to > 0 ? clip_norm(own.gradients(t), clip_to) : own.gradients(t));
      chain.step(chained.gradients(t));
      ASSERT_EQ(bits(chained.parameters), bits(own.parameters)) << Method::name << " step " << t << "\n" << chain.explain();
    }
  }
}

}  // namespace

TEST(Chain, OfScaleByRssIsAdagrad) {
  expect_same<optim::Adagrad>(optim::AdagradOptions::optax(0.1), chain(scale_by_rss(), scale_by_learning_rate(0.1)));
  expect_same<optim::Adagrad>(optim::AdagradOptions::d2l(0.3),
                              chain(scale_by_rss({.initial_accumulator = 0, .eps = 1e-6}), scale_by_learning_rate(0.3)));
  expect_same<optim::Adagrad>(
      optim::AdagradOptions::torch(0.07),
      chain(scale_by_rss({.initial_accumulator = 0, .eps = 1e-10, .eps_in_sqrt = false}), scale_by_learning_rate(0.07)));
  expect_same<optim::Adagrad>(optim::AdagradOptions{.lr = 0.1, .eps = 0},
                              chain(scale_by_rss({.initial_accumulator = 0, .eps = 0}), scale_by_learning_rate(0.1)));
  expect_same<optim::Adagrad>(
      optim::AdagradOptions{.lr = 0.1, .eps = 1e-7, .eps_inside_root = true, .initial_accumulator = 0.1, .weight_decay = 0.03},
      chain(add_decayed_weights(0.03), scale_by_rss(), scale_by_learning_rate(0.1)));
}

// 0/0 does not come out of the division that waits, wherever it is made.
TEST(Chain, LetsAnElementWithoutSlopeRest) {
  for (const auto& direction : {scale_by_rss({.initial_accumulator = 0, .eps = 0}), scale_by_rms({.eps = 0}),
                                scale_by_stddev({.eps = 0, .eps_in_sqrt = false}), scale_by_adam({.eps = 0})})
    for (const auto& behind : {scale(-0.1), trace(0.5)}) {
      Pair pair(DType::f64);
      const double before = values(pair.parameters["w"])[2];
      optim::Chain by_chain(pair.parameters, chain(direction, behind));
      for (int t = 0; t < 3; ++t) by_chain.step(pair.gradients(t));
      EXPECT_EQ(values(pair.parameters["w"])[2], before) << by_chain.explain();
      for (const double w : values(pair.parameters["w"])) EXPECT_TRUE(std::isfinite(w)) << by_chain.explain();
    }
}

TEST(Chain, OfTraceIsMomentum) {
  expect_same<optim::SGD>(optim::SGDOptions{.lr = 0.1}, scale_by_learning_rate(0.1));
  expect_same<optim::SGD>(optim::SGDOptions{.lr = 0.1, .weight_decay = 0.01},
                          chain(add_decayed_weights(0.01), scale_by_learning_rate(0.1)));
  expect_same<optim::SGD>(optim::SGDOptions{.lr = 0.1, .momentum = 0.9}, chain(trace(0.9), scale_by_learning_rate(0.1)));
  expect_same<optim::SGD>(optim::SGDOptions{.lr = 0.03, .momentum = 0.7, .nesterov = true, .weight_decay = 0.02},
                          chain(add_decayed_weights(0.02), trace(0.7, true), scale_by_learning_rate(0.03)));
}

TEST(Chain, OfScaleByAdamIsAdam) {
  expect_same<optim::Adam>(optim::AdamOptions{}, chain(scale_by_adam(), scale_by_learning_rate(1e-3)));
  expect_same<optim::Adam>(optim::AdamOptions{.lr = 0.05, .beta1 = 0.8, .beta2 = 0.95, .eps = 1e-3},
                           chain(scale_by_adam({.b1 = 0.8, .b2 = 0.95, .eps = 1e-3}), scale_by_learning_rate(0.05)));
  expect_same<optim::Adam>(optim::AdamOptions{.lr = 0.05, .weight_decay = 0.1},
                           chain(add_decayed_weights(0.1), scale_by_adam(), scale_by_learning_rate(0.05)));
  expect_same<optim::AdamW>(optim::AdamWOptions{.lr = 0.05, .weight_decay = 0.1},
                            chain(scale_by_adam(), add_decayed_weights(0.1), scale_by_learning_rate(0.05)));
  expect_same<optim::AdamW>(optim::AdamWOptions{.lr = 1e-2, .beta1 = 0, .weight_decay = 1e-3},
                            chain(scale_by_adam({.b1 = 0}), add_decayed_weights(1e-3), scale_by_learning_rate(1e-2)));
}

TEST(Chain, OfScaleByRmsIsRMSProp) {
  expect_same<optim::RMSProp>(optim::RMSPropOptions::d2l(0.01), chain(scale_by_rms({.eps = 1e-6}), scale_by_learning_rate(0.01)));
  expect_same<optim::RMSProp>(
      optim::RMSPropOptions{.lr = 0.02, .weight_decay = 0.1},
      chain(add_decayed_weights(0.1), scale_by_rms({.decay = 0.99, .eps_in_sqrt = false}), scale_by_learning_rate(0.02)));
  expect_same<optim::RMSProp>(
      optim::RMSPropOptions{.lr = 0.02, .alpha = 0.8, .eps = 1e-5, .momentum = 0.9},
      chain(scale_by_rms({.decay = 0.8, .eps = 1e-5, .eps_in_sqrt = false}), trace(0.9), scale_by_learning_rate(0.02)));
  expect_same<optim::RMSProp>(optim::RMSPropOptions{.lr = 0.02, .alpha = 0.9, .eps = 1e-4, .eps_inside_root = true, .centered = true},
                              chain(scale_by_stddev({.eps = 1e-4}), scale_by_learning_rate(0.02)));
  expect_same<optim::RMSProp>(optim::RMSPropOptions{.lr = 0.02, .alpha = 0.9, .eps = 0.01, .momentum = 0.5, .centered = true},
                              chain(scale_by_stddev({.eps = 0.01, .eps_in_sqrt = false}), trace(0.5), scale_by_learning_rate(0.02)));
}

TEST(Chain, OfSignsIsLionAndSignSGD) {
  expect_same<optim::Lion>(optim::LionOptions{.lr = 0.01}, chain(scale_by_lion(), add_decayed_weights(1e-3), scale_by_learning_rate(0.01)));
  expect_same<optim::Lion>(optim::LionOptions{.lr = 0.01, .beta1 = 0.5, .beta2 = 0.9, .weight_decay = 0},
                           chain(scale_by_lion({.b1 = 0.5, .b2 = 0.9}), scale_by_learning_rate(0.01)));
  expect_same<optim::Signum>(optim::SignumOptions{.lr = 0.01, .momentum = 0}, chain(scale_by_sign(), scale_by_learning_rate(0.01)));
}

TEST(Chain, ClipsAsTheFunctionsDo) {
  expect_same<optim::SGD>(optim::SGDOptions{.lr = 0.1}, chain(clip_by_global_norm(1.0), scale_by_learning_rate(0.1)), 1.0);
  expect_same<optim::Adagrad>(optim::AdagradOptions::optax(0.1),
                              chain(clip_by_global_norm(0.3), scale_by_rss(), scale_by_learning_rate(0.1)), 0.3);
  for (const DType dtype : {DType::f64, DType::f32}) {
    Pair own(dtype), chained(dtype);
    const auto same = [&](const optim::Transform& clipping, auto clip) {
      optim::SGD sgd(own.parameters, {.lr = 1});
      optim::Chain by_chain(chained.parameters, chain(clipping, scale_by_learning_rate(1)));
      const std::string before = bits(own.parameters);
      sgd.step(clip(own.gradients(3)));
      by_chain.step(chained.gradients(3));
      EXPECT_EQ(bits(chained.parameters), bits(own.parameters)) << by_chain.explain();
      EXPECT_NE(bits(own.parameters), before);
    };
    same(clip(0.2), [](Gradients g) { return clip_value(std::move(g), 0.2); });
    same(clip_by_norm(0.4), [](Gradients g) { return clip_each(std::move(g), 0.4); });
    same(clip_by_row_norm(0.4), [](Gradients g) { return clip_rows(std::move(g), 0.4); });
    same(adaptive_grad_clip(0.1), [&](Gradients g) { return clip_adaptive(std::move(g), own.parameters, 0.1); });
    same(adaptive_grad_clip(0.05, 0.5), [&](Gradients g) { return clip_adaptive(std::move(g), own.parameters, 0.05, 0.5); });
  }
}

// By hand: u = (3, 4) has the root mean square 5/sqrt(2).
TEST(Chain, ClipsByBlockRms) {
  Tensor w = parameter(zeros({2}, DType::f64)), v = parameter(zeros({1}, DType::f64));
  optim::Chain by_chain(Parameters{{"w", w}, {"v", v}}, chain(clip_by_block_rms(std::sqrt(2)), scale(-1)));
  by_chain.step(Gradients::from({{w, tensor({3.0, 4.0}, DType::f64)}, {v, full({1}, 1, DType::f64)}}));
  EXPECT_NEAR(values(w)[0], -1.2, 1e-15);
  EXPECT_NEAR(values(w)[1], -1.6, 1e-15);
  EXPECT_EQ(v.item(), -1);
}

// By hand, from w = 2: add_decayed_weights before a direction is in it, behind it is not.
TEST(Chain, PutsWeightDecayWhereItStands) {
  const auto after = [](const optim::Transform& transform) {
    Tensor w = parameter(full({1}, 2, DType::f64));
    optim::Chain(Parameters{{"w", w}}, transform).step(Gradients::from({{w, full({1}, -0.5, DType::f64)}}));
    return w.item();
  };
  EXPECT_EQ(after(chain(add_decayed_weights(1), scale_by_sign(), scale_by_learning_rate(0.25))), 1.75);
  EXPECT_EQ(after(chain(scale_by_sign(), add_decayed_weights(1), scale_by_learning_rate(0.25))), 1.75);  // 2*(1 - 0.25) + 0.25
  EXPECT_EQ(after(chain(scale_by_sign(), add_decayed_weights(1), clip(0.5), scale_by_learning_rate(0.25))), 1.875);
  EXPECT_EQ(after(chain(scale_by_sign(), add_decayed_weights(1))), 3);
  EXPECT_EQ(after(add_decayed_weights(1)), 3.5);
  EXPECT_EQ(after(chain(scale(2), scale(-0.5))), 2.5);
}

TEST(Chain, LeavesTheGradientAndStrangersAlone) {
  Pair pair(DType::f64);
  Tensor idle = parameter(ones({2}, DType::f64));
  Parameters all = pair.parameters;
  all.insert("idle", idle);
  optim::Chain by_chain(
      all, chain(clip_by_global_norm(0.1), clip(1), scale_by_adam(), trace(0.9), add_decayed_weights(0.1), scale_by_learning_rate(0.1)));
  const Gradients gradients = pair.gradients(1);
  const std::string before = bits(gradients[all["w"]]) + bits(gradients[all["v"]]), untouched = bits(idle);
  const std::uint32_t version = idle.version(), moved = all["w"].version();
  for (int t = 0; t < 3; ++t) by_chain.step(gradients);
  EXPECT_EQ(bits(gradients[all["w"]]) + bits(gradients[all["v"]]), before);
  EXPECT_EQ(bits(idle), untouched);
  EXPECT_EQ(idle.version(), version);
  EXPECT_GT(all["w"].version(), moved);
}

TEST(Chain, TakesARowSparseGradientAsTheMethodDoes) {
  Tensor own = parameter(wobbles({16, 3}, 0, DType::f64)), chained = parameter(own.clone());
  optim::AdamW adamw(Parameters{{"w", own}}, {.lr = 0.05});
  optim::Chain by_chain(Parameters{{"w", chained}}, chain(scale_by_adam(), add_decayed_weights(1e-2), scale_by_learning_rate(0.05)));
  for (const std::int64_t row : {3, 7, 3, 15}) {
    const auto gradients = [row](const Tensor& w) {
      Tape tape;
      Gradients g = tape.gradients(sum(square(index_select(w, 0, tensor(std::vector<std::int64_t>{row, 1})))));
      EXPECT_TRUE(g.is_sparse(w));
      return g;
    };
    adamw.step(gradients(own));
    by_chain.step(gradients(chained));
    EXPECT_EQ(bits(chained), bits(own));
  }
}

TEST(Chain, HasTheSameBitsForAnyNumberOfThreads) {
  const int before = num_threads();
  std::string once;
  for (const int threads : {1, 2, 7}) {
    set_num_threads(threads);
    Tensor w = parameter(wobbles({300000}, 0, DType::f32));
    optim::Chain by_chain(Parameters{{"w", w}}, chain(clip_by_global_norm(1.0), scale_by_adam(), add_decayed_weights(0.1), trace(0.5),
                                                      scale_by_rss(), scale_by_learning_rate(0.1)));
    for (int t = 0; t < 3; ++t) by_chain.step(Gradients::from({{w, wobbles({300000}, t, DType::f32)}}));
    const std::string now = bits(w) + bits(by_chain.state());
    if (once.empty()) once = now;
    EXPECT_TRUE(now == once) << threads;
  }
  set_num_threads(before);
}
