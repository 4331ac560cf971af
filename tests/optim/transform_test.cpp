#include <capstan/optim/chain.h>

#include <cmath>

#include "chain.h"
#include "reference.h"

using namespace capstan;
using namespace optim::transform;

// The transformations one by one: Optax's numbers, and what they refuse.

TEST(Transform, RefusesWhatCannotBe) {
  using Make = optim::Transform (*)();
  const std::pair<Make, const char*> all[] = {
      {[] { return chain({}); }, "[chain] needs at least one transformation"},
      {[] { return partition({}); }, "[partition] needs at least one pattern"},
      {[] { return clip(0); }, "[clip] max_delta must be above 0: 0"},
      {[] { return clip_by_global_norm(-1); }, "[clip_by_global_norm] max_norm must be above 0: -1"},
      {[] { return clip_by_block_rms(NAN); }, "[clip_by_block_rms] threshold must be finite: nan"},
      {[] { return clip_by_norm(0); }, "[clip_by_norm] max_norm must be above 0: 0"},
      {[] { return clip_by_row_norm(0); }, "[clip_by_row_norm] max_norm must be above 0: 0"},
      {[] { return adaptive_grad_clip(0); }, "[adaptive_grad_clip] clipping must be above 0: 0"},
      {[] { return adaptive_grad_clip(1, 0); }, "[adaptive_grad_clip] eps must be above 0: 0"},
      {[] { return scale(INFINITY); }, "[scale] step_size must be finite: inf"},
      {[] { return scale_by_learning_rate(-0.1); }, "[scale_by_learning_rate] learning_rate must not be negative: -0.1"},
      {[] { return scale_by_rss({.initial_accumulator = -1}); }, "[scale_by_rss] initial_accumulator must not be negative: -1"},
      {[] { return scale_by_rss({.eps = -1}); }, "[scale_by_rss] eps must not be negative: -1"},
      {[] { return scale_by_rms({.decay = 1}); }, "[scale_by_rms] decay must lie in [0, 1): 1"},
      {[] { return scale_by_rms({.eps = NAN}); }, "[scale_by_rms] eps must be finite: nan"},
      {[] { return scale_by_stddev({.initial_scale = -2}); }, "[scale_by_stddev] initial_scale must not be negative: -2"},
      {[] { return scale_by_adam({.b1 = -0.1}); }, "[scale_by_adam] b1 must lie in [0, 1): -0.1"},
      {[] { return scale_by_adam({.b2 = 1}); }, "[scale_by_adam] b2 must lie in [0, 1): 1"},
      {[] { return scale_by_adam({.eps = -1}); }, "[scale_by_adam] eps must not be negative: -1"},
      {[] { return scale_by_adam({.eps_root = -1}); }, "[scale_by_adam] eps_root must not be negative: -1"},
      {[] { return scale_by_lion({.b1 = 1}); }, "[scale_by_lion] b1 must lie in [0, 1): 1"},
      {[] { return scale_by_lion({.b2 = 2}); }, "[scale_by_lion] b2 must lie in [0, 1): 2"},
      {[] { return trace(-0.5); }, "[trace] decay must not be negative: -0.5"},
      {[] { return add_decayed_weights(-1); }, "[add_decayed_weights] weight_decay must not be negative: -1"},
      {[] { return accumulate(0); }, "[accumulate] k must be a whole number above 0: 0"},
      {[] { return skip_nonfinite(-1); }, "[skip_nonfinite] max_consecutive must be a whole number above 0: -1"},
      {[] { return stateless("", [](const Tensor& u, const Tensor&) { return u; }); },
       "[stateless] a name must be one word without '/': ''"},
      {[] { return stateless("a/b", [](const Tensor& u, const Tensor&) { return u; }); },
       "[stateless] a name must be one word without '/': 'a/b'"}};
  for (const auto& [make, text] : all) EXPECT_EQ(thrown(make), std::string("ValueError: ") + text);
  EXPECT_EQ(thrown([] { optim::Chain(Parameters{}, scale(1)).add_parameters({}); }), "ValueError: [chain] needs at least one parameter");
}

// A schedule that goes wrong is found at its step, before anything is changed.
TEST(Transform, ChecksWhatASchedulesGives) {
  Pair pair(DType::f64);
  const auto falls = [](double from) { return [from](std::int64_t step) { return from - static_cast<double>(step); }; };
  const std::pair<optim::Transform, const char*> all[] = {
      {scale_by_learning_rate(falls(0)), "[scale_by_learning_rate] learning_rate must not be negative: -1"},
      {add_decayed_weights(falls(0.5)), "[add_decayed_weights] weight_decay must not be negative: -0.5"},
      {clip_by_global_norm(falls(1)), "[clip_by_global_norm] max_norm must be above 0: 0"},
      {scale_by_schedule([](std::int64_t step) { return step == 1 ? NAN : 1; }), "[scale_by_schedule] step_size must be finite: nan"}};
  for (const auto& [transform, text] : all) {
    optim::Chain by_chain(pair.parameters, chain(scale_by_adam(), transform));
    by_chain.step(pair.gradients(1));
    const std::string before = bits(pair.parameters) + bits(by_chain.state());
    EXPECT_EQ(thrown([&] { by_chain.step(pair.gradients(2)); }), std::string("ValueError: ") + text);
    EXPECT_EQ(bits(pair.parameters) + bits(by_chain.state()), before);
  }
}

