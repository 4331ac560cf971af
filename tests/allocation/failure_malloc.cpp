#include <cerrno>
#include <cstdlib>

#include "failure.h"

// This program's malloc, which fails when it is told to.

extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
void __libc_free(void* block);
}

namespace {

// Of the thread that runs the tests alone.
constinit thread_local bool armed = false;
constinit thread_local long asked = 0, first_failure = 0, last_failure = 0, live = 0;

bool fails() noexcept {
  if (!armed) return false;
  ++asked;
  return asked >= first_failure && asked <= last_failure;
}
void* counted(void* block) noexcept {
  live += block != nullptr;
  return block;
}

}  // namespace

void arm(long first, long last) noexcept {
  asked = 0;
  first_failure = first;
  last_failure = last;
  armed = true;
}
long disarm() noexcept {
  armed = false;
  return asked;
}
long live_blocks() noexcept { return live; }

extern "C" {
void* malloc(std::size_t size) { return fails() ? nullptr : counted(__libc_malloc(size)); }
void* calloc(std::size_t number, std::size_t size) { return fails() ? nullptr : counted(__libc_calloc(number, size)); }
void* realloc(void* old, std::size_t size) {
  if (fails()) return nullptr;
  if (!old) return counted(__libc_realloc(old, size));
  return __libc_realloc(old, size);
}
void* memalign(std::size_t alignment, std::size_t size) { return fails() ? nullptr : counted(__libc_memalign(alignment, size)); }
void* aligned_alloc(std::size_t alignment, std::size_t size) { return memalign(alignment, size); }
int posix_memalign(void** block, std::size_t alignment, std::size_t size) {
  void* const found = memalign(alignment, size);
  if (!found) return ENOMEM;
  *block = found;
  return 0;
}
void free(void* block) {
  live -= block != nullptr;
  __libc_free(block);
}
}

TEST(AllocationFails, TheProgramsMallocDoesAsItIsTold) {
  arm(2, 2);
  void* const first = std::malloc(10);
  void* const second = std::malloc(10);
  void* const third = std::malloc(10);
  EXPECT_EQ(disarm(), 3);
  EXPECT_NE(first, nullptr);
  EXPECT_EQ(second, nullptr);
  EXPECT_NE(third, nullptr);
  std::free(first);
  std::free(third);
}
