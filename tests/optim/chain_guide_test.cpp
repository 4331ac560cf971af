#include <capstan/nn/linear.h>
#include <capstan/nn/sequential.h>
#include <capstan/optim/average.h>
#include <capstan/optim/chain.h>
#include <capstan/optim/conformance.h>
#include <capstan/optim/inject.h>
#include <capstan/optim/lookahead.h>
#include <capstan/optim/make.h>
#include <capstan/optim/sam.h>
#include <capstan/optim/sgd.h>

#include <cmath>

#include "support.h"

// The code of docs/chains.md.

using namespace capstan;

namespace {

struct ClippedAdagradOptions {
  double lr = 0.1, max_norm = 1;
};

struct ClippedAdagrad : optim::Chain {
  static constexpr auto name = "clipped_adagrad";
  static constexpr std::array fields = {optim::Field<ClippedAdagradOptions>{"lr", &ClippedAdagradOptions::lr},
                                        optim::Field<ClippedAdagradOptions>{"max_norm", &ClippedAdagradOptions::max_norm}};
  explicit ClippedAdagrad(const Parameters& parameters, ClippedAdagradOptions o = {})
      : Chain(parameters, optim::transform::chain(optim::transform::clip_by_global_norm(o.max_norm), optim::transform::scale_by_rss(),
                                                  optim::transform::scale_by_learning_rate(o.lr))) {}
  const char* method() const noexcept override { return name; }
};

}  // namespace

TEST(ChainGuide, ShowsAChainByItsName) {
  Tensor w = parameter(zeros({2}, DType::f64));
  const Parameters parameters{{"w", w}};

  optim::register_optimizer<ClippedAdagrad>();
  auto optimizer = optim::make("clipped_adagrad lr=0.5", parameters);

  EXPECT_EQ(optimizer->lr(), 0.5);
  EXPECT_EQ(optimizer->explain().substr(0, 23), "clipped_adagrad: u <- g");
  optimizer->step(slopes({{w, ones({2}, DType::f64)}}));
  const TensorMap state = optimizer->state();
  EXPECT_TRUE(state.contains("clipped_adagrad/1.scale_by_rss/w/sum"));
  const auto other = optim::make("clipped_adagrad", parameters);
  other->load_state(state);
  EXPECT_EQ(bits(other->state()), bits(state));
  EXPECT_EQ(thrown([&] { optim::make("clipped_adagrad max_norm=0", parameters); }),
            "ValueError: [clip_by_global_norm] max_norm must be above 0: 0");
  EXPECT_EQ(thrown([&] { optim::make("clipped_adagrad norm=1", parameters); }).substr(0, 63),
            "ValueError: [clipped_adagrad] there is no option 'norm' among l");
}

// A chain keeps every promise of a method but two, which ask a state for an option by the method's own name.
TEST(ChainGuide, ShowsAChainThatConforms) {
  const auto report = optim::conformance<ClippedAdagrad>({.max_norm = 0.5}, {}, {.together = true});
  std::string failed;
  for (const auto& p : report.properties)
    if (p.outcome == optim::Property::Outcome::failed) failed += p.name + ": " + p.message + "\n";
  EXPECT_EQ(failed,
            "tells its name and options: the state does not list clipped_adagrad/lr in its place\n"
            "refuses bad options: lr nan in a state is taken, lr 0.1, max_norm 0.5\n");
}

TEST(ChainGuide, ShowsAChain) {
  manual_seed(1);
  nn::Sequential model{nn::Linear(3, 4), nn::Linear(4, 2)};
  const Tensor x = wobbles({8, 3}, 0, DType::f32), y = wobbles({8, 2}, 40, DType::f32);

  using namespace optim::transform;
  optim::Chain optimizer(model.parameters(), chain(clip_by_global_norm(1.0), scale_by_rss(), add_decayed_weights(1e-4),
                                                   scale_by_learning_rate(optim::schedule::cosine(0.1, 900))));
  for (int step = 0; step < 100; ++step) {
    Tape tape;
    optimizer.step(tape.gradients(mse_loss(model(x), y)));
  }

  EXPECT_LT(mse_loss(model(x), y).item(), 0.7);
  EXPECT_NEAR(optimizer.lr(), 0.05 * (1 + std::cos(3.141592653589793 / 9)), 1e-15);

  std::printf("%s\n", optimizer.explain().c_str());
  optimizer.set_number("0.clip_by_global_norm/max_norm", 0.5);
  double rate = optimizer.number("3.scale_by_learning_rate/learning_rate");  // at the next step

  EXPECT_EQ(rate, optimizer.lr());
  EXPECT_EQ(optimizer.number("0.clip_by_global_norm/max_norm"), 0.5);

  TensorMap state = optimizer.state();  // the schedule's step among it
  EXPECT_EQ(state["chain/3.scale_by_learning_rate/count"].data<std::int64_t>()[0], 100);
}

