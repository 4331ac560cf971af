#pragma once
#include <capstan/autograd/ops/axes.h>

// Elements in another arrangement; any dtype. What holds for all operations: autograd/ops.h.
namespace capstan {

/// Elements begin, begin + step, ... below `end` along an axis; a copy. dx = dy there, 0 elsewhere. Throws ShapeError unless
/// 0 <= begin <= end <= size, ValueError unless step > 0.
Tensor slice(const Tensor& x, int axis, std::int64_t begin, std::int64_t end, std::int64_t step = 1);
/// The axes in another order: axis i of y is axis order[i] of x; a copy. dx = dy with the axes put back. Throws ShapeError unless
/// each axis is named once.
Tensor permute(const Tensor& x, Axes order);
/// Without those of the named axes that have size 1 (left out: of all axes); the others stay, as in PyTorch. No copy.
Tensor squeeze(const Tensor& x, Axes axes = {});
/// With a new axis of size 1 at `axis`, from -dim - 1 to dim. No copy.
Tensor unsqueeze(const Tensor& x, int axis);
/// x repeated to a shape that it broadcasts to (ShapeError naming both); a copy. dx = dy summed over what was repeated.
Tensor expand(const Tensor& x, const Shape& shape);
/// x counts[i] times one after the other along axis i. More counts than axes put new axes in front, as in PyTorch (NumPy's
/// tile). dx = the sum of the repetitions. Throws: ShapeError for fewer counts than axes; ValueError for a negative one.
Tensor repeat(const Tensor& x, const std::vector<std::int64_t>& counts);
/// The order of elements turned round along the axes (left out: along all). dx = dy turned round.
Tensor flip(const Tensor& x, Axes axes = {});
/// x in a frame of `value`; dx = dy within the frame. Widths are pairs (before, after), the last axis first, as in PyTorch; axes
/// without a pair stay. Throws: ShapeError for an odd number of widths, or more than two for each axis; ValueError for a negative one
/// and, beside integers, for a value that is not whole.
Tensor pad(const Tensor& x, const std::vector<std::int64_t>& widths, double value = 0);
/// The lower, the upper triangle of the last two axes, 0 elsewhere; the k-th diagonal belongs to both. dx = the same of dy. Throw
/// ShapeError for less than two axes.
Tensor tril(const Tensor& x, std::int64_t k = 0);
Tensor triu(const Tensor& x, std::int64_t k = 0);

}  // namespace capstan
