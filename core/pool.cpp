#include <capstan/core/pool.h>

#include <capstan/core/grad_mode.h>
#include <capstan/core/memory.h>
#include <capstan/core/process_lock.h>

#include <malloc.h>
#include <pthread.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <new>
#include <vector>

// Where blocks come from and go when this thread's list is empty or full: to the process's lists, and from there to the system.
// The short way, a thread's own list, is inline in pool.h.

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

std::size_t class_bytes(int c) noexcept { return c == 0 ? 128 : c % 2 ? std::size_t{192} << (c / 2) : std::size_t{256} << (c / 2 - 1); }

constinit thread_local volatile std::sig_atomic_t holds_shared = 0;

// What the process has waiting. Never destroyed: tensors of static storage may end after everything else. A fork() waits for the
// lock, so that a child does not find it held by a thread that is not there.
class Shared {
 public:
  struct Lock : ProcessLock {
    explicit Lock(Shared& s) noexcept : ProcessLock(s.mutex_, holds_shared) {}
  };

  void before_fork() noexcept { mutex_.lock(); }
  void after_fork() noexcept { mutex_.unlock(); }

  /// Up to `most` small blocks go to the thread's list.
  void take(FreeList& list, int c, std::uint32_t most) noexcept {
    const std::uint32_t before = list.count;
    while (heads_[c] && list.count < before + most) {
      move_one(heads_[c], list.head);
      ++list.count;
    }
    const std::size_t bytes = (list.count - before) * class_bytes(c);
    used_[c] = ++clock_;
    waiting_ -= bytes;
    handed_out(bytes);
  }
  /// Takes over what the list has more than `keep`; what is then too much goes to `surplus`.
  void give(FreeList& list, int c, std::uint32_t keep, void*& surplus) noexcept {
    std::size_t bytes = 0;
    for (; list.count > keep && list.head; --list.count, bytes += class_bytes(c)) move_one(list.head, heads_[c]);
    used_[c] = ++clock_;
    came_back(bytes);
    trim(surplus);
  }

  /// The smallest of the large blocks that is large enough and not much larger; null when there is none.
  void* take_large(std::size_t bytes) noexcept {
    const auto found = place_of(bytes);
    if (found == large_.end() || found->bytes > bytes + bytes / 8 + (bytes >= huge_page ? huge_page : 0)) return nullptr;
    const Large l = *found;
    large_.erase(found);
    waiting_ -= l.bytes;
    handed_out(l.bytes);
    return l.block;
  }
  void give_large(void* block, std::size_t bytes, void*& surplus) noexcept {
    came_back(bytes);
    try {
      large_.insert(place_of(bytes), {bytes, block, ++clock_});
    } catch (const std::bad_alloc&) {
      waiting_ -= bytes;
      push(block, surplus);
    }
    trim(surplus);
  }

  /// Counts bytes that a thread has got, from here or from the system.
  void handed_out(std::size_t bytes) noexcept {
    in_use_ += bytes;
    most_ = std::max(most_, in_use_);
    asked_ += bytes;
    if (asked_ / 64 <= limit()) return;
    most_before_ = most_;
    most_ = in_use_;
    asked_ = 0;
  }

  /// Everything goes to `surplus`.
  void clear(void*& surplus) noexcept {
    for (void*& head : heads_)
      while (head) move_one(head, surplus);
    for (const Large& l : large_) push(l.block, surplus);
    large_.clear();
    waiting_ = 0;
    most_before_ = 0;
    most_ = in_use_;
  }

 private:
  struct Large {
    std::size_t bytes;
    void* block;
    std::uint64_t since;
  };

