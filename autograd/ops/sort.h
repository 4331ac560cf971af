#pragma once
#include <capstan/core/tensor.h>

// Orders along an axis; f32 and f64. What holds for all operations: autograd/ops.h.
namespace capstan {

/// Elements with where they stood along the axis, i64.
struct Sorted {
  Tensor values, indices;
};
/// The elements along an axis in ascending order, equal ones as they stood; NaN counts as the largest, as in PyTorch. The gradient
/// goes back to where each element stood.
Sorted sort(const Tensor& x, int axis = -1, bool descending = false);
/// The indices that sort() gives; no gradient.
Tensor argsort(const Tensor& x, int axis = -1, bool descending = false);
/// The first k of the sorted elements along an axis, from the largest (or the smallest) on: sort() in part. Throws ShapeError
/// unless 0 <= k <= size.
Sorted topk(const Tensor& x, std::int64_t k, int axis = -1, bool largest = true);

}  // namespace capstan
