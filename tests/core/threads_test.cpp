#include "support.h"

#include <capstan/core/axes.h>
#include <capstan/core/blas.h>
#include <capstan/core/compute.h>
#include <capstan/core/lapack.h>
#include <capstan/core/threads.h>

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <system_error>
#include <thread>

using namespace capstan;

extern "C" {
[[gnu::weak]] void openblas_set_num_threads(int);
[[gnu::weak]] int openblas_get_num_threads(void);
[[gnu::weak]] int openblas_get_parallel(void);
}

namespace {

/// The number of threads for one test, put back after it.
struct Threads : testing::Test {
  void TearDown() override { set_num_threads(before); }
  int before = num_threads();
};

void check_pieces(std::int64_t n, std::int64_t grain) {
  const auto size = static_cast<std::size_t>(n);
  const auto seen = std::make_unique<std::atomic<int>[]>(size);
  std::atomic<int> pieces = 0, wrong = 0;
  parallel_for(n, grain, [&](std::int64_t begin, std::int64_t end) {
    ++pieces;
    if (begin % grain != 0 || end != std::min(n, begin + grain)) ++wrong;
    for (std::int64_t i = begin; i < end; ++i) ++seen[static_cast<std::size_t>(i)];
  });
  EXPECT_EQ(wrong, 0) << n << " by " << grain;
  EXPECT_EQ(pieces, (n + grain - 1) / grain) << n << " by " << grain;
  for (std::size_t i = 0; i < size; ++i) ASSERT_EQ(seen[i], 1) << i << " of " << n << " by " << grain;
}

/// Each of n pieces waits for the others: n threads must be at it.
template <class Body>
void meet(int n, Body body) {
  std::atomic<int> inside = 0;
  parallel_for(n, 1, [&](std::int64_t, std::int64_t) {
    ++inside;
    while (inside < n) std::this_thread::yield();
    body();
  });
  EXPECT_EQ(inside, n);
}

}  // namespace

TEST_F(Threads, StartAtTheProcessesCpus) {
  if (const char* wish = std::getenv("CAPSTAN_NUM_THREADS"); wish && *wish) GTEST_SKIP() << "CAPSTAN_NUM_THREADS is " << wish;
  cpu_set_t set;
  ASSERT_EQ(sched_getaffinity(0, sizeof set, &set), 0);
  EXPECT_EQ(before, CPU_COUNT(&set));
}

TEST_F(Threads, CoverEachElementOnceInTheSamePieces) {
  for (const int threads : {1, 2, 3, 4, 8}) {
    set_num_threads(threads);
    EXPECT_EQ(num_threads(), threads);
    for (const std::int64_t n : {0, 1, 2, 3, 7, 63, 64, 65, 1000, 4097})
      for (const std::int64_t grain : {1, 2, 3, 16, 64, 1000, 5000}) check_pieces(n, grain);
  }
  parallel_for(-3, 2, [](std::int64_t, std::int64_t) { ADD_FAILURE(); });
}

