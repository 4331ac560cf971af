#pragma once
#include <capstan/core/pool.h>
#include <capstan/core/process_lock.h>

#include <algorithm>
#include <mutex>
#include <new>
#include <vector>

// Private, pool.cpp's alone: the blocks that wait with the process, and how many may.
namespace capstan::detail {

inline constexpr std::size_t huge_page = std::size_t{2} << 20;

inline std::size_t class_bytes(int c) noexcept {
  return c == 0 ? 128 : c % 2 ? std::size_t{192} << (c / 2) : std::size_t{256} << (c / 2 - 1);
}

// What the process has waiting. Never destroyed: tensors of static storage may end after everything else. A fork() waits for the
// lock, so that a child does not find it held by a thread that is not there.
class WaitingBlocks {
 public:
  struct Lock : ProcessLock {
    explicit Lock(WaitingBlocks& w) noexcept : ProcessLock(w.mutex_, held) {}
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
  /// What is more than the limit goes to `surplus`: large blocks, and those of small classes. Those go first that nobody has given or
  /// taken for the longest time.
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

  static inline constinit thread_local volatile std::sig_atomic_t held = 0;  // whether this thread has the lock

  std::mutex mutex_;
  void* heads_[size_classes] = {};
  std::vector<Large> large_;                          // by size; of one size the last that came first
  std::uint64_t clock_ = 0, used_[large_class] = {};  // when each class was given or taken last
  std::size_t waiting_ = 0, in_use_ = 0;              // bytes; in use is also what threads have in lists of their own
  std::size_t most_ = 0, most_before_ = 0;            // that were in use at once, in this stretch of time and the one before
  std::size_t asked_ = 0;                             // bytes in this stretch
};

}  // namespace capstan::detail
