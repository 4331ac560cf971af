#pragma once
#include <capstan/core/tensor.h>

#include <bit>
#include <cstddef>
#include <cstdint>

// Private: where tensors' memory comes from. Blocks have one of 96 sizes (128, 192, 256, 384, 512, ...) and wait in lists
// of the thread that freed them; what a thread has too many of, and what it leaves when it ends, waits in a list of the
// process. With CAPSTAN_NO_POOL every block is a malloc of its own, so that sanitizers see each overrun.
namespace capstan::detail {

inline constexpr int size_classes = 96;

struct FreeList {
  void* head;  // each free block starts with the address of the next
  std::uint32_t count, limit;
};

extern constinit thread_local FreeList free_lists[size_classes];

void* pool_refill(int size_class, std::size_t bytes);
void pool_overflow(void* block, int size_class) noexcept;

inline int size_class_of(std::size_t bytes) noexcept {
  if (bytes <= 128) return 0;
  const int e = static_cast<int>(std::bit_width(bytes - 1)) - 1;  // 2^e < bytes <= 2^(e+1)
  return 2 * (e - 7) + (bytes <= (std::size_t{3} << (e - 1)) ? 1 : 2);
}

inline void* pool_get(int size_class, std::size_t bytes) {
#ifndef CAPSTAN_NO_POOL
  FreeList& list = free_lists[size_class];
  if (void* block = list.head) {
    list.head = *static_cast<void**>(block);
    --list.count;
    return block;
  }
#endif
  return pool_refill(size_class, bytes);
}

inline void pool_put(void* block, int size_class) noexcept {
#ifndef CAPSTAN_NO_POOL
  FreeList& list = free_lists[size_class];
  if (list.count < list.limit) {
    *static_cast<void**>(block) = list.head;
    list.head = block;
    ++list.count;
    return;
  }
#endif
  pool_overflow(block, size_class);
}

/// Frees the blocks that wait in this thread's lists and in the process's.
void empty_cache() noexcept;

// Elements lie behind the header: directly, when they fit into the smallest block (a scalar costs one cache line less),
// else on the next cache line.
inline constexpr std::size_t near_data = sizeof(Header), far_data = 128;
static_assert(near_data % 16 == 0);

/// A header with room for the elements; dim and sizes are the caller's to fill in.
inline Header* new_block(DType dtype, std::int64_t numel) {
  const std::size_t data_bytes = static_cast<std::size_t>(numel) * size_of(dtype);
  const std::size_t offset = data_bytes <= far_data - near_data ? near_data : far_data;
  const std::size_t bytes = offset + data_bytes;
  const int size_class = size_class_of(bytes);
  auto* h = static_cast<Header*>(pool_get(size_class, bytes));
  h->refs = 1;
  h->dtype = dtype;
  h->size_class = static_cast<std::uint8_t>(size_class);
  h->flags = 0;
  h->data = reinterpret_cast<char*>(h) + offset;
  h->numel = numel;
  h->owner = nullptr;
  h->tape = 0;
  h->version = 0;
  return h;
}

inline void copy_sizes(Header* to, const Header* from) noexcept {
  to->dim = from->dim;
  for (int i = 0; i < from->dim; ++i) to->sizes[i] = from->sizes[i];
}

inline Header* new_block_like(const Header* like) {
  Header* h = new_block(like->dtype, like->numel);
  copy_sizes(h, like);
  return h;
}

inline Header* new_block(DType dtype, const Shape& shape) {
  Header* h = new_block(dtype, shape.numel());
  h->dim = static_cast<std::uint8_t>(shape.dim());
  for (int i = 0; i < shape.dim(); ++i) h->sizes[i] = shape.begin()[i];
  return h;
}

/// A header that shares the elements of `of`; data, numel, dim and sizes are the caller's to fill in.
inline Header* new_view(Header* of) {
  auto* h = static_cast<Header*>(pool_get(0, sizeof(Header)));
  Header* owner = of->owner ? of->owner : of;
  retain(owner);
  h->refs = 1;
  h->dtype = of->dtype;
  h->size_class = 0;
  h->flags = static_cast<std::uint8_t>(of->flags & kReadOnly);
  h->owner = owner;
  h->tape = 0;
  h->version = 0;
  return h;
}

inline std::uint32_t& version_of(Header* h) noexcept { return h->owner ? h->owner->version : h->version; }

/// Gives a leaf's identity back; set by autograd.
extern void (*release_leaf)(std::uint32_t leaf) noexcept;

}  // namespace capstan::detail