// tests/oracles/chains.txt: w and v after each step, in one row.
TEST(Transform, IsOptaxs) {
  namespace schedule = optim::schedule;
  const auto lr = scale_by_learning_rate(0.1);
  const std::pair<const char*, optim::Transform> all[] = {
      {"issue",
       chain(clip_by_global_norm(1), scale_by_rss(), add_decayed_weights(1e-2), scale_by_learning_rate(schedule::cosine(0.3, 30)))},
      {"rss", chain(scale_by_rss({.initial_accumulator = 0.5, .eps = 1e-3}), lr)},
      {"rms", chain(scale_by_rms({.decay = 0.8, .eps = 1e-3, .initial_scale = 0.5}), lr)},
      {"rms_outside", chain(scale_by_rms({.decay = 0.8, .eps = 1e-2, .eps_in_sqrt = false}), lr, trace(0.5))},
      {"stddev", chain(scale_by_stddev({.decay = 0.8, .eps = 1e-2, .initial_scale = 0.5}), lr)},
      {"stddev_outside", chain(scale_by_stddev({.decay = 0.8, .eps = 0.1, .initial_scale = 2, .eps_in_sqrt = false}), lr)},
      {"adam", chain(scale_by_adam({.b1 = 0.8, .b2 = 0.95, .eps = 1e-4, .eps_root = 1e-3}), lr)},
      {"nadam", chain(scale_by_adam({.b1 = 0.8, .b2 = 0.95, .nesterov = true}), lr)},
      {"nadam_root", chain(scale_by_adam({.eps_root = 1e-2, .nesterov = true}), add_decayed_weights(0.1, "v"), lr)},
      {"lion", chain(scale_by_lion({.b1 = 0.8, .b2 = 0.9}), add_decayed_weights(0.1), lr)},
      {"sign", chain(trace(0.7), scale_by_sign(), scale_by_schedule(schedule::polynomial(0.2, 0.01, 20, 2)), scale(-1))},
      {"nesterov", chain(clip(0.5), trace(0.9, true), lr)},
      {"decay_schedule", chain(scale_by_adam(), add_decayed_weights(schedule::linear(0.5, 0, 20)), lr)},
      {"block_rms", chain(clip_by_block_rms(0.3), scale_by_rss(), clip_by_block_rms(0.5), lr)},
      {"agc", chain(adaptive_grad_clip(0.05, 1e-2), lr)},
      {"partition", partition({{"v", chain(clip_by_global_norm(0.5), scale_by_adam(), lr)}, {"*", chain(trace(0.5), scale(-0.05))}})},
      {"accumulate",
       chain(accumulate(4), clip_by_global_norm(0.5), scale_by_adam(), scale_by_learning_rate(schedule::exponential(0.2, 0.9)))},
      {"skip", chain(skip_nonfinite(), scale_by_adam(), scale_by_learning_rate(schedule::exponential(0.2, 0.9)))}};
  const auto cases = read_cases("chains.txt");
  EXPECT_EQ(cases.size(), std::size(all));
  const Values a = {1.0, 0.5, 2.0, 0.125, 1e-4, 3.0, 0.7, 0.3, 1.3}, b = {0.5, -1.0, 0.25, 0.3, 1e-4, -2.0, 0.1, -0.6, 0.9};
  for (const auto& [name, transform] : all) {
    Tensor w = parameter(tensor({{1.0, -2.0, 0.5}, {3.0, -0.75, 1.5}}, DType::f64)), v = parameter(tensor({0.3, -0.4, 1.2}, DType::f64));
    optim::Chain by_chain(Parameters{{"w", w}, {"v", v}}, transform);
    const auto position = [&] {
      Values all_of_it = values(w);
      for (const double x : values(v)) all_of_it.push_back(x);
      return all_of_it;
    };
    int t = 0;
    ASSERT_TRUE(cases.contains(name));
    for (const Values& want : cases.at(name)) {
      ++t;
      const Values at = position();
      Tensor slope_w = empty({2, 3}, DType::f64), slope_v = empty({3}, DType::f64);
      for (std::size_t i = 0; i < 9; ++i)
        (i < 6 ? slope_w.data<double>()[i] : slope_v.data<double>()[i - 6]) =
            a[i] * at[i] + b[i] * std::cos(0.7 * t + static_cast<double>(i));
      if (std::string(name) == "skip" && t % 5 == 3) slope_w.data<double>()[1] = INFINITY;
      by_chain.step(Gradients::from({{w, slope_w}, {v, slope_v}}));
      const Values now = position();
      for (std::size_t i = 0; i < 9; ++i)
        EXPECT_NEAR(now[i], want.at(i), 1e-12 * std::max(1.0, std::abs(want[i]))) << name << " " << t << " " << i;
    }
    EXPECT_EQ(t, 50) << name;
  }
}
