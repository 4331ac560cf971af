#include <cmath>
#include <limits>

#include "support.h"

using namespace capstan;

// Linear and the activations: values, default initialisation, gradients, errors.

TEST(Linear, IsXTimesWeightTransposedPlusBias) {
  nn::Linear layer(3, 2);
  EXPECT_EQ(layer.weight.shape(), Shape({2, 3}));
  EXPECT_EQ(layer.bias.shape(), Shape({2}));
  layer.load_state({{"weight", tensor({{1, 2, 3}, {-1, 0.5, 4}})}, {"bias", tensor({10, 20})}});
  EXPECT_EQ(values(layer(tensor({{1, 0, 0}, {0, 2, 1}}))), (Values{11, 19, 17, 25}));
  EXPECT_EQ(layer(tensor({{1, 0, 0}, {0, 2, 1}})).shape(), Shape({2, 2}));
  EXPECT_EQ(values(layer(tensor({1, 1, 1}))), (Values{16, 23.5}));  // a vector is one example
  EXPECT_EQ(layer(zeros({4, 5, 3})).shape(), Shape({4, 5, 2}));
  EXPECT_EQ(layer(zeros({0, 3})).shape(), Shape({0, 2}));
}

TEST(Linear, WithoutBias) {
  nn::Linear layer(3, 2, {.bias = false});
  EXPECT_FALSE(layer.bias.defined());
  EXPECT_EQ(names(layer.parameters()), "weight");
  EXPECT_EQ(names(layer.state()), "weight");
  layer.load_state({{"weight", tensor({{1, 2, 3}, {-1, 0.5, 4}})}});
  EXPECT_EQ(values(layer(tensor({{0, 2, 1}}))), (Values{7, 5}));
  EXPECT_FALSE(layer.clone().bias.defined());
}

// torch.nn.Linear's default: weight and bias uniform on +-1/sqrt(in).
TEST(Linear, StartsUniformAsInPyTorch) {
  manual_seed(0);
  for (const DType dtype : {DType::f32, DType::f64}) {
    nn::Linear layer(400, 300, {.dtype = dtype});
    EXPECT_EQ(layer.weight.dtype(), dtype);
    EXPECT_EQ(layer.bias.dtype(), dtype);
    const double bound = 1 / std::sqrt(400.0);
    for (const Tensor* t : {&layer.weight, &layer.bias}) {
      double sum = 0, squares = 0, largest = 0;
      for (const double x : values(*t)) {
        sum += x;
        squares += x * x;
        largest = std::max(largest, std::abs(x));
      }
      const double n = static_cast<double>(t->numel());
      EXPECT_LE(largest, bound);
      EXPECT_GT(largest, bound * (1 - 10 / n));
      EXPECT_NEAR(sum / n, 0, 5 * bound / std::sqrt(3 * n));
      EXPECT_NEAR(squares / n / (bound * bound / 3), 1, 5 / std::sqrt(n));
    }
  }
}

TEST(Linear, StartsTheSameAfterManualSeed) {
  manual_seed(7);
  const nn::Linear a(6, 5), b(6, 5);
  manual_seed(7);
  const nn::Linear c(6, 5);
  manual_seed(8);
  const nn::Linear d(6, 5);
  EXPECT_EQ(bits(a.weight), bits(c.weight));
  EXPECT_EQ(bits(a.bias), bits(c.bias));
  EXPECT_NE(bits(a.weight), bits(b.weight));
  EXPECT_NE(bits(a.weight), bits(d.weight));
  EXPECT_NE(bits(a.bias), bits(d.bias));
  manual_seed(7);
  (void)randn({10});  // another purpose draws from another stream
  EXPECT_EQ(bits(nn::Linear(6, 5).weight), bits(a.weight));
}

TEST(Linear, WantsGradientsForBoth) {
  nn::Linear layer(3, 2);
  EXPECT_TRUE(layer.weight.requires_grad() && layer.bias.requires_grad());
  Tape tape;
  const Gradients g = tape.gradients(sum(layer(tensor({{1, 2, 3}, {4, 5, 6}}))));
  EXPECT_EQ(values(g[layer.weight]), (Values{5, 7, 9, 5, 7, 9}));
  EXPECT_EQ(values(g[layer.bias]), (Values{2, 2}));
}

TEST(Linear, RefusesSizesThatCannotBe) {
  EXPECT_EQ(thrown([] { nn::Linear(0, 3); }), "ValueError: [Linear] in and out must be positive: 0, 3");
  EXPECT_EQ(thrown([] { nn::Linear(3, -1); }), "ValueError: [Linear] in and out must be positive: 3, -1");
  EXPECT_EQ(thrown([] { nn::Linear(3, 2, {.dtype = DType::i64}); }), "ValueError: [Linear] a layer is f32 or f64: i64");
  nn::Linear layer(3, 2);
  EXPECT_TRUE(thrown([&] { layer(ones({4, 2})); }).starts_with("ShapeError: [linear] "));
  EXPECT_TRUE(thrown([&] { layer(ones({4, 3}, DType::f64)); }).starts_with("ValueError: [linear] "));
}

TEST(Linear, DescribesItself) {
  EXPECT_EQ(nn::Linear(64, 10).describe(), "Linear(64, 10)");
  EXPECT_EQ(nn::Linear(64, 10, {.bias = false}).describe(), "Linear(64, 10, no bias)");
}

TEST(Activations, ComputeTheirFunction) {
  const Tensor x = tensor({{-2, 0, 0.5}, {3, -0.25, 1}}, DType::f64);
  const Values v = values(x), r = values(nn::ReLU()(x)), t = values(nn::Tanh()(x)), s = values(nn::Sigmoid()(x));
  for (std::size_t i = 0; i < v.size(); ++i) {
    EXPECT_EQ(r[i], std::max(v[i], 0.0));
    EXPECT_NEAR(t[i], std::tanh(v[i]), 1e-15);
    EXPECT_NEAR(s[i], 1 / (1 + std::exp(-v[i])), 1e-15);
  }
  EXPECT_EQ(nn::ReLU()(x).shape(), x.shape());
  EXPECT_EQ(nn::Tanh()(x.to(DType::f32)).dtype(), DType::f32);
}

TEST(Activations, HoldNothingAndTellTheirName) {
  nn::ReLU relu_module;
  nn::Tanh tanh_module;
  nn::Sigmoid sigmoid_module;
  EXPECT_TRUE(relu_module.parameters().empty() && tanh_module.state().empty() && sigmoid_module.state().empty());
  EXPECT_EQ(relu_module.describe(), "ReLU");
  EXPECT_EQ(tanh_module.describe(), "Tanh");
  EXPECT_EQ(sigmoid_module.describe(), "Sigmoid");
  EXPECT_EQ(relu_module.clone().describe(), "ReLU");
  EXPECT_EQ(tanh_module.clone().describe(), "Tanh");
  EXPECT_EQ(sigmoid_module.clone().describe(), "Sigmoid");
}

TEST(Activations, AreRecorded) {
  Tensor x = parameter(tensor({-1, 2}, DType::f64));
  nn::ReLU relu_module;
  nn::Sigmoid sigmoid_module;
  Tape tape;
  const Gradients g = tape.gradients(sum(relu_module(x)));
  EXPECT_EQ(values(g[x]), (Values{0, 1}));
  Tape other;
  EXPECT_NEAR(values(other.gradients(sum(sigmoid_module(x)))[x])[0], 0.19661193324148185, 1e-15);
}
