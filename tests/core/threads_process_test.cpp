// The environment's number of threads, and fork().
#include "support.h"

#include <capstan/core/blas.h>
#include <capstan/core/threads.h>

#include <sched.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "../child.h"

using namespace capstan;

namespace {

/// What this program prints in a process of its own with CAPSTAN_NUM_THREADS set to `value`.
std::string run_with(const std::string& value, const std::string& test) {
  char program[4096];
  const auto length = ::readlink("/proc/self/exe", program, sizeof program - 1);
  if (length < 0) return "no /proc/self/exe";
  program[length] = 0;
  const std::string command = "env CAPSTAN_NUM_THREADS='" + value + "' '" + program +
                              "' --gtest_also_run_disabled_tests --gtest_filter=ThreadsEnvironment.DISABLED_" + test + " 2>&1";
  std::FILE* pipe = ::popen(command.c_str(), "r");
  if (!pipe) return "no process";
  std::string text;
  char buffer[1024];
  while (const std::size_t n = std::fread(buffer, 1, sizeof buffer, pipe)) text.append(buffer, n);
  const int status = ::pclose(pipe);
  const std::size_t begin = text.find("<<"), end = text.find(">>");
  if (begin == std::string::npos || end == std::string::npos || status != 0) return "status " + std::to_string(status) + ": " + text;
  return text.substr(begin + 2, end - begin - 2);
}

/// How many of `n` threads have met in pieces that wait for each other; hangs where there are fewer.
int meet(int n) {
  std::atomic<int> inside = 0;
  parallel_for(n, 1, [&](std::int64_t, std::int64_t) {
    ++inside;
    while (inside < n) std::this_thread::yield();
  });
  return inside;
}

/// A product large enough for threads.
Tensor large_product() {
  const std::int64_t m = 100, n = 512, k = 400;
  Numbers numbers(5);
  const Tensor a = empty({m, k}), b = empty({k, n}), c = empty({m, n});
  for (const Tensor& t : {a, b})
    for (std::int64_t i = 0; i < t.numel(); ++i) t.data<float>()[i] = static_cast<float>(numbers.real(0.1, 2));
  kernels::product<float>(m, n, k, {a.data<float>(), k, 1}, {b.data<float>(), n, 1}, c.data<float>(), nullptr, false);
  return c;
}

struct ThreadsFork : testing::Test {
#if defined(__SANITIZE_THREAD__)
  void SetUp() override { GTEST_SKIP() << "ThreadSanitizer ends a child of a process with threads that starts others"; }
#endif
  void TearDown() override { set_num_threads(before); }
  int before = num_threads();
};

}  // namespace

// Not tests: what run_with() runs.
TEST(ThreadsEnvironment, DISABLED_Report) {
  const std::string error = thrown([] {
    const int first = num_threads();
    ::setenv("CAPSTAN_NUM_THREADS", "9", 1);  // too late
    const int later = num_threads(), met = meet(first);
    set_num_threads(2);
    std::printf("<<%d %d %d, then %d>>\n", first, later, met, num_threads());
  });
  if (error != "nothing") std::printf("<<%s>>\n", error.c_str());
}
TEST(ThreadsEnvironment, DISABLED_First) { std::printf("<<%d>>\n", num_threads()); }
TEST(ThreadsEnvironment, DISABLED_Errors) {
  int ran = 0;
  const auto body = [&](std::int64_t, std::int64_t) { ++ran; };
  const std::string error = thrown([&] { parallel_for(4, 1, body); });
  for (const std::string& again : {thrown([&] { parallel_for(4, 1, body); }), thrown([] { set_num_threads(2); }), thrown(num_threads)})
    if (again != error) std::printf("<<%s, then %s>>\n", error.c_str(), again.c_str());
  parallel_for(4, 4, body);  // one piece asks no pool
  std::printf("<<%s, %d>>\n", error.c_str(), ran);
}

TEST(ThreadsEnvironment, SaysTheNumberUntilTheProgramDoes) {
  for (const int n : {1, 2, 3, 7})
    EXPECT_EQ(run_with(std::to_string(n), "Report"), std::to_string(n) + " " + std::to_string(n) + " " + std::to_string(n) + ", then 2");
  EXPECT_EQ(run_with("256", "First"), "256");
  EXPECT_EQ(run_with("007", "First"), "7");
  cpu_set_t set;
  ASSERT_EQ(sched_getaffinity(0, sizeof set, &set), 0);
  EXPECT_EQ(run_with("", "First"), std::to_string(CPU_COUNT(&set)));
}

TEST(ThreadsEnvironment, IsRefused) {
  for (const std::string bad : {"abc", "0", "257", "-1", "+2", " 2", "2 ", "2.5", "0x2", "4294967297", "99999999999999999999"})
    EXPECT_EQ(run_with(bad, "Errors"), "ValueError: [CAPSTAN_NUM_THREADS] must be a whole number from 1 to 256: '" + bad + "', 1");
}

TEST_F(ThreadsFork, AChildStartsThreadsOfItsOwn) {
  set_num_threads(3);
  for (int round = 0; round < 20; ++round) {
    meet(3);
    EXPECT_EQ(in_a_child([] { return num_threads() == 3 ? meet(3) : 99; }), "exit 3");
  }
  EXPECT_EQ(in_a_child([] {
              meet(3);
              return in_a_child([] { return meet(3) + 10; }) == "exit 13" ? 4 : 5;  // a child's child
            }),
            "exit 4");
  EXPECT_EQ(in_a_child([] {
              set_num_threads(2);
              return meet(2);
            }),
            "exit 2");
  EXPECT_EQ(meet(3), 3);
}

TEST_F(ThreadsFork, AChildEnds) {
  set_num_threads(3);
  meet(3);
  std::fflush(stdout);
  EXPECT_EQ(in_a_child([]() -> int { std::exit(7); }), "exit 7");  // without a call of its own
  EXPECT_EQ(in_a_child([]() -> int {
              meet(3);
              std::exit(8);
            }),
            "exit 8");
}

TEST_F(ThreadsFork, AChildComputesTheSameBits) {
  set_num_threads(2);
  const Tensor expected = large_product();
  EXPECT_EQ(in_a_child([&] { return same_bits(large_product(), expected) ? 1 : 0; }), "exit 1");
  EXPECT_TRUE(same_bits(large_product(), expected));
}

// The children are made at every moment of what the other thread does, among them while it holds the pool.
TEST_F(ThreadsFork, AChildWorksWhileAnotherThreadUsesThePool) {
  set_num_threads(3);
  std::atomic<bool> stop = false;
  std::thread other([&] {
    while (!stop) parallel_for(64, 1, [](std::int64_t, std::int64_t) {});
  });
  for (int round = 0; round < 100; ++round) ASSERT_EQ(in_a_child([] { return meet(3); }), "exit 3") << round;
  stop = true;
  other.join();
}

TEST_F(ThreadsFork, FromInsideAPieceAChildMayOnlyExit) {
  set_num_threads(2);
  std::atomic<int> right = 0;
  parallel_for(4, 1, [&](std::int64_t, std::int64_t) {
    const std::string end = in_a_child([] {
      int sum = 0;
      parallel_for(5, 1, [&](std::int64_t i, std::int64_t) { sum += static_cast<int>(i); });  // serial
      return sum;
    });
    if (end == "exit 10") ++right;
  });
  EXPECT_EQ(right, 4);
}
