#include <capstan/core/pool.h>

#include <capstan/core/grad_mode.h>
#include <capstan/core/memory.h>
#include <capstan/core/waiting_blocks.h>

#include <malloc.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <new>

// Where blocks come from and go when this thread's list is empty or full: to the process's lists, and from there to the system.
// The short way, a thread's own list, is inline in pool.h.

namespace capstan::detail {

constinit thread_local std::uint64_t running_tape = 0;
constinit thread_local FreeList free_lists[size_classes] = {};
void (*release_leaf)(std::uint32_t) noexcept = nullptr;

namespace {

/// std::bad_alloc that says how much was wanted. The text lies in the object: there may be no memory for another.
class NoMemory final : public std::bad_alloc {
 public:
  explicit NoMemory(std::size_t bytes) noexcept {
    std::snprintf(text_, sizeof text_, "[memory] the system must have room for a tensor: %zu bytes (smaller tensors, or fewer at a time)",
                  bytes);
  }
  const char* what() const noexcept override { return text_; }

 private:
  char text_[128];
};

// Random rows of a large table cost 117 ns with small pages and 9 ns with huge ones, so large blocks ask for them.
void* allocate(std::size_t bytes) {
  void* block = nullptr;
  const auto try_it = [&] { return posix_memalign(&block, bytes >= huge_page ? huge_page : 64, bytes) == 0; };
  if (!try_it()) {
    empty_cache();
    if (!try_it()) throw NoMemory(bytes);
  }
#ifdef MADV_HUGEPAGE
  if (bytes >= huge_page) madvise(block, bytes, MADV_HUGEPAGE);
#endif
  return block;
}

#ifndef CAPSTAN_NO_POOL

WaitingBlocks& waiting() noexcept {
  static WaitingBlocks& w = [] {
    const auto unlock = [] { waiting().after_fork(); };
    pthread_atfork([] { waiting().before_fork(); }, unlock, unlock);
    alignas(WaitingBlocks) static char place[sizeof(WaitingBlocks)];  // no malloc, which may fail
    return std::ref(*::new (place) WaitingBlocks);
  }();
  return w;
}

void free_all(void* blocks) noexcept {
  while (void* block = blocks) {
    blocks = *static_cast<void**>(block);
    std::free(block);
  }
}

// Whether this thread's lists are closed: it is ending, and blocks freed from here on go to the process's lists.
constinit thread_local bool closed = false;

struct ListsEnd {
  bool armed = false;
  ~ListsEnd() {
    closed = true;
    void* surplus = nullptr;
    if (const WaitingBlocks::Lock lock(waiting()); lock.taken())
      for (int c = 0; c < large_class; ++c) waiting().give(free_lists[c], c, 0, surplus);
    for (FreeList& list : free_lists) list.limit = 0;
    free_all(surplus);
  }
};
thread_local ListsEnd lists_end;

void open_list(FreeList& list, int c) noexcept {
  lists_end.armed = true;
  list.limit = static_cast<std::uint32_t>(std::clamp<std::size_t>((std::size_t{1} << 20) / class_bytes(c), 16, 4096));
}

void* refill_large(std::size_t bytes) {
  if (const WaitingBlocks::Lock lock(waiting()); lock.taken())
    if (void* block = waiting().take_large(bytes)) return block;
  constexpr std::size_t page = 4096;
  void* block = allocate((bytes + page - 1) / page * page);
  if (const WaitingBlocks::Lock lock(waiting()); lock.taken()) waiting().handed_out(malloc_usable_size(block));
  return block;
}

#endif

}  // namespace

void* malloc_or_null(std::size_t bytes) noexcept {
  if (void* block = std::malloc(bytes)) return block;
  empty_cache();
  return std::malloc(bytes);
}

#ifdef CAPSTAN_NO_POOL

void* pool_refill(int, std::size_t bytes) { return allocate(bytes); }
void pool_overflow(void* block, int) noexcept { std::free(block); }

#else

void* pool_refill(int c, std::size_t bytes) {
  if (c == large_class) return refill_large(bytes);
  FreeList& list = free_lists[c];
  if (!closed && list.limit == 0) open_list(list, c);
  if (const WaitingBlocks::Lock lock(waiting()); lock.taken()) waiting().take(list, c, std::max(list.limit / 2, 1U));
  if (void* block = list.head) {
    list.head = *static_cast<void**>(block);
    --list.count;
    return block;
  }
  void* block = allocate(class_bytes(c));
  if (const WaitingBlocks::Lock lock(waiting()); lock.taken()) waiting().handed_out(class_bytes(c));
  return block;
}

void pool_overflow(void* block, int c) noexcept {
  void* surplus = nullptr;
  if (c == large_class) {
    if (const WaitingBlocks::Lock lock(waiting()); lock.taken()) waiting().give_large(block, malloc_usable_size(block), surplus);
    return free_all(surplus);
  }
  FreeList& list = free_lists[c];
  if (!closed && list.limit == 0) open_list(list, c);
  *static_cast<void**>(block) = list.head;
  list.head = block;
  ++list.count;
  if (const WaitingBlocks::Lock lock(waiting()); lock.taken()) waiting().give(list, c, list.limit / 2, surplus);
  free_all(surplus);
}

#endif

Header* new_block_like_view(const Header* like) {
  Header* h = new_block(like->dtype, like->numel);
  copy_sizes(h, like);
  return h;
}

Header* new_zero_block(DType dtype, const Shape& shape) {
  Header* h = new_block(dtype, shape);
  auto* const begin = static_cast<char*>(h->data);
  const std::size_t bytes = static_cast<std::size_t>(h->numel) * size_of(dtype);
  std::size_t edge = bytes;
#ifdef __linux__
  if (bytes >= huge_page) {  // pages that are given back come again as zeros
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE)), before = page - reinterpret_cast<std::uintptr_t>(begin) % page,
               whole = (bytes - before) / page * page;
    if (madvise(begin + before, whole, MADV_DONTNEED) == 0) {
      edge = before;
      std::memset(begin + before + whole, 0, bytes - before - whole);
    }
  }
#endif
  std::memset(begin, 0, edge);
  return h;
}

void release_shared(Header* h) noexcept {
  if (add_refs(h, -1) == 0) [[unlikely]]
    destroy(h);
}

void destroy(Header* h) noexcept {
  if (Header* owner = h->owner) [[unlikely]]  // which others hold, most likely
    if (add_refs(owner, -1) == 0) [[unlikely]]
      destroy(owner);
  if (h->flags & kLeaf) [[unlikely]]
    release_leaf(h->leaf);
  pool_put(h, h->size_class);
}

}  // namespace capstan::detail

void capstan::empty_cache() noexcept {
#ifndef CAPSTAN_NO_POOL
  using namespace detail;
  void* surplus = nullptr;
  if (const WaitingBlocks::Lock lock(waiting()); lock.taken()) {
    for (int c = 0; c < large_class; ++c) waiting().give(free_lists[c], c, 0, surplus);
    waiting().clear(surplus);
  }
  free_all(surplus);
#endif
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}
