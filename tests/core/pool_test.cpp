#include "support.h"

#include <capstan/core/memory.h>
#include <capstan/core/pool.h>

#include <malloc.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <mutex>
#include <set>
#include <thread>

#include "../child.h"

using namespace capstan;

namespace {

// Tensors that end after main, on either side of the pool's own life.
const Tensor before_everything = ones({1000});
thread_local Tensor at_thread_end;

bool pool_is_on() {
  zeros({1});
  return detail::free_lists[0].limit > 0;
}

double resident_megabytes() {
  long total = 0, resident = 0;
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  if (!file || std::fscanf(file, "%ld %ld", &total, &resident) != 2) ADD_FAILURE() << "/proc/self/statm";
  if (file) std::fclose(file);
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
}

std::vector<Tensor> many(int count, std::int64_t bytes) {
  std::vector<Tensor> all;
  for (int i = 0; i < count; ++i) all.push_back(empty({bytes}, DType::boolean));
  return all;
}

std::set<const void*> addresses(const std::vector<Tensor>& all) {
  std::set<const void*> s;
  for (const Tensor& t : all) s.insert(t.header());
  return s;
}

// Sizes around the places where the classes and the layouts of a block change.
std::vector<std::int64_t> border_sizes() {
  std::vector<std::int64_t> all;
  for (std::int64_t b = 0; b <= 300; ++b) all.push_back(b);
  for (std::int64_t power = 512; power <= std::int64_t{8} << 20; power *= 2)
    for (const std::int64_t capacity : {power, power * 3 / 2})
      for (const std::int64_t off : {-129, -128, -127, -1, 0, 1}) all.push_back(capacity + off);
  return all;
}

}  // namespace

TEST(Pool, SizeClassesGrowByHalves) {
  const auto capacity = [](int c) { return c == 0 ? 128 : c % 2 ? std::size_t{192} << (c / 2) : std::size_t{256} << (c / 2 - 1); };
  EXPECT_EQ(detail::size_class_of(0), 0);
  EXPECT_EQ(detail::size_class_of(1), 0);
  for (int c = 0; c < detail::large_class; ++c) {
    EXPECT_EQ(detail::size_class_of(capacity(c)), c);
    EXPECT_EQ(detail::size_class_of(capacity(c) + 1), c + 1);
    EXPECT_EQ(detail::size_class_of(capacity(c + 1) - 1), c + 1);
  }
  EXPECT_EQ(capacity(detail::large_class - 1), detail::small_bytes);
  EXPECT_EQ(detail::size_class_of((std::size_t{1} << 51) + 128), detail::large_class);  // 2^48 elements of 8 bytes
}

TEST(Pool, ElementsAreAligned) {
  for (const std::int64_t bytes : border_sizes()) {
    const Tensor t = empty({bytes}, DType::boolean);
    const auto address = reinterpret_cast<std::uintptr_t>(t.header()->data);
    EXPECT_EQ(address % 16, 0u) << bytes;
    if (bytes > 16) {
      EXPECT_EQ(address % 64, 0u) << bytes;
    }
    if (bytes + 128 >= std::int64_t{2} << 20) {  // a huge page
      EXPECT_EQ((address - 128) % (std::uintptr_t{2} << 20), 0u) << bytes;
    }
  }
}

TEST(Pool, EveryByteIsTheTensorsOwn) {
  for (const std::int64_t bytes : border_sizes()) {
    const Tensor a = empty({bytes}, DType::boolean), b = empty({bytes}, DType::boolean);
    ASSERT_GE(malloc_usable_size(a.header()), static_cast<std::size_t>(bytes) + (bytes <= 16 ? sizeof(detail::Header) : 128)) << bytes;
    std::memset(a.header()->data, 0xA5, static_cast<std::size_t>(bytes));
    std::memset(b.header()->data, 0x5A, static_cast<std::size_t>(bytes));
    for (const Tensor& t : {a, b}) {
      EXPECT_EQ(t.numel(), bytes);
      EXPECT_EQ(t.size(0), bytes);
      EXPECT_EQ(t.version(), 0u);
    }
    const auto* p = static_cast<const unsigned char*>(a.header()->data);
    for (std::int64_t i = 0; i < bytes; i += bytes < 4096 ? 1 : 509) ASSERT_EQ(p[i], 0xA5) << bytes;
  }
}

TEST(Pool, ABlockIsUsedAgain) {
  if (!pool_is_on()) GTEST_SKIP() << "every tensor is a malloc of its own";
  for (const std::int64_t bytes : {1, 100, 5000, 3000000}) {
    const void* block = empty({bytes}, DType::boolean).header();
    EXPECT_EQ(empty({bytes}, DType::boolean).header(), block) << bytes;
  }
  Tensor owner = zeros({4});
  const void* block = owner.header();
  Tensor view = owner.rows(1, 2);
  owner = Tensor();
  EXPECT_NE(zeros({4}).header(), block);  // the view holds it
  view = Tensor();
}

