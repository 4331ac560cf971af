#include "support.h"

using namespace capstan;

namespace {

struct Tied : nn::Module {
  nn::Linear a{3, 3}, b{3, 3};
  Tensor mean = zeros({3}), scale = parameter(ones({}));
  Tied() { b.weight = a.weight; }
  Tensor forward(const Tensor& x) override { return b(a(x)); }
  void members(nn::Visitor& visit) override {
    visit("scale", scale);
    visit("a", a);
    visit("b", b);
    visit.buffer("mean", mean);
  }
};

}  // namespace

TEST(Summary, OfASequential) {
  nn::Sequential model{nn::Linear(64, 64), nn::ReLU(), nn::Linear(64, 10)};
  EXPECT_EQ(summary(model), R"(module               parameters                  count
Sequential
  0: Linear(64, 64)  weight [64, 64], bias [64]   4160
  1: ReLU
  2: Linear(64, 10)  weight [10, 64], bias [10]    650
4810 parameters, 4810 of them trained
)");
}

TEST(Summary, OfNestedModules) {
  nn::Sequential model{nn::Sequential{Net(), nn::Tanh()}, nn::Linear(1, 2, {.bias = false})};
  EXPECT_EQ(summary(model), R"(module                      parameters               count
Sequential
  0: Sequential
    0: Net
      hidden: Linear(5, 4)  weight [4, 5], bias [4]     24
      out: Linear(4, 1)     weight [1, 4], bias [1]      5
    1: Tanh
  1: Linear(1, 2, no bias)  weight [2, 1]                2
31 parameters, 31 of them trained
)");
}

// A tied tensor counts where it stands first; buffers and frozen parameters are not trained.
TEST(Summary, CountsEachTensorOnce) {
  Tied model;
  model.a.bias.set_requires_grad(false);
  EXPECT_EQ(summary(model), R"(module                       parameters               count
(anonymous namespace)::Tied  scale [], mean [3]           4
  a: Linear(3, 3)            weight [3, 3], bias [3]     12
  b: Linear(3, 3)            weight [3, 3], bias [3]      3
19 parameters, 13 of them trained
)");
}

TEST(Summary, OfNothing) {
  nn::Sequential none;
  EXPECT_EQ(summary(none), "module      parameters  count\nSequential\n0 parameters, 0 of them trained\n");
  nn::ReLU relu_module;
  EXPECT_EQ(nn::summary(relu_module), "module  parameters  count\nReLU\n0 parameters, 0 of them trained\n");
}
