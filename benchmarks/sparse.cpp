// A training step along 4,096 rows of a table: forward, gradients and Adagrad, beside one loop that sorts the rows and does the rest in one
// pass; the same in bags of 16 look-ups, which are added up. RMSProp, whose rows catch up with what their averages forget, and SparseAdam
// go beside Adagrad's loop. Rows are drawn evenly, or by Zipf's law, and never the same ones in the next steps, which would find them in
// the cache.
#include <capstan/capstan.h>
#include <capstan/optim/make.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>

#include "bench.h"
#include "limits.h"

using namespace capstan;

namespace {

constexpr std::int64_t looks = 4096, columns = 16;

struct Table {
  explicit Table(std::int64_t rows) : w(parameter(full({rows, columns}, 0.5))) {
    for (const char* method : methods) optimizers.push_back(optim::make(method, {{"w", w}}, {{"lr", 0.01}}));
  }
  static constexpr const char* methods[] = {"adagrad", "rmsprop", "sparse_adam"};
  Tensor w;
  std::vector<std::unique_ptr<optim::Optimizer>> optimizers;
};
struct ByHand {
  explicit ByHand(std::int64_t rows) : w(full({rows, columns}, 0.5)), s(zeros({rows, columns})) {}
  Tensor w, s;
};
struct Indices {
  Indices(std::int64_t rows, bool zipf) {
    std::mt19937_64 bits(5);
    for (Tensor& index : all) {
      index = empty({looks}, DType::i64);
      for (std::int64_t k = 0; k < looks; ++k) {
        const double u = static_cast<double>(bits() >> 11) * 0x1p-53;
        const double row = zipf ? std::pow(static_cast<double>(rows) + 1, u) - 1 : u * static_cast<double>(rows);
        index.data<std::int64_t>()[k] = std::min(static_cast<std::int64_t>(row), rows - 1);
      }
    }
  }
  const Tensor& next() { return all[at++ % std::size(all)]; }
  Tensor all[256];
  std::size_t at = 0;
};

void add(std::int64_t rows, const std::string& size) {
  const auto table = std::make_shared<Table>(rows);
  const auto by_hand = std::make_shared<ByHand>(rows);
  for (const bool zipf : {false, true}) {
    const auto indices = std::make_shared<Indices>(rows, zipf);
    const std::string name = "sparse/" + size + (zipf ? "/zipf" : "/uniform");
    for (std::size_t m = 0; m < std::size(Table::methods); ++m)
      bench::loop(name + "/" + Table::methods[m], [=] {
        Tape tape;
        table->optimizers[m]->step(tape.gradients(sum(square(index_select(table->w, 0, indices->next())))));
      });
    bench::loop(name + "/hand", [=] {
      benchmark::DoNotOptimize(
          limits::rows_step(by_hand->w.data<float>(), by_hand->s.data<float>(), indices->next().data<std::int64_t>(), looks, rows, 0.01f));
    });
    for (const std::string method : Table::methods)
      bench::report({.title = "4096 rows of " + size + " x 16" + (zipf ? ", Zipf, " : ", ") + method,
                     .name = name + "/" + method,
                     .limit = name + "/hand"});
    bench::loop(name + "/bags/ours", [=] {
      Tape tape;
      const Tensor index = indices->next().reshape({looks / limits::bag_length, limits::bag_length});
      table->optimizers[0]->step(tape.gradients(sum(square(embedding_bag(index, table->w)))));
    });
    bench::loop(name + "/bags/hand", [=] {
      benchmark::DoNotOptimize(
          limits::bags_step(by_hand->w.data<float>(), by_hand->s.data<float>(), indices->next().data<std::int64_t>(), looks, rows, 0.01f));
    });
    bench::report(
        {.title = "256 bags of 16, " + size + " x 16" + (zipf ? ", Zipf" : ""), .name = name + "/bags/ours", .limit = name + "/bags/hand"});
  }
}

}  // namespace

void bench::register_sparse() {
  add(16'384, "16384");
  add(1'000'000, "1M");
  add(10'000'000, "10M");
}