TEST(Pool, BlocksFreedByAnotherThreadComeHome) {
  if (!pool_is_on()) GTEST_SKIP() << "every tensor is a malloc of its own";
  empty_cache();
  for (const std::int64_t bytes : {8, 1000, 100000}) {
    std::vector<Tensor> here = many(200, bytes);
    const std::set<const void*> first = addresses(here);
    std::thread([all = std::move(here)]() mutable { all.clear(); }).join();
    EXPECT_EQ(addresses(many(200, bytes)), first) << bytes;
  }
}

TEST(Pool, AThreadLeavesItsBlocksBehind) {
  if (!pool_is_on()) GTEST_SKIP() << "every tensor is a malloc of its own";
  empty_cache();
  std::set<const void*> first;
  std::thread([&] { first = addresses(many(100, 700)); }).join();
  EXPECT_EQ(addresses(many(100, 700)), first);
}

TEST(Pool, WhatEndsAfterAThreadsListsComesHomeToo) {
  if (!pool_is_on()) GTEST_SKIP() << "every tensor is a malloc of its own";
  empty_cache();
  const void* block = nullptr;
  std::thread([&] {
    at_thread_end = Tensor();  // begins before the thread's lists, so it ends after them
    at_thread_end = empty({7000}, DType::boolean);
    block = at_thread_end.header();
  }).join();
  EXPECT_EQ(empty({7000}, DType::boolean).header(), block);
}

TEST(Pool, TensorsMayEndWithTheirThread) {
  for (int round = 0; round < 50; ++round) {
    Tensor seen;
    std::thread([&] {
      if (round % 2) at_thread_end = Tensor();  // it ends after the thread's lists when it began before them
      at_thread_end = full({50}, round);
      seen = at_thread_end.rows(1, 3);
      many(20, 3000);
    }).join();
    EXPECT_EQ(values(seen), Values(2, round));
  }
}

TEST(Pool, AProducerAndAConsumerDoNotGrow) {
  if (!pool_is_on()) GTEST_SKIP() << "every tensor is a malloc of its own";
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Tensor> queue;
  const auto run = [&](int count) {
    std::thread consumer([&] {
      for (int i = 0; i < count; ++i) {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return !queue.empty(); });
        const Tensor t = std::move(queue.front());
        queue.pop_front();
        changed.notify_all();
        lock.unlock();
        if (t.data<float>()[0] != static_cast<float>(i)) ADD_FAILURE() << i;
      }
    });
    for (int i = 0; i < count; ++i) {
      Tensor t = full({25000}, i);
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return queue.size() < 8; });
      queue.push_back(std::move(t));
      changed.notify_all();
    }
    consumer.join();
  };
  run(200);
  const double before = resident_megabytes();
  run(4000);  // 400 MB pass through
  EXPECT_LT(resident_megabytes() - before, 60);
}

TEST(Pool, ManyThreadsAtOnce) {
  std::vector<std::thread> threads;
  std::mutex mutex;
  std::vector<Tensor> shared(64);
  for (int k = 0; k < 8; ++k)
    threads.emplace_back([&, k] {
      Numbers numbers(static_cast<std::uint64_t>(k));
      for (int i = 0; i < 3000; ++i) {
        const std::int64_t n = numbers.whole(0, 400);
        Tensor t = full({n}, static_cast<double>(n));
        const std::lock_guard lock(mutex);
        Tensor& place = shared[static_cast<std::size_t>(numbers.whole(0, 63))];
        std::swap(place, t);
        if (t.defined() && t.numel() > 0 && t.data<float>()[t.numel() - 1] != static_cast<float>(t.numel())) ADD_FAILURE();
      }
    });
  for (std::thread& t : threads) t.join();
}

// The children are made at every moment of what the other thread does with the process's lists.
TEST(Pool, AChildOfAForkAllocates) {
  if (!pool_is_on()) GTEST_SKIP() << "every tensor is a malloc of its own";
  std::atomic<bool> stop = false;
  std::thread other([&] {
    while (!stop) {
      std::vector<Tensor> many;
      for (int i = 0; i < 5000; ++i) many.push_back(empty({8}));
    }
  });
  for (int round = 0; round < 300; ++round) {
    const std::string end = in_a_child([] {
      std::vector<Tensor> many;
      for (int i = 0; i < 5000; ++i) many.push_back(ones({8}));
      return static_cast<int>(many.back().data<float>()[7]);
    });
    EXPECT_EQ(end, "exit 1") << round;
    if (end != "exit 1") break;
  }
  stop = true;
  other.join();
}

TEST(Pool, HandlesCrossThreads) {
  const Tensor x = ones({100});
  std::vector<std::thread> threads;
  for (int k = 0; k < 4; ++k)
    threads.emplace_back([&] {
      for (int i = 0; i < 20000; ++i) {
        const Tensor copy = x;
        const Tensor view = copy.rows(1, 50);
      }
    });
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(x.header()->refs, 1);
}

TEST(Pool, EmptyCacheGivesMemoryBack) {
  if (!pool_is_on()) GTEST_SKIP() << "every tensor is a malloc of its own";
  const double before = resident_megabytes();
  zeros({50000000});
  EXPECT_GT(resident_megabytes() - before, 150);
  empty_cache();
  EXPECT_LT(resident_megabytes() - before, 50);
  EXPECT_EQ(before_everything.numel(), 1000);
}
