// What waits to be used again, and what goes back to the system.
#include "support.h"

#include <capstan/core/memory.h>
#include <capstan/core/pool.h>

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <new>
#include <thread>

#include "../child.h"

using namespace capstan;

namespace {

constexpr double megabyte = 1 << 20;

/// What is allocated, in MB, also where nobody has written.
double allocated() {
  const struct mallinfo2 info = ::mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd) / megabyte;
}

/// The address space of this process, in MB.
double address_space() {
  long total = 0;
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  if (!file || std::fscanf(file, "%ld", &total) != 1) ADD_FAILURE() << "/proc/self/statm";
  if (file) std::fclose(file);
  return static_cast<double>(total) * static_cast<double>(sysconf(_SC_PAGESIZE)) / megabyte;
}

Tensor megabytes(double n) { return empty({static_cast<std::int64_t>(n * megabyte)}, DType::boolean); }

std::vector<Tensor> many(int count, double each) {
  std::vector<Tensor> all;
  for (int i = 0; i < count; ++i) all.push_back(megabytes(each));
  return all;
}

struct Memory : testing::Test {
  void SetUp() override {
    zeros({1});
    if (detail::free_lists[0].limit == 0) GTEST_SKIP() << "every tensor is a malloc of its own";
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
    GTEST_SKIP() << "the sanitizer has a memory of its own";
#endif
    empty_cache();
    before = allocated();
  }
  void TearDown() override { empty_cache(); }
  /// How much more the process has now than at the start.
  double more() const { return allocated() - before; }
  double before = 0;
};

/// In a child that may have so many MB more than it has now: whether `body` found memory for all.
template <class Body>
std::string with_megabytes(double allowed, Body body) {
  return in_a_child([&] {
    const auto bytes = static_cast<rlim_t>((address_space() + allowed) * megabyte);
    const rlimit limit{bytes, bytes};
    if (::setrlimit(RLIMIT_AS, &limit) != 0) return 3;
    try {
      body();
      return 0;
    } catch (const std::bad_alloc&) {
      return 1;
    }
  });
}

}  // namespace

TEST_F(Memory, ALargeTensorTakesWhatItIsLarge) {
  for (const double size : {1.5, 3., 33., 65., 257., 513., 1025., 1537.}) {
    const double start = allocated();
    const Tensor t = megabytes(size);
    EXPECT_GE(allocated() - start, size - 0.1) << size;
    EXPECT_LE(allocated() - start, size + 4.1) << size;  // the alignment to a huge page
  }
}

TEST_F(Memory, TensorsOneAtATimeLeaveNoMoreThanTheLargest) {
  for (int size = 100; size <= 1200; size += 100) megabytes(size);
  EXPECT_LE(more(), 1210);
  for (int size = 1200; size >= 100; size -= 100) megabytes(size);
  EXPECT_LE(more(), 2410);
  empty_cache();
  EXPECT_LE(more(), 10);
}

TEST_F(Memory, WhatWasInUseAtOnceStays) {
  many(10, 30);
  EXPECT_GE(more(), 300);
  const double kept = allocated();
  for (int round = 0; round < 10; ++round) {
    many(10, 30);
    EXPECT_NEAR(allocated(), kept, 0.1);
    many(5, 28);  // in blocks that are not much larger
    EXPECT_NEAR(allocated(), kept, 0.1);
  }
}

TEST_F(Memory, SmallTensorsLeaveNoMoreThanWasInUse) {
  for (const double each : {0.04, 0.1, 0.2, 0.4, 0.7}) many(static_cast<int>(400 / each), each);
  EXPECT_LE(more(), 700);  // 400 MB in blocks of up to 1.5 times that
  empty_cache();
  EXPECT_LE(more(), 1);
}

TEST_F(Memory, WhatWasInUseBeforeStaysForAWhile) {
  many(10, 100);
  for (int i = 0; i < 1'000; ++i) megabytes(90);  // 90 GB: more than 64 times what was in use at once, less than twice that
  EXPECT_GE(more(), 1000);
}

TEST_F(Memory, AfterAWhileLessStays) {
  many(10, 100);
  EXPECT_GE(more(), 1000);
  for (int i = 0; i < 2'000; ++i) megabytes(90);  // 180 GB
  EXPECT_LE(more(), 250);
}

TEST_F(Memory, AnotherThreadsTensorsCount) {
  std::vector<Tensor> here = many(10, 30);
  std::thread([all = std::move(here)]() mutable { all.clear(); }).join();
  const double kept = allocated();
  many(10, 30);
  EXPECT_LE(allocated(), kept + 1);
}

TEST_F(Memory, WhatWaitsIsGivenBackBeforeATensorIsRefused) {
  EXPECT_EQ(with_megabytes(2500,
                           [] {
                             for (int size = 100; size <= 1200; size += 100) megabytes(size);
                             megabytes(800);
                           }),
            "exit 0");
  EXPECT_EQ(with_megabytes(2500,
                           [] {
                             many(2, 1000);  // wait
                             megabytes(1500);
                           }),
            "exit 0");
  EXPECT_EQ(with_megabytes(2500,
                           [] {
                             many(2000, 0.9);  // small ones wait
                             megabytes(1500);
                           }),
            "exit 0");
  EXPECT_EQ(with_megabytes(2500, [] { many(2, 1300); }), "exit 1");
}

TEST_F(Memory, TheRefusalSaysHowMuchWasWanted) {
  EXPECT_EQ(
      with_megabytes(500,
                     [] {
                       try {
                         megabytes(1000);
                       } catch (const std::bad_alloc& e) {
                         if (std::string(e.what()) ==
                             "[memory] the system must have room for a tensor: 1048580096 bytes (smaller tensors, or fewer at a time)")
                           return;
                         std::printf("%s\n", e.what());
                         std::fflush(stdout);
                       }
                       throw std::bad_alloc();
                     }),
      "exit 0");
}