TEST_F(Threads, FollowOneAnotherWithoutLosingAPiece) {
  set_num_threads(4);
  for (int round = 0; round < 20000; ++round) {
    std::atomic<std::int64_t> sum = 0;
    parallel_for(5, 1, [&](std::int64_t begin, std::int64_t) { sum += begin + 1; });
    ASSERT_EQ(sum, 15) << round;
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // all fall asleep
  check_pieces(1000, 1);
}

TEST_F(Threads, AllOfThemWork) {
  set_num_threads(3);
  meet(3, [] {});
}

#if !defined(__SANITIZE_THREAD__)  // it delivers signals late
// A signal takes the other thread off its work, as a busy processor does.
TEST_F(Threads, OneThatIsNotGivenAProcessorHoldsNothingUp) {
  static std::atomic<bool> held, hold;
  set_num_threads(2);
  pthread_t other{};
  meet(2, [&, self = std::this_thread::get_id()] {
    if (std::this_thread::get_id() != self) other = ::pthread_self();
  });
  held = false;
  hold = true;
  struct sigaction action = {}, previous = {};
  action.sa_handler = [](int) {
    held = true;
    while (hold) ::usleep(1000);
  };
  ASSERT_EQ(::sigaction(SIGUSR1, &action, &previous), 0);
  ASSERT_EQ(::pthread_kill(other, SIGUSR1), 0);
  while (!held) std::this_thread::yield();
  for (int round = 0; round < 2000; ++round) check_pieces(16, 1);
  hold = false;
  meet(2, [] {});
  ::sigaction(SIGUSR1, &previous, nullptr);
}
#endif

TEST_F(Threads, ACallFromInsideAPieceIsSerial) {
  for (const int threads : {1, 4}) {
    set_num_threads(threads);
    std::atomic<int> count = 0, elsewhere = 0;
    parallel_for(20, 1, [&](std::int64_t, std::int64_t) {
      const auto self = std::this_thread::get_id();
      parallel_for(10, 3, [&](std::int64_t begin, std::int64_t end) {
        if (std::this_thread::get_id() != self) ++elsewhere;
        count += static_cast<int>(end - begin);
      });
    });
    EXPECT_EQ(count, 200);
    EXPECT_EQ(elsewhere, 0);
  }
}

TEST_F(Threads, AnExceptionIsPassedOnAfterAllHaveEnded) {
  for (const int threads : {1, 2, 4}) {
    set_num_threads(threads);
    for (int round = 0; round < 50; ++round) {
      std::atomic<int> running = 0;
      const auto body = [&](std::int64_t begin, std::int64_t) {
        ++running;
        if (begin == 7) {
          --running;
          throw std::domain_error("seven");
        }
        std::this_thread::yield();
        --running;
      };
      try {
        parallel_for(40, 1, body);
        ADD_FAILURE() << "nothing was thrown";
      } catch (const std::domain_error& e) {
        EXPECT_STREQ(e.what(), "seven");
      }
      EXPECT_EQ(running, 0);
      EXPECT_THROW(parallel_for(8, 8, [](std::int64_t, std::int64_t) { throw 1; }), int);  // one piece
      EXPECT_THROW(parallel_for(8, 1, [&](std::int64_t, std::int64_t) { parallel_for(4, 1, [](std::int64_t, std::int64_t) { throw 1; }); }),
                   int);
      check_pieces(100, 7);  // the pool goes on
    }
  }
}

TEST_F(Threads, ThatCannotStartLeaveTheirPiecesToTheOthers) {
  pthread_attr_t given, impossible;
  ASSERT_EQ(pthread_getattr_default_np(&given), 0);
  ASSERT_EQ(pthread_attr_init(&impossible), 0);
  ASSERT_EQ(pthread_attr_setstacksize(&impossible, std::size_t{1} << 60), 0);
  set_num_threads(1);
  set_num_threads(4);
  ASSERT_EQ(pthread_setattr_default_np(&impossible), 0);
  EXPECT_THROW(std::thread([] {}).join(), std::system_error);
  check_pieces(1000, 7);
  ASSERT_EQ(pthread_setattr_default_np(&given), 0);
  pthread_attr_destroy(&given);
  pthread_attr_destroy(&impossible);
  check_pieces(1000, 7);
}

TEST_F(Threads, TwoThreadsMayCallAtOnce) {
  set_num_threads(4);
  std::vector<std::thread> callers;
  for (int k = 0; k < 3; ++k)
    callers.emplace_back([] {
      for (int round = 0; round < 300; ++round) check_pieces(50 + round % 7, 4);
    });
  for (std::thread& t : callers) t.join();
}

TEST_F(Threads, TheNumberMayChangeBetweenCallsAndFromOtherThreads) {
  std::atomic<bool> stop = false;
  std::thread changer([&] {
    for (int i = 0; !stop; ++i) set_num_threads(1 + i % 5);
  });
  for (int round = 0; round < 300; ++round) check_pieces(97, 5);
  stop = true;
  changer.join();
}

TEST_F(Threads, Refuse) {
  EXPECT_EQ(thrown([] { set_num_threads(0); }), "ValueError: [set_num_threads] the number of threads must be from 1 to 256: 0");
  EXPECT_EQ(thrown([] { set_num_threads(-2); }), "ValueError: [set_num_threads] the number of threads must be from 1 to 256: -2");
  EXPECT_EQ(thrown([] { set_num_threads(257); }), "ValueError: [set_num_threads] the number of threads must be from 1 to 256: 257");
  EXPECT_EQ(num_threads(), before);
  set_num_threads(2);
  EXPECT_EQ(thrown([] { parallel_for(4, 1, [](std::int64_t, std::int64_t) { set_num_threads(1); }); }),
            "ValueError: [set_num_threads] the number of threads cannot change inside parallel_for: 1");
  EXPECT_EQ(num_threads(), 2);
  EXPECT_EQ(thrown([] { parallel_for(4, 0, [](std::int64_t, std::int64_t) {}); }),
            "ValueError: [parallel_for] the grain must be positive: 0");
  EXPECT_EQ(thrown([] { parallel_for(4, -1, [](std::int64_t, std::int64_t) {}); }),
            "ValueError: [parallel_for] the grain must be positive: -1");
}

TEST_F(Threads, AnyNumberGivesTheSameBits) {
  using namespace kernels;
  const auto compute = []<class T>(T*) {
    constexpr DType dtype = dtype_of<T>;
    Numbers numbers(3);
    Tensor x = empty({3, 100003}, dtype), y = empty({3, 100003}, dtype), row = empty({100003}, dtype), a = empty({300, 200}, dtype),
           b = empty({200, 300}, dtype);
    for (const Tensor& t : {x, y, row, a, b})
      for (std::int64_t i = 0; i < t.numel(); ++i) t.data<T>()[i] = static_cast<T>(numbers.real(0.1, 2));
    Tensor c = empty({300, 300}, dtype), changed = x.clone();
    product<T>(300, 300, 200, {a.data<T>(), 200, 1}, {b.data<T>(), 300, 1}, c.data<T>(), nullptr, false);
    changed += y;
    changed *= row;
    changed -= 0.1;
    std::vector<Tensor> all = {c,
                               changed,
                               sum(x),
                               sum(x, 0, false),
                               sum(x, 1, true),
                               binary("pow", Binary::pow, x, y),
                               binary("mul", Binary::mul, x, row),
                               binary("sub", Binary::sub, 1.5, x),
                               transpose(x, 0, 1)};
    for (int kind = 0; kind < unary_count; ++kind) all.push_back(unary("unary", static_cast<Unary>(kind), x));
    return all;
  };
  const auto both = [&] {
    auto all = compute(static_cast<float*>(nullptr)), wide = compute(static_cast<double*>(nullptr));
    all.insert(all.end(), wide.begin(), wide.end());
    return all;
  };
  set_num_threads(1);
  const auto one = both();
  for (const int threads : {2, 4}) {
    set_num_threads(threads);
    const auto more = both();
    for (std::size_t i = 0; i < one.size(); ++i)
      EXPECT_TRUE(same_bits(one[i], more[i])) << "result " << i << " with " << threads << " threads";
  }
}

TEST(Blas, GetsItsThreadsBack) {
  if (!openblas_get_num_threads || !openblas_set_num_threads) GTEST_SKIP() << "the BLAS is not OpenBLAS";
  const auto factorise = [] {  // of LAPACK's: which products go to OpenBLAS depends on the processor
    const Tensor a = full({2, 2}, 2.0), l = empty({2, 2});
    a.data<float>()[0] = a.data<float>()[3] = 4;
    EXPECT_TRUE(kernels::cholesky<float>(2, a.data<float>(), l.data<float>()));
    EXPECT_EQ(l.data<float>()[0], 2);
  };
  const bool of_each_call = openblas_get_parallel && openblas_get_parallel() == 2;  // OpenMP's number is set for the call alone
  restore_blas_threads();
  const int before = openblas_get_num_threads();
  for (const int threads : {2, 1}) {
    openblas_set_num_threads(threads);
    const int had = openblas_get_num_threads();  // a build for one thread stays at one
    factorise();
    EXPECT_EQ(openblas_get_num_threads(), of_each_call ? had : 1);
    factorise();
    restore_blas_threads();
    EXPECT_EQ(openblas_get_num_threads(), had);
    restore_blas_threads();
    EXPECT_EQ(openblas_get_num_threads(), had);
  }
  openblas_set_num_threads(before);
}
