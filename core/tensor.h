#pragma once
#include <capstan/core/dtype.h>
#include <capstan/core/shape.h>

#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#endif

#include <iosfwd>
#include <type_traits>
#include <utility>

namespace capstan {

class Tensor;

namespace detail {

struct Node;

/// What Kind::flags may hold, in a tensor's header and in a tape's slot (autograd/tape_state.h). No place has the flags of both.
enum : std::uint8_t {
  kLeaf = 4,  // in both: has the identity of a leaf

  // A header:
  kRequiresGrad = 1,
  kReadOnly = 2,
  kFinite = 8,  // a gradient whose kernel found no NaN in it

  // A slot:
  kWatched = 1,   // of a node whose result is watched: what gathers here is one of the results
  kSeed = 2,      // of a leaf, the 1 that a recorded gradients() began with: nobody asked for its gradient
  kHooked = 8,    // a hook waits for its gradient
  kChosen = 16,   // while gradients() computes chosen ones: this is one of them
  kOnTheWay = 32  // ... one of them lies behind it
};

/// What tensors of one kind have in common; copied as one word.
struct Kind {
  DType dtype;
  std::uint8_t dim, size_class, flags;
};

/// What a Tensor points at: one pooled block that holds this header, and the elements behind it unless `owner` is set.
/// Only autograd reads {tape, node} and {leaf, generation}.
struct Header : Kind {
  std::int32_t refs;
  void* data;
  std::int64_t numel;
  Header* owner;  // the block that holds the bytes, when this is a view of it
  std::uint64_t tape;
  Node* node;
  std::int64_t sizes[Shape::max_dim];
  std::uint64_t generation;
  std::uint32_t leaf, version;
};
static_assert(sizeof(Header) == 112);

/// Whether the process certainly has one thread; where the C library does not say, never.
inline bool single_threaded() noexcept {
#if __has_include(<sys/single_threaded.h>)
  return __libc_single_threaded != 0;
#else
  return false;
#endif
}

/// Adds to the count of references and tells the new one. Six locked instructions take a fifteenth of a small training step, which a
/// process of one thread need not pay. (OpenBLAS starts threads when it is loaded, unless told not to.)
inline std::int32_t add_refs(Header* h, std::int32_t change) noexcept {
  if (!single_threaded()) [[unlikely]]
    return __atomic_add_fetch(&h->refs, change, __ATOMIC_ACQ_REL);
  const std::int32_t refs = __atomic_load_n(&h->refs, __ATOMIC_RELAXED) + change;
  __atomic_store_n(&h->refs, refs, __ATOMIC_RELAXED);
  return refs;
}

void destroy(Header*) noexcept;
void release_shared(Header*) noexcept;
inline void retain(Header* h) noexcept { add_refs(h, 1); }
inline void release(Header* h) noexcept {
  // A sole owner needs no read-modify-write: nobody else can hold, hence copy, the handle.
  if (__atomic_load_n(&h->refs, __ATOMIC_ACQUIRE) == 1) [[likely]]
    destroy(h);
  else
    release_shared(h);
}
/// Notes a change of the elements. Two threads that change one tensor at the same time are the user's to keep apart, so
/// that no read-modify-write is needed.
inline void bump_version(Header* h) noexcept {
  std::uint32_t& version = (h->owner ? h->owner : h)->version;
  __atomic_store_n(&version, __atomic_load_n(&version, __ATOMIC_RELAXED) + 1, __ATOMIC_RELAXED);
}
[[noreturn, gnu::cold]] void undefined_tensor();
[[noreturn, gnu::cold]] void wrong_dtype(DType wanted, DType actual);

}  // namespace detail

/// A handle on an n-dimensional array: dtype, shape (0 to 6 axes) and elements, contiguous and row-major.
///
/// Copying a Tensor copies the handle: both name the same elements, as in PyTorch; clone() copies the elements. A
/// default-constructed Tensor names nothing, and using it is a ValueError. Handles may be copied and dropped by any
/// thread; elements are the user's to guard.
class Tensor {
 public:
  Tensor() noexcept = default;
  Tensor(const Tensor& other) noexcept : header_(other.header_) {
    if (header_) detail::retain(header_);
  }
  Tensor(Tensor&& other) noexcept : header_(std::exchange(other.header_, nullptr)) {}
  Tensor& operator=(Tensor other) & noexcept {
    std::swap(header_, other.header_);
    return *this;
  }
  ~Tensor() {
    if (header_) [[likely]]
      detail::release(header_);
  }