TEST(ChainGuide, ShowsParts) {
  manual_seed(1);
  nn::Sequential model{nn::Linear(3, 4), nn::Linear(4, 2)};
  const Tensor x = wobbles({8, 3}, 0, DType::f32), y = wobbles({8, 2}, 40, DType::f32);

  using namespace optim::transform;
  const auto rate = scale_by_learning_rate(0.01);
  optim::Chain optimizer(model.parameters(), partition({{"0.*", set_to_zero()},  // the first layer is frozen
                                                        {"*.bias", chain(trace(0.9), rate)},
                                                        {"*", chain(scale_by_adam(), add_decayed_weights(1e-2), rate)}}));

  const std::string frozen = bits(model.parameters()["0.weight"]), moves = bits(model.parameters()["1.bias"]);
  Tape tape;
  optimizer.step(tape.gradients(mse_loss(model(x), y)));
  EXPECT_EQ(bits(model.parameters()["0.weight"]), frozen);
  EXPECT_NE(bits(model.parameters()["1.bias"]), moves);
}

TEST(ChainGuide, ShowsRests) {
  Tensor w = parameter(zeros({2}));
  const Parameters parameters{{"w", w}};

  using namespace optim::transform;
  optim::Chain optimizer(parameters, chain(skip_nonfinite(), accumulate(4), clip_by_global_norm(1.0), scale_by_adam(),
                                           scale_by_learning_rate(optim::schedule::cosine(0.1, 900))));

  for (int t = 0; t < 8; ++t) optimizer.step(slopes({{w, ones({2})}}));
  EXPECT_EQ(optimizer.skipped(), 0);
  EXPECT_EQ(optimizer.state()["chain/4.scale_by_learning_rate/count"].data<std::int64_t>()[0], 2);
}

TEST(ChainGuide, ShowsATransformationOfOnesOwn) {
  Tensor w = parameter(zeros({2, 2}));
  const Parameters parameters{{"w", w}};

  using namespace optim::transform;
  const auto centralize = stateless("centralize", [](const Tensor& u, const Tensor&) { return u.dim() < 2 ? u : u - mean(u, 1, true); });
  optim::Chain optimizer(parameters, chain(centralize, trace(0.9), scale_by_learning_rate(0.1)));

  optimizer.step(slopes({{w, tensor({{1, 3}, {2, 2}})}}));
  EXPECT_FLOAT_EQ(static_cast<float>(values(w)[0]), 0.1F);
  EXPECT_FLOAT_EQ(static_cast<float>(values(w)[1]), -0.1F);
  EXPECT_EQ(values(w)[2], 0);
}

TEST(ChainGuide, ShowsWrappers) {
  manual_seed(1);
  nn::Sequential model{nn::Linear(3, 4), nn::Linear(4, 2)};
  const Tensor x = wobbles({8, 3}, 0, DType::f32), y = wobbles({8, 2}, 40, DType::f32);

  optim::SGD sgd(model.parameters(), {.momentum = 0.5});
  optim::Inject rates(sgd, {{"lr", optim::schedule::cosine(0.1, 900)}, {"momentum", optim::schedule::linear(0.5, 0.9, 900)}});
  optim::SAM sam(rates);
  optim::Lookahead optimizer(sam);
  optim::EMA average(model.parameters());
  for (int step = 0; step < 100; ++step) {
    optimizer.step([&] {  // a function, as SAM asks for the gradients twice
      Tape tape;
      return tape.gradients(mse_loss(model(x), y));
    });
    average.update();
  }
  TensorMap state = optimizer.state();  // of all four; the average has one of its own

  EXPECT_LT(mse_loss(model(x), y).item(), 0.7);
  EXPECT_DOUBLE_EQ(sgd.options().momentum, 0.5 + 0.4 * 99 / 900);
  EXPECT_EQ(state["lookahead/sam/inject/step"].data<std::int64_t>()[0], 100);
}
