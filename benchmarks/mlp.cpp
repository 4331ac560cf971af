// Steps of multilayer perceptrons; useful operations are 4*in*h + 6*h*h + 6*h*out for each example, 4*in*h + 6*h*out with one
// hidden layer.
#include <capstan/capstan.h>

#include <memory>

#include "bench.h"

using namespace capstan;

namespace {

struct Problem {
  Problem(std::int64_t in, std::int64_t out, std::int64_t batch, nn::Sequential net)
      : x(randn({batch, in})),
        y(out == 1 ? randn({batch, 1}) : zeros({batch}, DType::i64)),
        model(std::move(net)),
        optimizer(model.parameters(), {.lr = 0.01}) {
    for (std::int64_t i = 0; i < batch && out > 1; ++i) y.data<std::int64_t>()[i] = i % out;
  }
  void step() {
    Tape tape;
    Tensor loss = y.dtype() == DType::i64 ? cross_entropy(model(x), y) : mse_loss(model(x), y);
    optimizer.step(tape.gradients(loss));
  }
  Tensor x, y;
  nn::Sequential model;
  optim::Adagrad optimizer;
};

/// flops: of one example.
void add(const std::string& sizes, std::int64_t flops, std::int64_t batch, std::shared_ptr<Problem> p) {
  bench::loop("mlp/" + sizes, [=] { p->step(); });
  bench::report({.title = "MLP " + sizes + ", batch " + std::to_string(batch),
                 .name = "mlp/" + sizes,
                 .limit = "",
                 .flops = static_cast<double>(batch * flops)});
}

std::string joined(std::initializer_list<std::int64_t> sizes) {
  std::string text;
  for (const std::int64_t n : sizes) text += (text.empty() ? "" : "-") + std::to_string(n);
  return text;
}

void add(std::int64_t in, std::int64_t h, std::int64_t out, std::int64_t batch) {
  nn::Sequential net{nn::Linear(in, h), nn::ReLU(), nn::Linear(h, out)};
  add(joined({in, h, out}), 4 * in * h + 6 * h * out, batch, std::make_shared<Problem>(in, out, batch, std::move(net)));
}

void add_deep(std::int64_t in, std::int64_t h, std::int64_t out, std::int64_t batch) {
  nn::Sequential net{nn::Linear(in, h), nn::ReLU(), nn::Linear(h, h), nn::ReLU(), nn::Linear(h, out)};
  add(joined({in, h, h, out}), 4 * in * h + 6 * h * h + 6 * h * out, batch, std::make_shared<Problem>(in, out, batch, std::move(net)));
}

}  // namespace

void bench::register_mlp() {
  add(13, 32, 1, 64);
  add(100, 300, 7, 48);
  add_deep(20, 64, 10, 32);
  add_deep(784, 256, 10, 128);
  add_deep(784, 1024, 10, 256);
}
