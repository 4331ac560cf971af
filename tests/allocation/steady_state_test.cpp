// The steady state of a training loop calls the allocator not once, and what a checkpoint saves. This program's malloc counts and passes on
// to glibc's; operator new and OpenBLAS end up in it too. It is left out, visibly, where sanitizers have a malloc of their own or the pool
// is off.
#include <capstan/capstan.h>
#include <capstan/core/pool.h>

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
}

namespace {
std::atomic<bool> counting{false};
std::atomic<long> calls{0};
std::atomic<std::size_t> bytes{0};
void count(std::size_t size) noexcept {
  if (!counting.load(std::memory_order_relaxed)) return;
  calls.fetch_add(1, std::memory_order_relaxed);
  bytes.fetch_add(size, std::memory_order_relaxed);
}
}  // namespace

extern "C" {
void* malloc(std::size_t size) {
  count(size);
  return __libc_malloc(size);
}
void* calloc(std::size_t number, std::size_t size) {
  count(number * size);
  return __libc_calloc(number, size);
}
void* realloc(void* old, std::size_t size) {
  count(size);
  return __libc_realloc(old, size);
}
void* memalign(std::size_t alignment, std::size_t size) {
  count(size);
  return __libc_memalign(alignment, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) { return memalign(alignment, size); }
int posix_memalign(void** block, std::size_t alignment, std::size_t size) {
  *block = memalign(alignment, size);
  return *block ? 0 : ENOMEM;
}
}

using namespace capstan;

namespace {

/// How many blocks all threads of the process ask for while `body` runs.
template <class Body>
long allocations(Body body) {
  calls = 0;
  counting = true;
  body();
  counting = false;
  return calls;
}

/// Keeps the compiler from leaving out a block that nobody looks at.
void* seen(void* block) {
  static void* volatile last;
  last = block;
  return last;
}

/// Warms up by two calls, then expects none in five more.
template <class Body>
void expect_none(Body body) {
  for (int i = 0; i < 2; ++i) body();
  EXPECT_EQ(allocations([&] {
              for (int i = 0; i < 5; ++i) body();
            }),
            0);
}

/// 103 rows, so that the last batch of 10 or 32 is a short one.
data::Dataset regression() { return {randn({103, 5}), randn({103, 1})}; }

data::Dataset classes(std::int64_t rows, std::int64_t columns) {
  const Tensor y = zeros({rows}, DType::i64);
  for (std::int64_t i = 0; i < rows; ++i) y.data<std::int64_t>()[i] = i % 10;
  return {randn({rows, columns}), y};
}

}  // namespace

TEST(Allocation, TheCounterCounts) {
  EXPECT_EQ(allocations([&] { ::operator delete(seen(::operator new(8))); }), 1);
  EXPECT_EQ(allocations([&] { std::free(seen(std::malloc(8))); }), 1);
  EXPECT_EQ(allocations([&] { std::free(seen(std::calloc(3, 5))); }), 1);
  EXPECT_EQ(allocations([&] { std::free(seen(std::realloc(seen(std::malloc(8)), 100'000))); }), 2);
  EXPECT_EQ(allocations([&] { std::free(seen(std::aligned_alloc(64, 128))); }), 1);
  EXPECT_EQ(allocations([&] { (void)std::to_string(1e300); }), 1);  // called inside the standard library
  empty_cache();                                                    // of an earlier run of this test
  Tensor fresh = empty({1});                                        // the pool has made its lists
  EXPECT_EQ(allocations([&] { fresh = empty({3'000'017}); }), 1);
  fresh = Tensor();
  EXPECT_EQ(allocations([&] { fresh = empty({3'000'017}); }), 0) << "the block was to come back from the pool";
}

TEST(Allocation, LinearRegression) {
  const data::Dataset set = regression();
  nn::Sequential model{nn::Linear(5, 1)};
  optim::Adagrad optimizer(model.parameters(), optim::AdagradOptions::d2l(0.1));
  expect_none([&] {
    for (auto [x, y] : data::Batches(set, {.batch_size = 10, .shuffle = true})) {
      Tape tape;
      optimizer.step(tape.gradients(mse_loss(model(x), y)));
    }
  });
}

TEST(Allocation, Wrappers) {
  const Tensor x = randn({10, 5}), y = randn({10, 1});
  nn::Sequential model{nn::Linear(5, 1)};
  optim::SGD sgd(model.parameters(), {.lr = 0.01, .momentum = 0.5});
  optim::Inject inject(sgd, {{"lr", optim::schedule::cosine(0.01, 900)}, {"momentum", optim::schedule::linear(0.5, 0.9, 900)}});
  optim::Lookahead inner(inject, {.period = 2}), outer(inner, {.period = 1});
  optim::EMA ema(model.parameters());
  expect_none([&] {
    Tape tape;
    outer.step(tape.gradients(mse_loss(model(x), y)));
    ema.update();
  });
}

// The same within one epoch: the loop has begun before anything is counted.
TEST(Allocation, InsideAnEpoch) {
  const data::Dataset set = regression();
  nn::Sequential model{nn::Linear(5, 1)};
  optim::Adagrad optimizer(model.parameters(), {.lr = 0.1});
  int step = 0;
  long counted = 0;
  calls = 0;
  for (auto [x, y] : data::Batches(set, {.batch_size = 2, .shuffle = true})) {
    if (++step == 5) counting = true;
    Tape tape;
    const Tensor loss = mse_loss(model(x), y);
    optimizer.step(tape.gradients(loss));
    if (step == 50) {
      counting = false;
      counted = calls;
    }
  }
  EXPECT_EQ(step, 52);
  EXPECT_EQ(counted, 0);
}

TEST(Allocation, SixOperationsThatAreNotFused) {
  const data::Dataset set = regression();
  const Tensor w = parameter(zeros({5, 1})), b = parameter(zeros({1}));
  optim::Adagrad optimizer(std::vector<Tensor>{w, b}, {.lr = 0.1});
  expect_none([&] {
    for (auto [x, y] : data::Batches(set.x, set.y, {.batch_size = 10, .shuffle = false})) {
      Tape tape;
      const Tensor loss = mean(square(matmul(x, w) + b - y)) * 0.5;
      optimizer.step(tape.gradients(loss));
    }
  });
}

TEST(Allocation, PerceptronWithCrossEntropy) {
  const data::Dataset set = classes(103, 20);
  nn::Sequential model{nn::Linear(20, 64), nn::ReLU(), nn::Linear(64, 64), nn::Tanh(), nn::Linear(64, 10)};
  optim::Adagrad optimizer(model.parameters(), {.lr = 0.05});
  expect_none([&] {
    double total = 0;
    for (auto [x, y] : data::Batches(set, {.batch_size = 32, .shuffle = true})) {
      Tape tape;
      const Tensor loss = cross_entropy(model(x), y);
      total += loss.item();
      optimizer.step(tape.gradients(loss));
    }
    EXPECT_GT(total, 0);
  });
}

// Large enough that BLAS computes the products and the pool's threads take part.
TEST(Allocation, PerceptronThroughBlas) {
  const data::Dataset set = classes(300, 784);
  nn::Sequential model{nn::Linear(784, 256), nn::ReLU(), nn::Linear(256, 256), nn::Sigmoid(), nn::Linear(256, 10)};
  optim::Adagrad optimizer(model.parameters(), {.lr = 0.05});
  expect_none([&] {
    for (auto [x, y] : data::Batches(set, {.batch_size = 128, .shuffle = true})) {
      Tape tape;
      optimizer.step(tape.gradients(cross_entropy(model(x), y)));
    }
  });
  const Tensor large = randn({400'000});
  expect_none([&] { (void)(exp(large) * large + 1); });
}

TEST(Allocation, TheOtherOptimizersAndDouble) {
  const Tensor x = randn({32, 8}, DType::f64), y = randn({32, 3}, DType::f64);
  nn::Sequential model{nn::Linear(8, 16, {.dtype = DType::f64}), nn::Tanh(), nn::Linear(16, 3, {.dtype = DType::f64})};
  optim::SGD sgd(model.parameters(), {.lr = 0.01, .momentum = 0.9, .nesterov = true, .weight_decay = 1e-4});
  optim::RMSProp rmsprop(model.parameters(), {.lr = 0.01, .momentum = 0.5, .centered = true});
  expect_none([&] {
    Tape tape;
    const Tensor loss = mse_loss(model(x), y);
    const Gradients g = tape.gradients(loss);
    sgd.step(g);
    rmsprop.step(g);
  });
}

TEST(Allocation, AccumulationClippingAndTapesThatNest) {
  const Tensor x = randn({32, 8}), y = randn({32, 3});
  nn::Sequential model{nn::Linear(8, 16), nn::ReLU(), nn::Linear(16, 3)};
  optim::Adagrad optimizer(model.parameters(), {.lr = 0.01});
  expect_none([&] {
    Gradients total;
    for (int part = 0; part < 4; ++part) {
      Tape tape;
      const Tensor in = x.rows(8 * part, 8 * part + 8);
      tape.watch(in);
      const Tensor out = model(in), loss = mse_loss(log_softmax(out), softmax(y.rows(8 * part, 8 * part + 8)));
      const double sensitivity = sum(abs(tape.gradient(loss, in))).item();
      Tape inner;
      const Gradients penalty = inner.gradients(sum(square(model(in))) * (1e-3 * sensitivity));
      Gradients g = tape.gradients(loss);
      g += penalty;
      total += g;
    }
    optimizer.step(clip_value(clip_norm(std::move(total *= 0.25), 1), 0.5));
  });
}

// A checkpoint keeps what goes into its function alone. With an empty pool, whose blocks are used again, the bytes asked for
// are those that the step needs at its fullest.
TEST(Allocation, CheckpointsSaveMemory) {
  const auto some_layers = [] { return nn::Sequential{nn::Linear(64, 64), nn::Tanh(), nn::Linear(64, 64), nn::Tanh()}; };
  std::vector<nn::Sequential> blocks;
  for (int i = 0; i < 8; ++i) blocks.emplace_back(some_layers(), some_layers(), some_layers());
  const Tensor x = randn({500, 64});
  const auto needed = [&](bool checkpoints) {
    empty_cache();
    bytes = 0;
    (void)allocations([&] {
      Tape tape;
      Tensor h = x;
      for (nn::Sequential& block : blocks)
        h = checkpoints ? checkpoint([&block](const std::vector<Tensor>& in) { return block(in[0]); }, {h}) : block(h);
      (void)tape.gradients(mean(square(h)));
    });
    return static_cast<double>(bytes);
  };
  (void)needed(false), (void)needed(true);  // the tape's own memory
  const double all = needed(false), some = needed(true);
  std::printf("%.2f MB without checkpoints, %.2f MB with 8\n", all / 1e6, some / 1e6);
  EXPECT_GE(all, 8 * 6 * 500 * 64 * 4);  // every Tanh's result is kept
  EXPECT_LE(some, all / 2);
}

TEST(Allocation, Evaluation) {
  const data::Dataset set = classes(103, 20);
  nn::Sequential model{nn::Linear(20, 64), nn::ReLU(), nn::Linear(64, 10)};
  double found = 0;
  expect_none([&] {
    for (auto [x, y] : data::Batches(set, {.batch_size = 32, .shuffle = false})) found += metrics::accuracy(model(x), y);
    found += max(min(set.x, 1)).item();
    found += max(sum(model(set.x), 1)).item();
  });
}
