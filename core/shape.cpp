#include <capstan/core/shape.h>

#include <capstan/core/text.h>

#include <algorithm>

// Shapes: checked when they are made, compared and broadcast by NumPy's rules.

namespace capstan {

namespace detail {
[[noreturn]] void wrong_dim(int wanted, const Shape& shape);
}

using detail::fail;

Shape::Shape(const std::int64_t* sizes, int dim) : dim_(dim) {
  if (dim > max_dim) fail<ShapeError>("shape", "a tensor has at most 6 axes: ", dim);
  std::copy(sizes, sizes + dim, sizes_);
  constexpr std::int64_t most = std::int64_t{1} << 48;
  std::int64_t n = 1;
  for (const std::int64_t size : *this) {
    if (size < 0) fail<ShapeError>("shape", "a size must not be negative: ", *this);
    if (size == 0) continue;  // else the product of the others could overflow wherever a part of the shape is taken
    if (__builtin_mul_overflow(n, size, &n) || n > most) fail<ShapeError>("shape", "a tensor has at most 2^48 elements: ", *this);
  }
}

std::int64_t Shape::operator[](int i) const { return sizes_[normal_axis("shape", i, dim_)]; }

std::int64_t Shape::numel() const noexcept {
  // A size of 0 may stand among sizes whose product overflows.
  std::int64_t n = 1;
  bool empty = false;
  for (int i = 0; i < dim_; ++i) {
    empty |= sizes_[i] == 0;
    if (!empty) n *= sizes_[i];
  }
  return empty ? 0 : n;
}

Shape Shape::with(int i, std::int64_t size) const {
  Shape s = *this;
  s.sizes_[normal_axis("shape", i, dim_)] = size;
  return Shape(s.sizes_, dim_);
}

Shape Shape::without(int i) const {
  const int axis = normal_axis("shape", i, dim_);
  Shape s;
  for (int k = 0; k < dim_; ++k)
    if (k != axis) s.sizes_[s.dim_++] = sizes_[k];
  return s;
}

std::string to_string(const Shape& shape) {
  std::string s = "[";
  for (const std::int64_t size : shape) {
    if (s.size() > 1) s += ", ";
    s += std::to_string(size);
  }
  return s + "]";
}

void detail::wrong_dim(int wanted, const Shape& shape) { fail<ShapeError>("xtensor", "the number of axes must be ", wanted, ": ", shape); }

int normal_axis(const char* op, int axis, int dim) {
  if (axis < -dim || axis >= dim) {
    if (dim == 0) fail<ShapeError>(op, "a scalar has no axes: axis ", axis);
    fail<ShapeError>(op, "there is no such axis: ", axis, " of ", dim, " (from ", -dim, " to ", dim - 1, ")");
  }
  return axis < 0 ? axis + dim : axis;
}

Shape broadcast(const char* op, const Shape& a, const Shape& b) {
  const int dim = std::max(a.dim(), b.dim());
  std::int64_t sizes[Shape::max_dim];
  for (int i = 1; i <= dim; ++i) {
    const std::int64_t p = i <= a.dim() ? a.end()[-i] : 1, q = i <= b.dim() ? b.end()[-i] : 1;
    if (p != q && p != 1 && q != 1)
      fail<ShapeError>(op, "shapes must broadcast: ", a, " and ", b, " (sizes equal or 1, aligned at the last axis)");
    sizes[dim - i] = p == 1 ? q : p;
  }
  return Shape(sizes, dim);
}

}  // namespace capstan