  static void push(void* block, void*& to) noexcept {
    *static_cast<void**>(block) = to;
    to = block;
  }
  static void move_one(void*& from, void*& to) noexcept {
    void* const block = from;
    from = *static_cast<void**>(block);
    push(block, to);
  }
  std::vector<Large>::iterator place_of(std::size_t bytes) noexcept {
    return std::lower_bound(large_.begin(), large_.end(), bytes, [](const Large& l, std::size_t b) { return l.bytes < b; });
  }
  void came_back(std::size_t bytes) noexcept {
    in_use_ -= bytes;
    waiting_ += bytes;
  }
  /// What is more than the limit goes to `surplus`: large blocks, and those of small classes, that nobody has given or taken for the
  /// longest time.
  void trim(void*& surplus) noexcept {
    while (waiting_ > limit()) {
      const auto oldest = std::min_element(large_.begin(), large_.end(), [](const Large& a, const Large& b) { return a.since < b.since; });
      int least = -1;
      for (int c = 0; c < large_class; ++c)
        if (heads_[c] && (least < 0 || used_[c] < used_[least])) least = c;
      if (oldest == large_.end() && least < 0) return;
      if (least < 0 || (oldest != large_.end() && oldest->since < used_[least])) {
        waiting_ -= oldest->bytes;
        push(oldest->block, surplus);
        large_.erase(oldest);
      } else {
        for (; heads_[least] && waiting_ > limit(); waiting_ -= class_bytes(least)) move_one(heads_[least], surplus);
      }
    }
  }
  std::size_t limit() const noexcept { return std::max({std::size_t{64} << 20, most_, most_before_}); }

  std::mutex mutex_;
  void* heads_[size_classes] = {};
  std::vector<Large> large_;                          // by size; of one size the last that came first
  std::uint64_t clock_ = 0, used_[large_class] = {};  // when each class was given or taken last
  std::size_t waiting_ = 0, in_use_ = 0;              // bytes; in use is also what threads have in lists of their own
  std::size_t most_ = 0, most_before_ = 0;            // that were in use at once, in this stretch of time and the one before
  std::size_t asked_ = 0;                             // bytes in this stretch
};

Shared& shared() noexcept {
  static Shared& s = [] {
    const auto unlock = [] { shared().after_fork(); };
    pthread_atfork([] { shared().before_fork(); }, unlock, unlock);
    alignas(Shared) static char place[sizeof(Shared)];  // no malloc, which may fail
    return std::ref(*::new (place) Shared);
  }();
  return s;
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
    if (const Shared::Lock lock(shared()); lock.taken())
      for (int c = 0; c < large_class; ++c) shared().give(free_lists[c], c, 0, surplus);
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
  if (const Shared::Lock lock(shared()); lock.taken())
    if (void* block = shared().take_large(bytes)) return block;
  constexpr std::size_t page = 4096;
  void* block = allocate((bytes + page - 1) / page * page);
  if (const Shared::Lock lock(shared()); lock.taken()) shared().handed_out(malloc_usable_size(block));
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
  if (const Shared::Lock lock(shared()); lock.taken()) shared().take(list, c, std::max(list.limit / 2, 1U));
  if (void* block = list.head) {
    list.head = *static_cast<void**>(block);
    --list.count;
    return block;
  }
  void* block = allocate(class_bytes(c));
  if (const Shared::Lock lock(shared()); lock.taken()) shared().handed_out(class_bytes(c));
  return block;
}

void pool_overflow(void* block, int c) noexcept {
  void* surplus = nullptr;
  if (c == large_class) {
    if (const Shared::Lock lock(shared()); lock.taken()) shared().give_large(block, malloc_usable_size(block), surplus);
    return free_all(surplus);
  }
  FreeList& list = free_lists[c];
  if (!closed && list.limit == 0) open_list(list, c);
  *static_cast<void**>(block) = list.head;
  list.head = block;
  ++list.count;
  if (const Shared::Lock lock(shared()); lock.taken()) shared().give(list, c, list.limit / 2, surplus);
  free_all(surplus);
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

void capstan::empty_cache() noexcept {
#ifndef CAPSTAN_NO_POOL
  using namespace detail;
  void* surplus = nullptr;
  if (const Shared::Lock lock(shared()); lock.taken()) {
    for (int c = 0; c < large_class; ++c) shared().give(free_lists[c], c, 0, surplus);
    shared().clear(surplus);
  }
  free_all(surplus);
#endif
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}
