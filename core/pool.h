#pragma once
#include <capstan/core/tensor.h>

#include <bit>
#include <cstddef>
#include <cstdint>

// Private: where tensors' memory comes from. Blocks of up to 1 MB have one of 27 sizes: 128, 192, 256, 384, 512 bytes and so on.
// A freed one waits in a list of the thread that freed it. What a thread has too many of, and what it leaves when it ends, waits
// in a list of the process. Larger blocks have the size that was asked for, and wait with the process. How much waits
// there at most, and when it goes back to the system, stands in core/memory.h. With CAPSTAN_NO_POOL every block is a malloc of its own, so
// that sanitizers see each overrun.
namespace capstan::detail {

inline constexpr int large_class = 27, size_classes = large_class + 1;  // the list of large ones stays empty
inline constexpr std::size_t small_bytes = std::size_t{1} << 20;

struct FreeList {
  void* head;  // each free block starts with the address of the next
  std::uint32_t count, limit;
};

extern constinit thread_local FreeList free_lists[size_classes];

void* pool_refill(int size_class, std::size_t bytes);
void pool_overflow(void* block, int size_class) noexcept;
/// std::malloc, tried again with the cache emptied.
void* malloc_or_null(std::size_t bytes) noexcept;

inline constexpr std::uint8_t small_classes[17] = {0, 0, 0, 1, 2, 3, 3, 4, 4, 5, 5, 5, 5, 6, 6, 6, 6};

inline int size_class_of(std::size_t bytes) noexcept {
  if (bytes <= 1024) [[likely]]
    return small_classes[(bytes + 63) / 64];
  if (bytes > small_bytes) return large_class;
  const int e = static_cast<int>(std::bit_width(bytes - 1)) - 1;  // 2^e < bytes <= 2^(e+1)
  return 2 * (e - 7) + (bytes <= (std::size_t{3} << (e - 1)) ? 1 : 2);
}

/// A block of this thread's list; null when there is none.
inline void* pool_take(int size_class) noexcept {
#ifndef CAPSTAN_NO_POOL
  FreeList& list = free_lists[size_class];
  if (void* block = list.head) [[likely]] {
    list.head = *static_cast<void**>(block);
    --list.count;
    return block;
  }
#else
  static_cast<void>(size_class);
#endif
  return nullptr;
}

inline void* pool_get(int size_class, std::size_t bytes) {
  void* block = pool_take(size_class);
  return block ? block : pool_refill(size_class, bytes);
}

inline void pool_put(void* block, int size_class) noexcept {
#ifndef CAPSTAN_NO_POOL
  FreeList& list = free_lists[size_class];
  if (list.count < list.limit) [[likely]] {
    *static_cast<void**>(block) = list.head;
    list.head = block;
    ++list.count;
    return;
  }
#endif
  pool_overflow(block, size_class);
}

// Elements lie behind the header: directly when they fit into the smallest block, which saves a scalar one cache line.
// Others begin on the next cache line.
inline constexpr std::size_t near_data = sizeof(Header), far_data = 128;
static_assert(near_data % 16 == 0);

/// The size class of a block for so many elements; 0 exactly when they lie near.
inline int block_class(DType dtype, std::int64_t numel) noexcept {
  const std::size_t data_bytes = static_cast<std::size_t>(numel) * size_of(dtype);
  return data_bytes <= far_data - near_data ? 0 : size_class_of(far_data + data_bytes);
}

/// A header with room for the elements; its sizes are the caller's to fill in. Flags are not taken over.
inline Header* new_block(const Kind& kind, std::int64_t numel) {  // by reference: copied as one word
  const std::size_t offset = kind.size_class == 0 ? near_data : far_data;
  auto* h = static_cast<Header*>(pool_take(kind.size_class));
  if (!h) [[unlikely]]  // only then the bytes are worked out
    h = static_cast<Header*>(pool_refill(kind.size_class, offset + static_cast<std::size_t>(numel) * size_of(kind.dtype)));
  static_cast<Kind&>(*h) = kind;
  h->flags = 0;
  h->refs = 1;
  h->data = reinterpret_cast<char*>(h) + offset;
  h->numel = numel;
  h->owner = nullptr;
  h->tape = 0;
  h->version = 0;
  return h;
}

/// The same; dim too is the caller's to fill in.
inline Header* new_block(DType dtype, std::int64_t numel) {
  return new_block(Kind{dtype, 0, static_cast<std::uint8_t>(block_class(dtype, numel)), 0}, numel);
}

/// Almost all tensors have two axes at most: those are copied without a branch, so that two sizes must have room on both sides.
inline void copy_sizes(std::int64_t* to, const std::int64_t* from, int dim) noexcept {
  if (dim > 2) [[unlikely]]
    for (int i = 2; i < dim; ++i) to[i] = from[i];
  to[0] = from[0];
  to[1] = from[1];
}
inline void copy_sizes(Header* to, const Header* from) noexcept {
  to->dim = from->dim;
  copy_sizes(to->sizes, from->sizes, from->dim);
}

/// Likewise.
inline bool same_sizes(const std::int64_t* a, const std::int64_t* b, int dim) noexcept {
  if (dim > 2) [[unlikely]]
    for (int i = 2; i < dim; ++i)
      if (a[i] != b[i]) return false;
  return (((a[0] ^ b[0]) & -static_cast<std::int64_t>(dim > 0)) | ((a[1] ^ b[1]) & -static_cast<std::int64_t>(dim > 1))) == 0;
}
inline bool same_sizes(const Header* a, const Header* b) noexcept { return a->dim == b->dim && same_sizes(a->sizes, b->sizes, a->dim); }

Header* new_block_like_view(const Header* like);
inline Header* new_block_like(const Header* like) {
  if (like->owner) [[unlikely]]
    return new_block_like_view(like);
  Header* h = new_block(*like, like->numel);
  copy_sizes(h->sizes, like->sizes, like->dim);
  return h;
}

inline Header* new_block(DType dtype, const Shape& shape) {
  Header* h = new_block(dtype, shape.numel());
  h->dim = static_cast<std::uint8_t>(shape.dim());
  copy_sizes(h->sizes, shape.begin(), shape.dim());
  return h;
}

/// The same with all elements 0. Of a large tensor they are pages that the system fills with 0 when they are touched first. What is
/// never touched takes neither time nor memory.
Header* new_zero_block(DType dtype, const Shape& shape);

/// A header that shares the elements of `of`; data, numel and sizes are the caller's to fill in, and dim when it differs.
inline Header* new_view(Header* of) {
  auto* h = static_cast<Header*>(pool_get(0, sizeof(Header)));
  Header* owner = of->owner ? of->owner : of;
  retain(owner);
  static_cast<Kind&>(*h) = {of->dtype, of->dim, 0, static_cast<std::uint8_t>(of->flags & kReadOnly)};
  h->refs = 1;
  h->owner = owner;
  h->tape = 0;
  h->version = 0;
  return h;
}

/// Rows [begin, end) of the first axis, which must be there.
inline Header* new_row_view(Header* of, std::int64_t begin, std::int64_t end) {
  Header* h = new_view(of);
  std::int64_t row = 1;
  for (int i = 1; i < of->dim; ++i) row *= h->sizes[i] = of->sizes[i];
  h->sizes[0] = end - begin;
  h->numel = row * (end - begin);
  h->data = static_cast<char*>(of->data) + static_cast<std::size_t>(begin * row) * size_of(of->dtype);
  return h;
}

/// Gives a leaf's identity back; set by autograd.
extern void (*release_leaf)(std::uint32_t leaf) noexcept;

}  // namespace capstan::detail
