// Steps of multilayer perceptrons; useful operations are 4*in*h + 6*h*h + 6*h*out for each example.
#include <capstan/capstan.h>

#include <memory>

#include "bench.h"

using namespace capstan;

namespace {

struct Problem {
  Problem(std::int64_t in, std::int64_t h, std::int64_t out, std::int64_t batch)
      : x(randn({batch, in})),
        labels(zeros({batch}, DType::i64)),
        model{nn::Linear(in, h), nn::ReLU(), nn::Linear(h, h), nn::ReLU(), nn::Linear(h, out)},
        optimizer(model.parameters(), {.lr = 0.01}) {
    for (std::int64_t i = 0; i < batch; ++i) labels.data<std::int64_t>()[i] = i % out;
  }
  void step() {
    Tape tape;
    Tensor loss = cross_entropy(model(x), labels);
    optimizer.step(tape.gradients(loss));
  }
  Tensor x, labels;
  nn::Sequential model;
  optim::Adagrad optimizer;
};

void add(std::int64_t in, std::int64_t h, std::int64_t out, std::int64_t batch) {
  const std::string sizes = std::to_string(in) + "-" + std::to_string(h) + "-" + std::to_string(h) + "-" + std::to_string(out);
  auto p = std::make_shared<Problem>(in, h, out, batch);
  bench::loop("mlp/" + sizes, [=] { p->step(); });
  const double flops = static_cast<double>(batch) * static_cast<double>(4 * in * h + 6 * h * h + 6 * h * out);
  bench::report({.title = "MLP " + sizes + ", batch " + std::to_string(batch), .name = "mlp/" + sizes, .limit = "", .flops = flops});
}

}  // namespace

void bench::register_mlp() {
  add(20, 64, 10, 32);
  add(784, 256, 10, 128);
  add(784, 1024, 10, 256);
}
