#pragma once
#include <capstan/autograd/ops/axes.h>
#include <capstan/core/tensor.h>

// Shapes; any dtype. What holds for all operations: autograd/ops.h.
namespace capstan {

/// The same elements in another shape, without a copy; in a list of sizes one may be -1 and is worked out. dx = dy in x's
/// shape.
Tensor reshape(const Tensor& x, const Shape& shape);
Tensor reshape(const Tensor& x, std::initializer_list<std::int64_t> sizes);
/// Axes a and b swapped; a copy. dx = dy with them swapped back.
Tensor transpose(const Tensor& x, int a = -2, int b = -1);
/// Rows [begin, end) of the first axis, without a copy. dx = dy in those rows, 0 elsewhere.
Tensor rows(const Tensor& x, std::int64_t begin, std::int64_t end);
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
/// x counts[i] times one after the other along axis i; more counts than axes put new axes in front, as in PyTorch (NumPy's
/// tile). dx = the sum of the repetitions. Throws ShapeError for fewer counts than axes, ValueError for a negative one.
Tensor repeat(const Tensor& x, const std::vector<std::int64_t>& counts);
/// The order of elements turned round along the axes (left out: along all). dx = dy turned round.
Tensor flip(const Tensor& x, Axes axes = {});
/// x in a frame of `value`: widths are pairs (before, after), the last axis first, as in PyTorch; axes without a pair stay. dx = dy
/// within the frame. Throws ShapeError for an odd number or more than two for each axis, ValueError for a negative width and,
/// beside integers, for a value that is not whole.
Tensor pad(const Tensor& x, const std::vector<std::int64_t>& widths, double value = 0);
/// The lower, the upper triangle of the last two axes, 0 elsewhere; the k-th diagonal belongs to both. dx = the same of dy. Throw
/// ShapeError for less than two axes.
Tensor tril(const Tensor& x, std::int64_t k = 0);
Tensor triu(const Tensor& x, std::int64_t k = 0);
/// Tensors one behind the other along an axis; all other sizes, and the dtypes, must agree (ShapeError, ValueError naming the
/// first that differs). dx of each is its part of dy. Throws ShapeError for no tensors.
Tensor concat(const std::vector<Tensor>& xs, int axis = 0);
/// Tensors of one shape along a new axis, from -dim - 1 to dim.
Tensor stack(const std::vector<Tensor>& xs, int axis = 0);
/// x cut along an axis: in parts of `size`, the last one smaller when it does not fit, or in parts of the given sizes, which must
/// add up to the axis (ShapeError). Along the first axis the parts share x's memory. dx = each part's dy in its place.
std::vector<Tensor> split(const Tensor& x, std::int64_t size, int axis = 0);
std::vector<Tensor> split(const Tensor& x, const std::vector<std::int64_t>& sizes, int axis = 0);

}  // namespace capstan
