#include <capstan/optim/adagrad.h>
#include <capstan/optim/sgd.h>

#include "support.h"

using namespace capstan;

// Modules, tape and optimizers together on tasks that a straight line cannot solve.

namespace {

/// The largest |model(x) - y| after training.
double error_after(nn::Module& model, optim::Optimizer& optimizer, const Tensor& x, const Tensor& y, int steps) {
  for (int i = 0; i < steps; ++i) {
    Tape tape;
    optimizer.step(tape.gradients(mse_loss(model(x), y)));
  }
  return max(abs(model(x) - y)).item();
}

struct Residual : nn::Module {
  nn::Sequential inner{nn::Linear(2, 8), nn::Tanh(), nn::Linear(8, 2)};
  nn::Linear out{2, 1};
  Tensor forward(const Tensor& x) override { return out(x + inner(x)); }
  void members(nn::Visitor& visit) override {
    visit("inner", inner);
    visit("out", out);
  }
};

}  // namespace

TEST(Training, LearnsExclusiveOr) {
  for (const DType dtype : {DType::f32, DType::f64}) {
    manual_seed(0);
    const Tensor x = tensor({{0, 0}, {0, 1}, {1, 0}, {1, 1}}, dtype), y = tensor({{0}, {1}, {1}, {0}}, dtype);
    nn::Sequential mlp{nn::Linear(2, 8), nn::Tanh(), nn::Linear(8, 1)};
    mlp.to(dtype);
    optim::Adagrad adagrad(mlp.parameters(), {.lr = 0.3});
    EXPECT_LT(error_after(mlp, adagrad, x, y, 500), 0.05) << name(dtype);
    EXPECT_EQ(mlp(x).dtype(), dtype);

    Residual residual;
    residual.to(dtype);
    optim::SGD sgd(residual.parameters(), {.lr = 0.05, .momentum = 0.9});
    EXPECT_LT(error_after(residual, sgd, x, y, 500), 0.05) << name(dtype);
  }
}

// Three clusters, told apart through cross entropy; a copy taken before training has learnt nothing.
TEST(Training, ToldApartByCrossEntropy) {
  manual_seed(1);
  const Tensor centres = tensor({{0, 0}, {4, 0}, {0, 4}}), noise = randn({90, 2});
  Tensor x = empty({90, 2});
  std::vector<std::int64_t> labels;
  for (std::int64_t i = 0; i < 90; ++i) {
    labels.push_back(i % 3);
    x.rows(i, i + 1).assign(centres.rows(i % 3, i % 3 + 1) + 0.5 * noise.rows(i, i + 1));
  }
  const Tensor y = tensor(labels);
  nn::Sequential model{nn::Linear(2, 16), nn::ReLU(), nn::Linear(16, 3)};
  nn::Sequential untrained = model.clone();
  const auto right = [&](nn::Module& m) {
    const Tensor guess = argmax(m(x), 1);
    int count = 0;
    for (std::int64_t i = 0; i < 90; ++i) count += guess.data<std::int64_t>()[i] == i % 3;
    return count;
  };
  optim::Adagrad adagrad(model.parameters(), {.lr = 0.1});
  for (int i = 0; i < 100; ++i) {
    Tape tape;
    adagrad.step(tape.gradients(cross_entropy(model(x), y)));
  }
  EXPECT_GE(right(model), 88);
  EXPECT_LE(right(untrained), 70);
}

// The optimizer made before a model moves goes on training it.
TEST(Training, GoesOnAfterAMove) {
  manual_seed(2);
  Net net;
  optim::SGD sgd(net.parameters(), {.lr = 0.05});
  nn::Sequential model{std::move(net), nn::Tanh()};
  const Tensor x = ones({3, 5}), y = full({3, 1}, 0.5);
  EXPECT_LT(error_after(model, sgd, x, y, 300), 0.02);
}
