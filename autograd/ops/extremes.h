#pragma once
#include <capstan/autograd/ops/axes.h>

// The largest and the smallest element, and where they stand. Axes as for the reductions of autograd/ops/reduce.h. What holds for all
// operations: autograd/ops.h.
namespace capstan {

/// y = the largest element (NaN when there is one); dx = dy at the first such element, 0 elsewhere. Throws ShapeError for n = 0.
/// (The name is in parentheses since Windows's headers define macros max and min.)
Tensor(max)(const Tensor& x);
Tensor(max)(const Tensor& x, Axes axes, bool keepdim = false);
/// y = the smallest element, likewise.
Tensor(min)(const Tensor& x, Axes axes = {}, bool keepdim = false);
/// The index of the first largest element (of the first NaN when there is one): along an axis, or in the row-major order of all.
/// It is i64 and has no gradient. Throws ShapeError for n = 0.
Tensor argmax(const Tensor& x);
Tensor argmax(const Tensor& x, int axis, bool keepdim = false);
/// The index of the first smallest element, likewise.
Tensor argmin(const Tensor& x);
Tensor argmin(const Tensor& x, int axis, bool keepdim = false);

}  // namespace capstan
