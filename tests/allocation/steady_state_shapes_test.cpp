#include <capstan/capstan.h>

#include <gtest/gtest.h>
#include <malloc.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

// Steps that have another shape each time: the process does not grow. Blocks are of less than 1 MB; larger ones, of which none fits
// another's need, are kept up to 64 MB, which takes more steps to fill.

using namespace capstan;

namespace {

struct Memory {
  double resident, taken;  // MB that the process has in memory, and MB that it has from malloc, the pool's free blocks among them
};

Memory memory() {
  long all = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> all >> resident;
  const struct mallinfo2 info = ::mallinfo2();
  return {static_cast<double>(resident * ::sysconf(_SC_PAGESIZE)) / 1e6, static_cast<double>(info.uordblks + info.hblkhd) / 1e6};
}

struct Classifier {
  nn::Embedding embedding{100, 24};
  nn::Sequential head{nn::Linear(24, 32), nn::ReLU(), nn::Dropout(0.1), nn::Linear(32, 5)};
  Parameters parameters() {
    Parameters all = head.parameters();
    all.insert("embedding", embedding.weight);
    return all;
  }
  Tensor operator()(const Tensor& words) { return head(mean(embedding(words), 1)); }
};

}  // namespace

TEST(Allocation, ShapesThatChangeWithEachStep) {
  Classifier model;
  optim::Adagrad optimizer(model.parameters(), {.lr = 0.05});
  Generator draws{11};
  const auto below = [&](double most) { return static_cast<std::int64_t>(most * draws.uniform()); };
  const auto indices = [&](const Shape& shape, double most) {
    const Tensor t = empty(shape, DType::i64);
    for (std::int64_t i = 0; i < t.numel(); ++i) t.data<std::int64_t>()[i] = (i * i + below(most)) % static_cast<std::int64_t>(most);
    return t;
  };
  Memory before{};
  for (int step = 0; step < 10'000; ++step) {
    if (step == 1000) before = memory();
    const std::int64_t batch = 1 + below(16), length = 1 + below(step % 10 == 0 ? 400 : 40);  // seldom a long one
    const Tensor words = indices({batch, length}, 100), classes = indices({batch}, 5);
    Tape tape;
    optimizer.step(tape.gradients(cross_entropy(model(words), classes)));
  }
  const Memory after = memory();
  std::printf("after 1,000 steps %.1f MB resident, %.1f from malloc; after 10,000 %.1f and %.1f\n", before.resident, before.taken,
              after.resident, after.taken);
  EXPECT_LE(after.resident, 1.03 * before.resident);
  EXPECT_LE(after.taken, 1.03 * before.taken);
}
