// Training with the pool's threads: the same bits for any number of them, in a second thread and in a child process.
#include <capstan/core/threads.h>
#include <capstan/optim/adagrad.h>
#include <capstan/optim/adam.h>

#include <thread>

#include "../child.h"
#include "support.h"

using namespace capstan;

namespace {

/// At these sizes the products, the element-wise loops over [128, 1024] and the optimizer's update of the first weight are all
/// shared among threads.
struct Problem {
  Tensor x = randn({128, 784}), labels = argmax(randn({128, 10}), 1);
  nn::Sequential model{nn::Linear(784, 1024), nn::Tanh(), nn::Linear(1024, 10)};
};

/// The bits of the losses, the parameters and the optimizer's state after a few steps.
template <class Optimizer>
std::string trained(Problem& problem) {
  Optimizer optimizer(problem.model.parameters(), {.lr = 0.01});
  std::string all;
  for (int step = 0; step < 4; ++step) {
    Tape tape;
    const Tensor loss = cross_entropy(problem.model(problem.x), problem.labels);
    optimizer.step(tape.gradients(loss));
    all += bits(loss);
  }
  return all + bits(problem.model.state()) + bits(optimizer.state());
}

/// Once with each of two methods, from a seed.
std::string trained_with(int threads, std::uint64_t seed = 3) {
  set_num_threads(threads);
  manual_seed(seed);
  Problem first, second;
  const std::string all = trained<optim::Adagrad>(first);
  return all + trained<optim::Adam>(second);
}

struct TrainingThreads : testing::Test {
  void TearDown() override { set_num_threads(before); }
  int before = num_threads();
};

}  // namespace

TEST_F(TrainingThreads, AnyNumberGivesTheSameBits) {
  const std::string one = trained_with(1);
  ASSERT_GT(one.size(), std::size_t{784} * 1024 * sizeof(float) * 5);  // two weights, one state of Adagrad, two of Adam
  for (const int threads : {2, 3, 4, 8}) EXPECT_TRUE(trained_with(threads) == one) << threads << " threads";
}

TEST_F(TrainingThreads, OneSeedGivesTheSameBitsAgainAndAnotherGivesOthers) {
  const std::string first = trained_with(4);
  EXPECT_TRUE(trained_with(4) == first);
  EXPECT_FALSE(trained_with(4, 4) == first);
}

TEST_F(TrainingThreads, ASecondThreadMayTrainAtTheSameTime) {
  set_num_threads(1);
  manual_seed(5);
  Problem a, b;
  Problem a_again{a.x, a.labels, a.model.clone()}, b_again{b.x, b.labels, b.model.clone()};
  const std::string expected_a = trained<optim::Adagrad>(a_again), expected_b = trained<optim::Adam>(b_again);
  set_num_threads(3);
  std::string from_b;
  std::thread second([&] { from_b = trained<optim::Adam>(b); });
  const std::string from_a = trained<optim::Adagrad>(a);
  second.join();
  EXPECT_TRUE(from_a == expected_a);
  EXPECT_TRUE(from_b == expected_b);
}

TEST_F(TrainingThreads, AChildOfAForkTrainsToTheSameBits) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "ThreadSanitizer ends a child of a process with threads that starts others";
#endif
  const std::string expected = trained_with(2);  // the parent has threads by now
  for (const int threads : {2, 3, 1})
    EXPECT_EQ(in_a_child([&] { return trained_with(threads) == expected ? 1 : 0; }), "exit 1") << threads << " threads";
  EXPECT_TRUE(trained_with(2) == expected);
}