  /// False for a default-constructed or moved-from Tensor.
  bool defined() const noexcept { return header_ != nullptr; }

  Shape shape() const { return Shape::known(header()->sizes, header()->dim); }
  /// The size of axis i; a negative i counts from the end. Throws ShapeError when there is no such axis.
  std::int64_t size(int i) const;
  /// The number of axes; 0 for a scalar.
  int dim() const { return header()->dim; }
  std::int64_t numel() const { return header()->numel; }
  DType dtype() const { return header()->dtype; }

  /// The one element as a double. Throws ShapeError unless numel() == 1.
  double item() const;
  /// The elements, row-major. T must be the dtype's own type (float, double, std::int64_t, bool), else ValueError.
  /// Writing through the pointer is not tracked: no version is bumped and no gradient flows.
  template <class T>
  T* data() const {
    const detail::Header* h = header();
    if (h->dtype != dtype_of<std::remove_const_t<T>>) detail::wrong_dtype(dtype_of<std::remove_const_t<T>>, h->dtype);
    return static_cast<T*>(h->data);
  }

  /// A deep copy in fresh memory: not recorded, no gradient wanted.
  Tensor clone() const;
  /// The same elements as a view of which no tape knows: a constant for every later operation.
  Tensor detach() const;
  /// A copy in another dtype, or the handle itself when it has it already; not recorded. From f64 to f32 it rounds to
  /// nearest, from a float to i64 toward zero; boolean is x != 0. Throws ValueError for NaN and values out of range of i64.
  Tensor to(DType dtype) const;
  /// Rows [begin, end) of the first axis, without a copy; recorded. Throws ShapeError for a scalar or a bad range.
  Tensor rows(std::int64_t begin, std::int64_t end) const;
  /// The same elements in another shape, without a copy; recorded. One size may be -1 and is worked out. Throws ShapeError.
  Tensor reshape(const Shape& shape) const;
  Tensor reshape(std::initializer_list<std::int64_t> sizes) const;

  /// Copies other's elements into this tensor, which keeps its identity. Shapes and dtypes must agree, or other, f32 or f64,
  /// must broadcast to this shape. In-place changes bump the version and are never recorded.
  /// Throws ValueError on a tensor that wants a gradient while a tape records: use a NoGrad scope. After gradients() none is needed.
  Tensor& assign(const Tensor& other);
  Tensor& operator+=(const Tensor& other);
  Tensor& operator-=(const Tensor& other);
  Tensor& operator*=(const Tensor& other);
  Tensor& operator+=(double value);
  Tensor& operator-=(double value);
  Tensor& operator*=(double value);

  /// Whether tapes compute a gradient for this tensor. It must be f32 or f64, own its elements and be no result of a
  /// tape that runs (ValueError; Tape::watch() gives the gradient for one). A tape that has used it already goes on as before.
  Tensor& set_requires_grad(bool on);
  bool requires_grad() const { return (header()->flags & detail::kRequiresGrad) != 0; }

  /// How often the elements were changed in place; views share their owner's count.
  std::uint32_t version() const noexcept {
    return header_ ? __atomic_load_n(&(header_->owner ? header_->owner : header_)->version, __ATOMIC_RELAXED) : 0;
  }

  /// For Capstan's own rooms: the header, ValueError when there is none.
  detail::Header* header() const {
    if (!header_) detail::undefined_tensor();
    return header_;
  }
  /// Takes over one reference.
  static Tensor adopt(detail::Header* header) noexcept {
    Tensor t;
    t.header_ = header;
    return t;
  }
  /// Gives up this handle's reference.
  detail::Header* give() noexcept { return std::exchange(header_, nullptr); }

 private:
  detail::Header* header_ = nullptr;
};

/// Prints as NumPy does: nested brackets, one width, at most eight decimals, long axes shortened, lines of 75 characters.
std::ostream& operator<<(std::ostream& out, const Tensor& tensor);
std::string to_string(const Tensor& tensor);

}  // namespace capstan
