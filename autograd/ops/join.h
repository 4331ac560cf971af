#pragma once
#include <capstan/core/tensor.h>

#include <vector>

// Several tensors made one, and one made several; any dtype. What holds for all operations: autograd/ops.h.
namespace capstan {

/// Tensors one behind the other along an axis; dx of each is its part of dy. Throws: ShapeError for no tensors, and naming the first of
/// which another size differs; ValueError naming the first of which the dtype differs.
Tensor concat(const std::vector<Tensor>& xs, int axis = 0);
/// Tensors of one shape along a new axis, from -dim - 1 to dim.
Tensor stack(const std::vector<Tensor>& xs, int axis = 0);
/// x cut along an axis: in parts of `size`, the last one smaller when it does not fit, or in parts of the given sizes. Along the first
/// axis the parts share x's memory. dx = each part's dy in its place. Throws ShapeError unless the sizes add up to the axis.
std::vector<Tensor> split(const Tensor& x, std::int64_t size, int axis = 0);
std::vector<Tensor> split(const Tensor& x, const std::vector<std::int64_t>& sizes, int axis = 0);

}  // namespace capstan
