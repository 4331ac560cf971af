// Tapes of several threads on one shared model, and very long tapes.
#include <capstan/core/threads.h>

#include <atomic>
#include <ctime>
#include <thread>

#include "support.h"

using namespace capstan;

namespace {

struct Model {
  Tensor w = parameter(numbers({8, 5})), b = parameter(numbers({8}, -1, 1, 1)), v = parameter(numbers({1, 8}, -1, 1, 2));
  Tensor loss(const Tensor& x, const Tensor& y) const { return sum(square(linear(tanh(linear(x, w, b)), v) - y)); }
};

}  // namespace

TEST(TapeThreads, GradientsOfPartsAddUpToThoseOfTheWhole) {
  const Model model;
  const Tensor x = numbers({64, 5}, -1, 1, 5), y = numbers({64, 1}, -1, 1, 6);
  Tape tape;
  const Gradients whole = tape.gradients(model.loss(x, y));
  for (int repeat = 0; repeat < 20; ++repeat) {
    Gradients parts[4];
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&, i] {
        Tape own;
        parts[i] = own.gradients(model.loss(x.rows(16 * i, 16 * i + 16), y.rows(16 * i, 16 * i + 16)));
      });
    for (std::thread& t : threads) t.join();
    for (int i = 1; i < 4; ++i) parts[0] += parts[i];
    EXPECT_EQ(parts[0].size(), 3u);
    for (const Tensor& t : {model.w, model.b, model.v}) EXPECT_TRUE(near(parts[0][t], whole[t], 1e-13));
    EXPECT_NEAR(parts[0].loss(), whole.loss(), 1e-12 * whole.loss());
  }
}

// Each product is large enough for the pool, which serves one thread at a time: the others compute theirs alone.
TEST(TapeThreads, EightTapesOnOneModelWithProductsForThePool) {
  const int before = num_threads();
  const auto single = [](const Shape& shape, int stream) { return numbers(shape, -0.1, 0.1, stream).to(DType::f32); };
  const Tensor w = parameter(single({256, 784}, 0)), b = parameter(single({256}, 1)), v = parameter(single({10, 256}, 2)),
               x = single({8 * 96, 784}, 3), y = single({8 * 96, 10}, 4);
  const auto gradients_of_part = [&](int i) {
    Tape tape;
    const Tensor hidden = tanh(linear(x.rows(96 * i, 96 * i + 96), w, b));
    return tape.gradients(sum(square(linear(hidden, v) - y.rows(96 * i, 96 * i + 96))));
  };
  set_num_threads(1);
  Gradients expected = gradients_of_part(0);
  for (int i = 1; i < 8; ++i) expected += gradients_of_part(i);
  Tape tape;
  const Gradients whole = tape.gradients(sum(square(linear(tanh(linear(x, w, b)), v) - y)));
  set_num_threads(4);
  for (int repeat = 0; repeat < 5; ++repeat) {
    Gradients parts[8];
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) threads.emplace_back([&, i] { parts[i] = gradients_of_part(i); });
    for (std::thread& t : threads) t.join();
    for (int i = 1; i < 8; ++i) parts[0] += parts[i];
    EXPECT_EQ(parts[0].size(), 3u);
    EXPECT_EQ(parts[0].loss(), expected.loss());
    for (const Tensor& t : {w, b, v}) {
      EXPECT_TRUE(same_bits(parts[0][t], expected[t]));
      EXPECT_TRUE(near(parts[0][t], whole[t], 1e-4));
    }
  }
  set_num_threads(before);
}

TEST(TapeThreads, EachMakesAndDropsItsOwnParametersMeanwhile) {
  const Model shared;
  const Tensor x = numbers({16, 5}, -1, 1, 5), y = numbers({16, 1}, -1, 1, 6);
  Tape tape;
  const Gradients expected = tape.gradients(shared.loss(x, y));
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int step = 0; step < 200; ++step) {
        const Tensor own = parameter(full({1}, 2, DType::f64));
        Tape mine;
        const Gradients g = mine.gradients(shared.loss(x, y) * own);
        if (g.size() != 4 || std::abs(g[own].item() - expected.loss()) > 1e-12 * expected.loss()) ++wrong;
        if (!near(g[shared.w], expected[shared.w] * 2, 1e-12)) ++wrong;
      }
    });
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(wrong.load(), 0);
}

TEST(TapeThreads, EachWatchesTheSameConstant) {
  for (int repeat = 0; repeat < 100; ++repeat) {
    const Tensor x = d({2, 3});
    std::atomic<int> waiting{2}, wrong{0};
    const auto work = [&] {
      --waiting;
      while (waiting.load() > 0) std::this_thread::yield();
      Tape tape;
      tape.watch(x);
      const Gradients g = tape.gradients(sum(x * x));
      if (!g.contains(x) || values(g[x]) != Values{4, 6}) ++wrong;
    };
    std::thread first(work), second(work);
    first.join();
    second.join();
    ASSERT_EQ(wrong.load(), 0);
  }
}

TEST(TapeThreads, GradientsGoFromThreadToThread) {
  const Tensor w = p({2, 3});
  Gradients g;
  std::thread([&] {
    Tape tape;
    g = tape.gradients(sum(w * w));
  }).join();
  g *= 2;
  EXPECT_EQ(values(g[w]), (Values{8, 12}));
}

TEST(LongTape, AMillionOperations) {
  constexpr int operations = 1'000'000;
  const double factor = 1 + 1e-6;
  const Tensor w = p(1), c = d(factor);
  const auto seconds_of = [&](int n) {
    const std::clock_t start = std::clock();  // of the processor: other programs have theirs
    Tape tape;
    Tensor y = w;
    for (int i = 0; i < n; ++i) y = y * c;  // each saves its input: a chain as long as the tape
    EXPECT_EQ(tape.size(), static_cast<std::size_t>(n));
    const Gradients g = tape.gradients(y);
    EXPECT_NEAR(g[w].item(), std::pow(factor, n), 1e-8);
    EXPECT_EQ(tape.size(), 0u);
    return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  };
  double few = seconds_of(operations / 100);
  for (int i = 0; i < 4; ++i) few = std::min(few, seconds_of(operations / 100));
  const double many = seconds_of(operations);
  RecordProperty("nanoseconds_each_of_ten_thousand", static_cast<int>(few / operations * 100 * 1e9));
  RecordProperty("nanoseconds_each_of_a_million", static_cast<int>(many / operations * 1e9));
  EXPECT_LT(many, few * 100 * 30) << "the cost of an operation grows with the tape";
}

TEST(LongTape, OneTensorUsedAHundredThousandTimes) {
  const Tensor w = p({1, 2});
  Tape tape;
  Tensor total = sum(w);
  for (int i = 1; i < 100'000; ++i) total = total + sum(w);
  EXPECT_EQ(values(tape.gradients(total)[w]), (Values{1e5, 1e5}));
}

TEST(LongTape, AHundredThousandParameters) {
  std::vector<Tensor> ws;
  for (int i = 0; i < 100'000; ++i) ws.push_back(p(1));
  Tape tape;
  Tensor total = ws[0] * 0;
  for (std::size_t i = 1; i < ws.size(); ++i) total = total + ws[i] * static_cast<double>(i);
  const Gradients g = tape.gradients(total);
  EXPECT_EQ(g.size(), ws.size());
  for (std::size_t i = 0; i < ws.size(); ++i) ASSERT_EQ(g[ws[i]].item(), static_cast<double>(i));
}
