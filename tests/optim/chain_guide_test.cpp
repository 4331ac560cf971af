#include <capstan/nn/linear.h>
#include <capstan/nn/sequential.h>
#include <capstan/optim/average.h>
#include <capstan/optim/chain.h>
#include <capstan/optim/conformance.h>
#include <capstan/optim/inject.h>
#include <capstan/optim/lookahead.h>
#include <capstan/optim/make.h>
#include <capstan/optim/own_part.h>
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
  static constexpr optim::Field<ClippedAdagradOptions> fields[] = {{"lr", &ClippedAdagradOptions::lr},
                                                                   {"max_norm", &ClippedAdagradOptions::max_norm}};
  explicit ClippedAdagrad(const Parameters& parameters, ClippedAdagradOptions o = {})
      : Chain(parameters, optim::transform::chain(optim::transform::clip_by_global_norm(o.max_norm), optim::transform::scale_by_rss(),
                                                  optim::transform::scale_by_learning_rate(o.lr))) {}
  const char* method() const noexcept override { return name; }
};

struct ByCosineOptions {
  double decay = 0.9, floor = 0.1;
};

/// An update that turns against its average counts less.
struct ByCosine {
  static constexpr auto name = "by_cosine";
  static constexpr optim::Field<ByCosineOptions> fields[] = {{"decay", &ByCosineOptions::decay}, {"floor", &ByCosineOptions::floor}};
  static constexpr std::array states = {"average"};
  template <class T>
  struct Rule {
    T b, floor;
    Rule(const ByCosineOptions& o, std::int64_t) : b(T(o.decay)), floor(T(o.floor)) {}
    void operator()(T& u, T, T& m) const {  // the update, the parameter, and a number for each of `states`
      m = b * m + (1 - b) * u;
      u = m * u < T(0) ? floor * u : u;
    }
  };
};

}  // namespace

TEST(ChainGuide, ShowsAChainByItsName) {
  Tensor w = parameter(zeros({2}, DType::f64));
  const Parameters parameters{{"w", w}};

  optim::register_optimizer<ClippedAdagrad>();
  auto optimizer = optim::make("clipped_adagrad lr=0.5", parameters);

  EXPECT_EQ(optimizer->lr(), 0.5);
  EXPECT_EQ(optimizer->explain().substr(0, 23), "clipped_adagrad: u <- g");
  optimizer->step(Gradients::from({{w, ones({2}, DType::f64)}}));
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

// A chain keeps every promise of a method.
TEST(ChainGuide, ShowsAChainThatConforms) {
  const auto report = optim::conformance<ClippedAdagrad>({.max_norm = 0.5}, {}, {.together = true});
  EXPECT_TRUE(report) << report.text();
}

TEST(ChainGuide, ShowsAPartOfARule) {
  Tensor w = parameter(tensor({1.0, -2.0}, DType::f64));
  const Parameters parameters{{"w", w}};

  using namespace optim::transform;
  optim::Chain optimizer(parameters, chain(elementwise<ByCosine>({.floor = 0.25}), scale_by_learning_rate(0.1)));
  optimizer.set_number("0.by_cosine/floor", 0.5);

  optimizer.step(Gradients::from({{w, tensor({1.0, 2.0}, DType::f64)}}));  // the averages are 0.1*u: both agree
  EXPECT_EQ(values(w), (Values{1 - 0.1, -2 - 0.1 * 2}));
  optimizer.step(Gradients::from({{w, tensor({-0.5, 2.0}, DType::f64)}}));  // the first turns round and is halved
  EXPECT_NEAR(values(w)[0], 0.9 + 0.1 * 0.5 * 0.5, 1e-12);
  EXPECT_EQ(optimizer.explain().substr(0, optimizer.explain().find("\n  1.")), "chain: u <- g\n  0.by_cosine: decay 0.9, floor 0.5");
  EXPECT_TRUE(optimizer.state().contains("chain/0.by_cosine/w/average"));
}

TEST(ChainGuide, ShowsAPartOfAFunction) {
  Tensor w = parameter(ones({2, 2}, DType::f64));
  const Parameters parameters{{"w", w}};

  using namespace optim::transform;
  const auto by_row = stateful(
      "by_row", {"v"},
      [](const Tensor& u, const Tensor&, Tensor& v) {
        v += mean(square(u), -1, true);  // the same for a whole row
        return u / (sqrt(v) + 1e-8);
      },
      "v <- v + mean(u^2) of the row, u <- u/(sqrt(v) + 1e-8)");
  optim::Chain optimizer(parameters, chain(by_row, scale_by_learning_rate(0.1)));

  optimizer.step(Gradients::from({{w, full({2, 2}, 3, DType::f64)}}));
  EXPECT_NEAR(values(w)[0], 0.9, 1e-8);
  EXPECT_EQ(values(optimizer.state()["chain/0.by_row/w/v"]), (Values{9, 9, 9, 9}));
  EXPECT_NE(optimizer.explain().find("0.by_row: v <- v + mean(u^2) of the row"), std::string::npos);
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

  for (int t = 0; t < 8; ++t) optimizer.step(Gradients::from({{w, ones({2})}}));
  EXPECT_EQ(optimizer.skipped(), 0);
  EXPECT_EQ(optimizer.state()["chain/4.scale_by_learning_rate/count"].data<std::int64_t>()[0], 2);
}

TEST(ChainGuide, ShowsATransformationOfOnesOwn) {
  Tensor w = parameter(zeros({2, 2}));
  const Parameters parameters{{"w", w}};

  using namespace optim::transform;
  const auto centralize = stateless("centralize", [](const Tensor& u, const Tensor&) { return u.dim() < 2 ? u : u - mean(u, 1, true); });
  optim::Chain optimizer(parameters, chain(centralize, trace(0.9), scale_by_learning_rate(0.1)));

  optimizer.step(Gradients::from({{w, tensor({{1, 3}, {2, 2}})}}));
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
