#pragma once
#include <capstan/autograd/gradients.h>
#include <capstan/core/pool.h>

#include <new>
#include <utility>
#include <vector>

// Private: what Gradients holds, for the tape that fills it and the optimizer that reads it.
namespace capstan::detail {

/// The entries lie behind the table, in ascending order of leaf index and generation once it is made.
struct GradientTable {
  struct Entry {
    std::uint64_t generation;
    std::uint32_t leaf;
    Tensor gradient;
    Tensor rows = {};             // of a row-sparse one: which rows, in ascending order, `gradient` holds,
    std::int64_t height = 0;      // and of how many
    mutable bool finite = false;  // somebody looked through `gradient`, which has not changed since

    bool known_finite() const noexcept { return __atomic_load_n(&finite, __ATOMIC_RELAXED); }
    void set_finite() const noexcept { __atomic_store_n(&finite, true, __ATOMIC_RELAXED); }

    Shape shape() const { return rows.defined() ? gradient.shape().with(0, height) : gradient.shape(); }
    /// The gradient with every row.
    Tensor dense() const { return rows.defined() ? RowSparse{rows, gradient, shape()}.dense() : gradient; }
  };
  double loss;
  std::uint32_t size;
  std::uint8_t size_class;

  Entry* entries() noexcept { return reinterpret_cast<Entry*>(this + 1); }
  const Entry* begin() const noexcept { return reinterpret_cast<const Entry*>(this + 1); }
  const Entry* end() const noexcept { return begin() + size; }
  Entry* begin() noexcept { return entries(); }
  Entry* end() noexcept { return entries() + size; }
  /// Within the room that was asked for.
  Entry& add(std::uint64_t generation, std::uint32_t leaf, Tensor gradient) noexcept {
    ++size;
    return *::new (end() - 1) Entry{generation, leaf, std::move(gradient)};
  }
  Entry& add(const Entry& e) noexcept {  // whose `finite` another thread may set meanwhile
    ++size;
    return *::new (end() - 1) Entry{e.generation, e.leaf, e.gradient, e.rows, e.height, e.known_finite()};
  }
  /// The entry for a leaf; looks first at `hint`, where it is when tensors are asked for in the order of their making.
  const Entry* find(const Header* h, const Entry* hint) const noexcept {
    if (!(h->flags & kLeaf)) [[unlikely]]
      return nullptr;
    if (hint != end() && hint->leaf == h->leaf && hint->generation == h->generation) [[likely]]
      return hint;
    return search(h);
  }
  const Entry* find(const Header* h) const noexcept { return find(h, begin()); }
  const Entry* search(const Header* h) const noexcept;
};

/// An empty table with room for `room` entries.
inline GradientTable* new_gradient_table(std::uint32_t room) {
  const std::size_t bytes = sizeof(GradientTable) + room * sizeof(GradientTable::Entry);
  const int size_class = size_class_of(bytes);
  auto* table = static_cast<GradientTable*>(pool_get(size_class, bytes));
  table->loss = 0;
  table->size = 0;
  table->size_class = static_cast<std::uint8_t>(size_class);
  return table;
}

void sort(GradientTable& table);

/// e.gradient, safe to write: a handle that the user got by g[w] keeps the old values, and so does a tape that recorded it.
Tensor& writable(GradientTable::Entry& e);

/// Takes the mark off by which a kernel says that it found this gradient finite, since it may change now. Returns whether it was there.
inline bool clear_finite(const Tensor& gradient) {
  std::uint8_t& flags = gradient.header()->flags;
  const bool finite = (flags & kFinite) != 0;
  flags &= static_cast<std::uint8_t>(~kFinite);
  return finite;
}

/// Makes a gradient read-only and its memory's only owner.
inline void make_own(Tensor& gradient) {
  if (gradient.header()->owner || __atomic_load_n(&gradient.header()->refs, __ATOMIC_ACQUIRE) > 1) [[unlikely]]
    gradient = gradient.clone();
  gradient.header()->flags |= kReadOnly;
}

}  // namespace capstan::detail
