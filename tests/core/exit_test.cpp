// exit() from where a program stands: inside a piece, in a signal handler, at the end of a thread.
#include "support.h"

#include <capstan/autograd/ops.h>
#include <capstan/autograd/tape.h>
#include <capstan/core/process_lock.h>
#include <capstan/core/threads.h>

#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "../child.h"

using namespace capstan;

namespace {

const Tensor of_static_storage = ones({1000});
const Tensor large_of_static_storage = parameter(ones({400'000}));

double sum_of_pieces() {
  std::atomic<std::int64_t> sum = 0;
  parallel_for(10, 1, [&](std::int64_t i, std::int64_t) { sum += i; });
  return static_cast<double>(sum);
}

double one_step() {
  const Tensor w = parameter(full({3}, 2));
  Tape tape;
  return tape.gradients(sum(square(w)))[w].data<float>()[0];
}

/// A computation in a destructor: after main(), or at the end of a thread.
struct AtTheEnd {
  bool wanted = false;
  double* sum = nullptr;
  ~AtTheEnd() {
    if (!wanted) return;
    const double found = sum_of_pieces() + one_step() + of_static_storage.data<float>()[0];
    if (sum)
      *sum = found;
    else
      ::_exit(static_cast<int>(found));
  }
};
AtTheEnd after_main;
thread_local AtTheEnd at_thread_end;

/// Ends the process when it has computed for 3 ms, wherever it is then.
template <class Work>
[[noreturn]] void work_until_a_signal(Work work) {
  std::signal(SIGVTALRM, [](int) { std::exit(7); });
  const itimerval soon{{0, 0}, {0, 3000}};
  ::setitimer(ITIMER_VIRTUAL, &soon, nullptr);
  for (;;) work();
}

struct Exit : testing::Test {
#if defined(__SANITIZE_THREAD__)
  void SetUp() override { GTEST_SKIP() << "ThreadSanitizer ends a child of a process with threads that starts others"; }
#endif
  void TearDown() override { set_num_threads(before); }
  int before = num_threads();
};

/// in_a_child(), where a child that hangs is ended after ten seconds.
template <class Body>
std::string end_of(Body body) {
  std::fflush(stdout);
  return in_a_child([&]() -> int {
    ::alarm(10);
    return body();
  });
}

}  // namespace

TEST_F(Exit, InsideAPiece) {
  for (const int threads : {1, 3})
    for (int round = 0; round < 20; ++round)
      ASSERT_EQ(end_of([&]() -> int {
                  set_num_threads(threads);
                  parallel_for(64, 1, [](std::int64_t i, std::int64_t) {
                    if (i == 40) std::exit(7);
                  });
                  return 1;
                }),
                "exit 7")
          << threads << " threads, round " << round;
}

TEST_F(Exit, QuicklyInsideAPiece) {
  EXPECT_EQ(end_of([]() -> int {
              set_num_threads(3);
              parallel_for(64, 1, [](std::int64_t i, std::int64_t) {
                if (i == 40) std::quick_exit(8);
              });
              return 1;
            }),
            "exit 8");
}

TEST_F(Exit, InASignalHandler) {
  for (int round = 0; round < 20; ++round)
    ASSERT_EQ(end_of([]() -> int {
                set_num_threads(3);
                work_until_a_signal([] { sum_of_pieces(); });
              }),
              "exit 7")
        << round;
}

// While threads come and go.
TEST_F(Exit, InASignalHandlerThatInterruptsSetNumThreads) {
  for (int round = 0; round < 5; ++round)
    ASSERT_EQ(end_of([]() -> int {
                work_until_a_signal([] {
                  volatile double x = 0;
                  for (int i = 0; i < 100; ++i) x = x + 1;
                  set_num_threads(1);
                });
              }),
              "exit 7")
        << round;
}

TEST_F(Exit, WhileOtherThreadsCompute) {
  for (int round = 0; round < 10; ++round)
    ASSERT_EQ(end_of([]() -> int {
                set_num_threads(3);
                std::atomic<int> runs = 0;
                std::thread([&] {
                  for (;;) {
                    sum_of_pieces();
                    ++runs;
                  }
                }).detach();
                while (runs < 10) std::this_thread::yield();
                std::exit(7);
              }),
              "exit 7")
        << round;
}

TEST_F(Exit, DestructorsOfStaticStorageMayCompute) {
  EXPECT_EQ(end_of([]() -> int {
              set_num_threads(3);
              sum_of_pieces();
              after_main.wanted = true;
              std::exit(1);
            }),
            "exit 50");
  EXPECT_EQ(end_of([]() -> int {
              set_num_threads(3);
              after_main.wanted = true;
              parallel_for(64, 1, [](std::int64_t i, std::int64_t) {
                if (i == 40) std::exit(1);
              });
              return 1;
            }),
            "exit 50");
}

TEST_F(Exit, DestructorsOfAThreadMayCompute) {
  set_num_threads(3);
  double sum = 0;
  std::thread([&] {
    at_thread_end.wanted = true;  // begins before the thread's lists and tapes, so it ends after them
    at_thread_end.sum = &sum;
    one_step();
  }).join();
  EXPECT_EQ(sum, 50);
}

// What a signal handler's exit() finds that has interrupted a thread with the lock held.
TEST(ProcessLock, IsTakenOnceByAThread) {
  std::mutex mutex;
  static thread_local volatile std::sig_atomic_t held = 0;
  {
    const detail::ProcessLock lock(mutex, held);
    EXPECT_TRUE(lock.taken());
    {
      const detail::ProcessLock again(mutex, held);
      EXPECT_FALSE(again.taken());
    }
    const detail::ProcessLock once_more(mutex, held);
    EXPECT_FALSE(once_more.taken());
    std::thread([&] { EXPECT_FALSE(mutex.try_lock()); }).join();
  }
  const detail::ProcessLock lock(mutex, held);
  EXPECT_TRUE(lock.taken());
}
