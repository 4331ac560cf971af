#pragma once
#include <capstan/autograd/ops/sort.h>

// Choosing elements by index. Indices are i64 and count from 0; one outside its axis is a ValueError that names it.
// What holds for all operations: autograd/ops.h.
namespace capstan {

/// y[.., k, ..] = x[.., index[k], ..] along an axis, for index [n]; any dtype. dx = the sum of dy over the places where an
/// element was taken.
Tensor index_select(const Tensor& x, int axis, const Tensor& index);
/// y[i][j][k] = x[i][index[i][j][k]][k] for axis 1, and so on; any dtype. dx = the sum of dy over the places where an
/// element was taken. Throws ShapeError unless the index has as many axes as x, none but `axis` longer than x's.
Tensor gather(const Tensor& x, int axis, const Tensor& index);
/// y = x with src[i][j][k] added to y[i][index[i][j][k]][k] for axis 1, and so on; index and src have one shape, otherwise as
/// gather(). dx = dy; d src = gather(dy, axis, index).
Tensor scatter_add(const Tensor& x, int axis, const Tensor& index, const Tensor& src);
/// labels [...] in i64 as [..., classes]: 1 at each label, 0 elsewhere; no gradient. Throws ValueError naming the first label
/// outside [0, classes), and unless classes > 0.
Tensor one_hot(const Tensor& labels, std::int64_t classes, DType dtype = DType::i64);

}  // namespace capstan
