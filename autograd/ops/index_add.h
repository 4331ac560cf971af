#pragma once
#include <capstan/core/tensor.h>

// Private: what undoes index_select().
namespace capstan::detail {

/// Zeros of the given shape with src[..., k, ...] added at index[k] along an axis; recorded. The index, a vector, is checked.
Tensor index_add(const Shape& shape, int axis, const Tensor& index, const Tensor& src);
/// The same for begin, begin + step, begin + 2 step, ...
Tensor index_add(const Shape& shape, int axis, std::int64_t begin, std::int64_t step, const Tensor& src);

}  // namespace capstan::detail
