#pragma once
#include <capstan/core/tensor.h>

// Private: sums, copies and views along axes, without gradients.
namespace capstan::kernels {

/// A copy of x with the given shape, which x's shape broadcasts to.
Tensor expand(const Tensor& x, const Shape& shape);
/// Undoes broadcasting: x summed over the axes along which `shape` was repeated.
Tensor sum_to(const Tensor& x, const Shape& shape);
/// Sums over everything, and over one axis (non-negative), which stays with size 1 if keepdim.
Tensor sum(const Tensor& x);
Tensor sum(const Tensor& x, int axis, bool keepdim);

/// A copy with two axes swapped; any dtype.
Tensor transpose(const Tensor& x, int a, int b);

/// The same elements under another shape with as many elements; not recorded.
Tensor view(const Tensor& x, const Shape& shape);

/// The product of all sizes before, at, and after an axis.
struct Split {
  std::int64_t outer, size, inner;
};
/// With no lines outer is 0 too: nobody counts to 2^40 to do nothing.
Split split_at(const Tensor& x, int axis);

}  // namespace capstan::kernels
