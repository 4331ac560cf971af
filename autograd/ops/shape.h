#pragma once
#include <capstan/autograd/ops/join.h>
#include <capstan/autograd/ops/layout.h>

#include <initializer_list>

// Shapes; any dtype. What holds for all operations: autograd/ops.h.
namespace capstan {

/// The same elements in another shape, without a copy. In a list of sizes one may be -1 and is worked out. dx = dy in x's shape.
Tensor reshape(const Tensor& x, const Shape& shape);
Tensor reshape(const Tensor& x, std::initializer_list<std::int64_t> sizes);
/// Axes a and b swapped; a copy. dx = dy with them swapped back.
Tensor transpose(const Tensor& x, int a = -2, int b = -1);
/// Rows [begin, end) of the first axis, without a copy. dx = dy in those rows, 0 elsewhere.
Tensor rows(const Tensor& x, std::int64_t begin, std::int64_t end);

}  // namespace capstan
