#include <capstan/optim/chain.h>

#include "all_methods.h"
#include "support.h"

// Options that a parameter's dtype does not hold are refused, with what they would be there.

using namespace capstan;
using namespace optim::transform;

TEST(Options, MustBeHeldByTheParametersDType) {
  Tensor single = parameter(ones({2})), wide = parameter(ones({2}, DType::f64));
  const auto refused = [&](auto make) { return thrown([&] { make(single); }); };
  const std::string there = ", which a parameter has: ";
  EXPECT_EQ(refused([](const Tensor& w) {
              optim::SGD(Parameters{{"w", w}}, {.lr = 1e300});
            }),
            "ValueError: [sgd] lr must be finite in f32" + there + "1e+300 is inf there");
  EXPECT_EQ(refused([](const Tensor& w) {
              optim::Adagrad(Parameters{{"w", w}}, {.eps = 1e-60});
            }),
            "ValueError: [adagrad] eps must not be 0 in f32" + there +
                "1e-60 is 0 there (1.4e-45 is the least that is more, and 0 itself is taken where the method takes it)");
  EXPECT_EQ(refused([](const Tensor& w) {
              optim::AdaBelief(Parameters{{"w", w}}, {.eps_root = 1e-60});
            }).substr(0, 42),
            "ValueError: [adabelief] eps_root must not ");
  EXPECT_EQ(refused([](const Tensor& w) {
              optim::LAMB(Parameters{{"w", w}}, {.eps = 1e-50});
            }).substr(0, 32),
            "ValueError: [lamb] eps must not ");
  EXPECT_EQ(refused([](const Tensor& w) { optim::SGD(Parameters{{"w", w}}, {.lr = 1e-60}); }), "nothing");  // which moves nothing
  for (const auto& ok : {optim::AdagradOptions{.lr = 1e300}, {.eps = 1e-60}}) optim::Adagrad(Parameters{{"w", wide}}, ok);

  optim::Adagrad both(Parameters{{"a.w", wide}}, {.lr = 0.1});
  both.set_lr(1e300);
  const std::string before = bits(both.state());
  EXPECT_EQ(thrown([&] {
              both.add_parameters(Parameters{{"b.w", single}});
            }),
            "ValueError: [adagrad] lr must be finite in f32" + there + "1e+300 is inf there");
  EXPECT_EQ(bits(both.state()), before);
  both.set_lr(0.1);
  both.add_parameters(Parameters{{"b.w", single}});
  const TensorMap good = both.state();
  EXPECT_EQ(thrown([&] { both.set_lr(1e300); }), "ValueError: [adagrad] lr must be finite in f32" + there + "1e+300 is inf there");
  EXPECT_NE(thrown([&] { both.group("b.*", [](auto& o) { o.eps = 1e-60; }); }), "nothing");
  both.group("a.*", [](auto& o) { o.eps = 1e-60; });  // which only the f64 one has
  EXPECT_NE(thrown([&] { both.load_state(without(both.state(), "adagrad/lr", tensor(1e300, DType::f64))); }), "nothing");
  EXPECT_EQ(both.lr(), 0.1);
}

TEST(Options, OfChainsMustBeHeldToo) {
  Tensor single = parameter(ones({2})), wide = parameter(ones({2}, DType::f64));
  const auto refused = [](const Tensor& w, const optim::Transform& part) {
    return thrown([&] { optim::Chain(Parameters{{"w", w}}, chain(part, scale_by_learning_rate(0.1))); });
  };
  EXPECT_EQ(refused(single, scale(1e300)),
            "ValueError: [scale] step_size must be finite in f32, which a parameter has: 1e+300 is inf there");
  EXPECT_EQ(refused(single, scale_by_rss({.eps = 1e-60})).substr(0, 43), "ValueError: [scale_by_rss] eps must not be ");
  EXPECT_EQ(refused(wide, scale(1e300)), "nothing");
  EXPECT_EQ(refused(wide, scale_by_adam({.eps = 1e-60})), "nothing");
  EXPECT_EQ(refused(single, clip_by_global_norm(1e300)), "nothing");  // no limit
  optim::Chain chained(Parameters{{"w", single}}, chain(trace(0.9), scale_by_learning_rate(0.1)));
  EXPECT_EQ(thrown([&] { chained.set_lr(1e300); }),
            "ValueError: [scale_by_learning_rate] learning_rate must be finite in f32, which a parameter has: 1e+300 is inf there");
  optim::Chain scheduled(Parameters{{"w", single}}, chain(scale_by_schedule(optim::schedule::exponential(1, 1e20))));
  for (int t = 0; t < 2; ++t) scheduled.step(Gradients::from({{single, zeros({2})}}));
  EXPECT_EQ(thrown([&] {
              scheduled.step(Gradients::from({{single, zeros({2})}}));
            }),
            "ValueError: [scale_by_schedule] step_size must be finite in f32, which a parameter has: 1e+40 is inf there");
}
