// Linear regression 5 -> 1 with batches of 10: what a step costs when there is almost nothing to compute.
#include <capstan/capstan.h>

#include <memory>

#include "bench.h"
#include "limits.h"

using namespace capstan;

namespace {

constexpr std::int64_t examples = 1500, batch = 10, steps = examples / batch;

struct Problem {
  explicit Problem(DType dtype)
      : x(randn({examples, 5}, dtype)),
        y(randn({examples, 1}, dtype)),
        layer(5, 1, {.dtype = dtype}),
        optimizer(layer.parameters(), optim::AdagradOptions::d2l(0.1)) {}
  Tensor x, y;
  nn::Linear layer;
  optim::Adagrad optimizer;
};

void epoch(nn::Module& model, Problem& p) {
  for (auto [x, y] : data::Batches(p.x, p.y, {.batch_size = batch})) {
    Tape tape;
    Tensor loss = mse_loss(model(x), y);
    p.optimizer.step(tape.gradients(loss));
  }
}

void unfused_epoch(Problem& p, const Tensor& w) {
  for (auto [x, y] : data::Batches(p.x, p.y, {.batch_size = batch})) {
    Tape tape;
    Tensor loss = mean(square(matmul(x, w) + p.layer.bias - y)) / 2;
    p.optimizer.step(tape.gradients(loss));
  }
}

}  // namespace

void bench::register_linear() {
  auto f32 = std::make_shared<Problem>(DType::f32), f64 = std::make_shared<Problem>(DType::f64),
       six = std::make_shared<Problem>(DType::f32);
  auto weight = std::make_shared<Tensor>(parameter(zeros({5, 1})));
  six->optimizer.add_parameters({{"weight_t", *weight}});
  auto model = std::make_shared<limits::Linear>();
  loop("linear/hand",
       [=] { benchmark::DoNotOptimize(limits::linear_epoch(*model, f32->x.data<float>(), f32->y.data<float>(), examples, batch, 0.1f)); });
  loop("linear/f32", [=] { epoch(f32->layer, *f32); });
  loop("linear/f64", [=] { epoch(f64->layer, *f64); });
  loop("linear/six", [=] { unfused_epoch(*six, *weight); });
  report({.title = "linear 5 -> 1, batch 10, Adagrad", .name = "linear/f32", .limit = "linear/hand", .steps = steps});
  report({.title = "the same in six unfused operations", .name = "linear/six", .limit = "linear/hand", .steps = steps});
  report({.title = "linear in f64, beside f32", .name = "linear/f64", .limit = "linear/f32", .steps = steps});
}
