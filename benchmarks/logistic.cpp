// A training step of logistic regression by Adagrad: 1M features, 40 of them in each example, in batches of 256 and of 1. Beside one loop,
// which for a batch of 1 goes on to the next example, and for 256 sorts the slopes.
#include <capstan/capstan.h>

#include <algorithm>
#include <memory>
#include <random>

#include "bench.h"
#include "limits.h"

using namespace capstan;

namespace {

constexpr std::int64_t features = 1'000'000, examples = 256 * 160;

struct Data {
  Data() : y(empty({examples})) {
    std::mt19937_64 bits(5);
    std::normal_distribution<double> normal;
    CsrBuilder builder(features);
    for (std::int64_t i = 0; i < examples; ++i) {
      for (int k = 0; k < limits::nonzeros; ++k) builder.add(static_cast<std::int64_t>(bits() % features), k % 2 ? 1 : normal(bits));
      builder.end_row();
      y.data<float>()[i] = static_cast<float>(bits() % 2);
    }
    x = builder.take();
    // Of two look-ups of one column the builder made one: the plain loop takes a 0 for the other.
    plain.resize(static_cast<std::size_t>(examples * limits::nonzeros));
    for (std::int64_t i = 0; i < examples; ++i)
      for (std::int64_t e = x.crow().data<std::int64_t>()[i], k = 0; e < x.crow().data<std::int64_t>()[i + 1]; ++e, ++k)
        plain[static_cast<std::size_t>(i * limits::nonzeros + k)] = {static_cast<std::int32_t>(x.col().data<std::int64_t>()[e]),
                                                                     x.values().data<float>()[e]};
  }
  CsrMatrix x;
  Tensor y;
  std::vector<limits::Feature> plain;
};

void add(const std::shared_ptr<Data>& data, std::int64_t batch, double slowest) {
  const std::string name = "sparse/logistic/" + std::to_string(batch);
  struct Model {
    nn::SparseLinear linear{features, {.bias = false}};
    optim::Adagrad optimizer{linear.parameters(), {.lr = 0.1}};
    std::int64_t at = 0;
  };
  const auto model = std::make_shared<Model>();
  bench::loop(name + "/ours", [=] {
    Model& m = *model;
    const std::int64_t begin = m.at, end = begin + batch;
    m.at = end % examples;
    Tape tape;
    m.optimizer.step(tape.gradients(binary_cross_entropy_with_logits(m.linear(data->x.rows(begin, end)), data->y.rows(begin, end))));
  });
  struct ByHand {
    Tensor w = zeros({2 * features});  // w and s, in one for 256
    std::int64_t at = 0;
  };
  const auto by_hand = std::make_shared<ByHand>();
  bench::loop(name + "/hand", [=] {
    ByHand& h = *by_hand;
    float* const w = h.w.data<float>();
    const limits::Feature* x = data->plain.data() + h.at * limits::nonzeros;
    const float* y = data->y.data<float>() + h.at;
    const bool more = h.at + batch + 2 < examples;
    benchmark::DoNotOptimize(batch == 1 ? limits::logistic_example(w, w + features, x, *y, 0.1f, more)
                                        : limits::logistic_batch(w, x, y, batch, 0.1f));
    h.at = (h.at + batch) % examples;
  });
  bench::report({.title = "logistic, 1M features, batch " + std::to_string(batch),
                 .name = name + "/ours",
                 .limit = name + "/hand",
                 .slowest = slowest});
}

}  // namespace

void bench::register_logistic() {
  const auto data = std::make_shared<Data>();
  add(data, 256, 2);
  add(data, 1, 4);
}
