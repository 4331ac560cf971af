#pragma once
#include <cstdint>
#include <initializer_list>
#include <string>

namespace capstan {

/// The sizes of a tensor's axes, at most six, each >= 0. {} is the shape of a scalar (0-d, one element).
class Shape {
 public:
  static constexpr int max_dim = 6;

  Shape() noexcept = default;
  /// Throws ShapeError for more than six axes, a negative size, or more than 2^48 elements. As in NumPy, sizes of 0 are left
  /// out of that product.
  Shape(std::initializer_list<std::int64_t> sizes) : Shape(sizes.begin(), static_cast<int>(sizes.size())) {}
  Shape(const std::int64_t* sizes, int dim);

  /// For Capstan's own rooms: the sizes of a tensor that is there, which need no check.
  static Shape known(const std::int64_t* sizes, int dim) noexcept {
    Shape s;
    s.dim_ = dim;
    for (int i = 0; i < dim; ++i) s.sizes_[i] = sizes[i];
    return s;
  }

  int dim() const noexcept { return dim_; }
  /// The size of axis i; a negative i counts from the end. Throws ShapeError when there is no such axis.
  std::int64_t operator[](int i) const;
  /// The product of all sizes; 1 for a scalar.
  std::int64_t numel() const noexcept;
  const std::int64_t* begin() const noexcept { return sizes_; }
  const std::int64_t* end() const noexcept { return sizes_ + dim_; }
  /// This shape with axis i's size replaced; this shape without axis i; both accept a negative i.
  Shape with(int i, std::int64_t size) const;
  Shape without(int i) const;

  friend bool operator==(const Shape& a, const Shape& b) noexcept {
    if (a.dim_ != b.dim_) return false;
    for (int i = 0; i < a.dim_; ++i)
      if (a.sizes_[i] != b.sizes_[i]) return false;
    return true;
  }

 private:
  std::int64_t sizes_[max_dim] = {};
  int dim_ = 0;
};

/// "[32, 64]"; "[]" for a scalar.
std::string to_string(const Shape& shape);

/// The axis that `axis` names in `dim` axes: a negative one counts from the end. Throws ShapeError naming `op`.
int normal_axis(const char* op, int axis, int dim);

/// The shape of a broadcast result by NumPy's rule: aligned at the last axis, sizes equal or one of them 1.
/// Throws ShapeError naming `op` and both shapes.
Shape broadcast(const char* op, const Shape& a, const Shape& b);

}  // namespace capstan
