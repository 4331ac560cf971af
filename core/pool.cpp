#include <capstan/core/pool.h>

#include <capstan/core/grad_mode.h>

#include <pthread.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <new>

namespace capstan::detail {

constinit thread_local std::uint64_t running_tape = 0;
constinit thread_local FreeList free_lists[size_classes] = {};
void (*release_leaf)(std::uint32_t) noexcept = nullptr;

namespace {

constexpr std::size_t huge_page = std::size_t{2} << 20;

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
  if (posix_memalign(&block, bytes >= huge_page ? huge_page : 64, bytes) != 0) throw NoMemory(bytes);
#ifdef MADV_HUGEPAGE
  if (bytes >= huge_page) madvise(block, bytes, MADV_HUGEPAGE);
#endif
  return block;
}

#ifndef CAPSTAN_NO_POOL

std::size_t class_bytes(int c) noexcept { return c == 0 ? 128 : c % 2 ? std::size_t{192} << (c / 2) : std::size_t{256} << (c / 2 - 1); }

// The process's lists. Never destroyed: tensors of static storage may end after everything else. A fork() waits for the lock, so
// that a child does not find it held by a thread that is not there.
struct Shared {
  std::mutex mutex;
  void* heads[size_classes] = {};
};
Shared& shared() noexcept {
  static Shared& s = [] {
    const auto unlock = [] { shared().mutex.unlock(); };
    pthread_atfork([] { shared().mutex.lock(); }, unlock, unlock);
    return std::ref(*new Shared);
  }();
  return s;
}

void hand_over(FreeList& list, void*& head, std::uint32_t keep) noexcept {
  while (list.count > keep) {
    void* block = list.head;
    list.head = *static_cast<void**>(block);
    *static_cast<void**>(block) = head;
    head = block;
    --list.count;
  }
}

// Whether this thread's lists are closed: it is ending, and blocks freed from here on go to the process's lists.
constinit thread_local bool closed = false;

struct ListsEnd {
  bool armed = false;
  ~ListsEnd() {
    closed = true;
    const std::lock_guard lock(shared().mutex);
    for (int c = 0; c < size_classes; ++c) {
      hand_over(free_lists[c], shared().heads[c], 0);
      free_lists[c].limit = 0;
    }
  }
};
thread_local ListsEnd lists_end;

void open_list(FreeList& list, int c) noexcept {
  lists_end.armed = true;
  list.limit = static_cast<std::uint32_t>(std::clamp<std::size_t>((std::size_t{1} << 20) / class_bytes(c), 16, 4096));
}

#endif

}  // namespace

#ifdef CAPSTAN_NO_POOL

void* pool_refill(int, std::size_t bytes) { return allocate(bytes); }
void pool_overflow(void* block, int) noexcept { std::free(block); }
void empty_cache() noexcept {}

#else

void* pool_refill(int c, std::size_t) {
  FreeList& list = free_lists[c];
  {
    Shared& s = shared();
    const std::lock_guard lock(s.mutex);
    if (!closed && list.limit == 0) open_list(list, c);
    for (std::uint32_t i = 0; s.heads[c] && (i == 0 || i < list.limit / 2); ++i) {
      void* block = s.heads[c];
      s.heads[c] = *static_cast<void**>(block);
      *static_cast<void**>(block) = list.head;
      list.head = block;
      ++list.count;
    }
  }
  if (void* block = list.head) {
    list.head = *static_cast<void**>(block);
    --list.count;
    return block;
  }
  return allocate(class_bytes(c));
}

void pool_overflow(void* block, int c) noexcept {
  FreeList& list = free_lists[c];
  if (!closed && list.limit == 0) open_list(list, c);
  Shared& s = shared();
  const std::lock_guard lock(s.mutex);
  *static_cast<void**>(block) = s.heads[c];
  s.heads[c] = block;
  if (!closed) hand_over(list, s.heads[c], list.limit / 2);
}

void empty_cache() noexcept {
  Shared& s = shared();
  const std::lock_guard lock(s.mutex);
  for (int c = 0; c < size_classes; ++c) {
    hand_over(free_lists[c], s.heads[c], 0);
    while (void* block = s.heads[c]) {
      s.heads[c] = *static_cast<void**>(block);
      std::free(block);
    }
  }
}

#endif

Header* new_block_like_view(const Header* like) {
  Header* h = new_block(like->dtype, like->numel);
  copy_sizes(h, like);
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
