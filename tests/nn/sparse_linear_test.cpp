// A linear model of a matrix by rows.
#include <capstan/nn/sparse_linear.h>
#include <capstan/optim/adagrad.h>

#include "support.h"

using namespace capstan;

namespace {

/// 5 0 0, 0 0 0, 1 0 2
CsrMatrix small(DType dtype = DType::f32) {
  return {tensor({0, 1, 1, 3}, DType::i64), tensor({0, 0, 2}, DType::i64), tensor({5, 1, 2}, dtype), {3, 3}};
}

}  // namespace

TEST(SparseLinear, IsXTimesWeightPlusBias) {
  nn::SparseLinear one(3), two(3, 2);
  EXPECT_EQ(one.weight.shape(), (Shape{3}));
  EXPECT_EQ(one.bias.shape(), (Shape{1}));
  EXPECT_EQ(two.weight.shape(), (Shape{3, 2}));
  EXPECT_EQ(two.bias.shape(), (Shape{2}));
  EXPECT_EQ(values(one(small())), (Values{0, 0, 0})) << "starts at 0";
  EXPECT_EQ(values(two(small())), (Values{0, 0, 0, 0, 0, 0}));
  one.load_state({{"weight", tensor({1, 2, 3})}, {"bias", tensor({10})}});
  two.load_state({{"weight", tensor({{1, -1}, {2, -2}, {3, -3}})}, {"bias", tensor({10, 20})}});
  EXPECT_EQ(values(one(small())), (Values{15, 10, 17}));
  EXPECT_EQ(one(small()).shape(), (Shape{3}));
  EXPECT_EQ(values(two(small())), (Values{15, 15, 10, 20, 17, 13}));
  EXPECT_EQ(two(small().rows(2, 3)).shape(), (Shape{1, 2}));
  EXPECT_EQ(two(small().rows(1, 1)).shape(), (Shape{0, 2}));
}

TEST(SparseLinear, OptionsAndWords) {
  nn::SparseLinear plain(3, {.bias = false}), wide(4, 2, {.bias = false, .dtype = DType::f64});
  EXPECT_EQ(names(plain.parameters()), "weight");
  EXPECT_EQ(wide.weight.dtype(), DType::f64);
  plain.load_state({{"weight", tensor({1, 2, 3})}});
  EXPECT_EQ(values(plain(small())), (Values{5, 0, 7}));
  EXPECT_EQ(plain.describe(), "SparseLinear(3, no bias)");
  EXPECT_EQ(wide.describe(), "SparseLinear(4, 2, no bias)");
  EXPECT_EQ(nn::SparseLinear(1 << 20).describe(), "SparseLinear(1048576)");
  EXPECT_EQ(nn::SparseLinear(9, 1).describe(), "SparseLinear(9, 1)");
  plain.to(DType::f64);
  EXPECT_EQ(values(plain(small(DType::f64))), (Values{5, 0, 7}));
}

TEST(SparseLinear, CloneIsDeep) {
  nn::SparseLinear model(3, 2);
  model.weight.set_requires_grad(false);
  model.eval();
  nn::SparseLinear copy = nn::clone(model);
  copy.load_state({{"weight", ones({3, 2})}, {"bias", ones({2})}});
  EXPECT_EQ(values(model.weight), Values(6, 0));
  EXPECT_FALSE(copy.weight.requires_grad());
  EXPECT_TRUE(copy.bias.requires_grad());
  EXPECT_FALSE(copy.training());
  EXPECT_FALSE(nn::SparseLinear(3, {.bias = false}).clone().bias.defined());
}

TEST(SparseLinear, LearnsByRows) {
  nn::SparseLinear model(1000);
  optim::Adagrad optimizer(model.parameters(), {.lr = 0.5});
  const CsrMatrix x(tensor({0, 1, 2}, DType::i64), tensor({7, 900}, DType::i64), tensor({1, 1}), {2, 1000});
  const Tensor y = tensor({1, 0});
  for (int step = 0; step < 200; ++step) {
    Tape tape;
    const Gradients g = tape.gradients(binary_cross_entropy_with_logits(model(x), y));
    EXPECT_TRUE(g.is_sparse(model.weight));
    optimizer.step(g);
  }
  const Values p = values(sigmoid(model(x)));
  EXPECT_GT(p[0], 0.95);
  EXPECT_LT(p[1], 0.05);
  Values w = values(model.weight);
  EXPECT_GT(w[7], 1);
  EXPECT_LT(w[900], -1);
  w[7] = w[900] = 0;
  EXPECT_EQ(w, Values(1000, 0)) << "features that were never seen";
}

TEST(SparseLinear, Refuses) {
  EXPECT_EQ(thrown([] { nn::SparseLinear model(0); }), "ValueError: [SparseLinear] features and out must be positive: 0, 1");
  EXPECT_EQ(thrown([] { nn::SparseLinear model(5, 0); }), "ValueError: [SparseLinear] features and out must be positive: 5, 0");
  EXPECT_EQ(thrown([] { nn::SparseLinear model(5, {.dtype = DType::i64}); }), "ValueError: [SparseLinear] a layer is f32 or f64: i64");
  EXPECT_EQ(thrown([] { nn::SparseLinear model(5, 2, {.dtype = DType::i64}); }), "ValueError: [SparseLinear] a layer is f32 or f64: i64");
  nn::SparseLinear model(4);
  EXPECT_EQ(thrown([&] { (void)model(small()); }), "ShapeError: [matmul] inner dimensions must agree: [3, 3] x [4]");
}
