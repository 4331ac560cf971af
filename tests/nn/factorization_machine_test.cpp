// A factorisation machine against equation 1 of Rendle's paper, pair by pair.
#include <capstan/autograd/gradcheck.h>
#include <capstan/nn/factorization_machine.h>
#include <capstan/optim/adagrad.h>

#include <cmath>

#include "support.h"

using namespace capstan;

namespace {

/// 5 0 -1 0, 0 0 0 0, 1 0.5 2 3, 0 4 0 0
CsrMatrix small(const Tensor& values = tensor({5, -1, 1, 0.5, 2, 3, 4}, DType::f64)) {
  return {tensor({0, 2, 2, 6, 7}, DType::i64), tensor({0, 2, 0, 1, 2, 3, 1}, DType::i64), values, {4, 4}};
}

nn::FactorizationMachine drawn() {
  manual_seed(3);
  nn::FactorizationMachine model(4, 3, {.stddev = 0.7, .dtype = DType::f64});
  model.load_state(
      {{"bias", tensor({0.25}, DType::f64)}, {"weight", tensor({1, -2, 0.5, 3}, DType::f64)}, {"factors", model.factors.clone()}});
  return model;
}

}  // namespace

TEST(FactorizationMachine, AddsUpAllPairs) {
  nn::FactorizationMachine model = drawn();
  const Values x = values(small().to_dense()), w = values(model.weight), v = values(model.factors), y = values(model(small()));
  ASSERT_EQ(y.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) {
    double expected = 0.25;
    for (std::size_t j = 0; j < 4; ++j) {
      expected += w[j] * x[4 * i + j];
      for (std::size_t k = j + 1; k < 4; ++k)
        for (std::size_t f = 0; f < 3; ++f) expected += v[3 * j + f] * v[3 * k + f] * x[4 * i + j] * x[4 * i + k];
    }
    EXPECT_NEAR(y[i], expected, 1e-13) << i;
  }
  EXPECT_EQ(model(small().rows(1, 1)).shape(), (Shape{0}));
}

TEST(FactorizationMachine, Gradients) {
  nn::FactorizationMachine model = drawn();
  const Tensor v = tensor({5, -1, 1, 0.5, 2, 3, 4}, DType::f64);
  const auto f = [&](const std::vector<Tensor>& in) {
    model.factors = in[0];
    model.weight = in[1];
    model.bias = in[2];
    return square(model(small(in[3])));
  };
  const GradcheckResult r = gradcheck(f, {model.factors.detach().clone(), model.weight.detach().clone(), model.bias.detach().clone(), v});
  EXPECT_TRUE(r) << r.message;
}

TEST(FactorizationMachine, GradientsStayByRows) {
  nn::FactorizationMachine model(1000, 4);
  const CsrMatrix x(tensor({0, 2, 3}, DType::i64), tensor({7, 900, 7}, DType::i64), tensor({1, 2, 3}), {2, 1000});
  Tape tape;
  const Gradients g = tape.gradients(sum(square(model(x) - 1.0)));
  ASSERT_TRUE(g.is_sparse(model.factors));
  ASSERT_TRUE(g.is_sparse(model.weight));
  EXPECT_EQ(values(g.sparse(model.factors).rows), (Values{7, 900}));
}

// y = x_1 x_2 of two signs: no linear model is better than a guess.
TEST(FactorizationMachine, LearnsAProduct) {
  manual_seed(0);
  nn::FactorizationMachine model(2, 2, {.stddev = 0.1});
  optim::Adagrad optimizer(model.parameters(), {.lr = 0.3});
  const CsrMatrix x(tensor({0, 2, 4, 6, 8}, DType::i64), tensor({0, 1, 0, 1, 0, 1, 0, 1}, DType::i64), tensor({1, 1, 1, -1, -1, 1, -1, -1}),
                    {4, 2});
  const Tensor y = tensor({1, 0, 0, 1});
  double loss = 0;
  for (int step = 0; step < 300; ++step) {
    Tape tape;
    const Gradients g = tape.gradients(binary_cross_entropy_with_logits(model(x), y));
    loss = g.loss();
    optimizer.step(g);
  }
  EXPECT_LT(loss, 0.05);
}

TEST(FactorizationMachine, OptionsAndWords) {
  nn::FactorizationMachine model(9, 2);
  EXPECT_EQ(model.describe(), "FactorizationMachine(9, 2)");
  EXPECT_EQ(names(model.parameters()), "bias weight factors");
  EXPECT_EQ(values(model.weight), Values(9, 0));
  nn::FactorizationMachine copy = nn::clone(model);
  EXPECT_EQ(values(copy.factors), values(model.factors));
  copy.load_state({{"bias", ones({1})}, {"weight", ones({9})}, {"factors", zeros({9, 2})}});
  EXPECT_EQ(values(model.weight), Values(9, 0));
  EXPECT_NE(values(model.factors), Values(18, 0));
}

TEST(FactorizationMachine, Refuses) {
  EXPECT_EQ(thrown([] { nn::FactorizationMachine model(0, 2); }),
            "ValueError: [FactorizationMachine] features and rank must be positive: 0, 2");
  EXPECT_EQ(thrown([] { nn::FactorizationMachine model(2, 0); }),
            "ValueError: [FactorizationMachine] features and rank must be positive: 2, 0");
  EXPECT_EQ(thrown([] { nn::FactorizationMachine model(2, 2, {.stddev = 0}); }),
            "ValueError: [FactorizationMachine] stddev must be positive: 0 (factors of 0 stay there)");
  EXPECT_EQ(thrown([] { nn::FactorizationMachine model(2, 2, {.dtype = DType::i64}); }),
            "ValueError: [FactorizationMachine] a model is f32 or f64: i64");
  nn::FactorizationMachine model(9, 2);
  EXPECT_EQ(thrown([&] { (void)model(small(zeros({7}))); }), "ShapeError: [matmul] inner dimensions must agree: [4, 4] x [9]");
}
