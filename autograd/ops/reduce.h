#pragma once
#include <capstan/autograd/ops/axes.h>
#include <capstan/core/tensor.h>

// Reductions over every axis, one or several. The axes go away unless keepdim. Sums are joined pairwise: an element goes
// through 24 + log2(n / 512) roundings at most, along another axis than the last through 128 + n / 128, not through n.
// An axis that is not there, or stands twice, is a ShapeError. What holds for all operations: autograd/ops.h.
namespace capstan {

/// y = sum of x; dx = dy, repeated. The sum of nothing is 0.
Tensor sum(const Tensor& x);
Tensor sum(const Tensor& x, Axes axes, bool keepdim = false);
/// y = sum of x / n; dx = dy / n, repeated. Throws ShapeError for n = 0.
Tensor mean(const Tensor& x);
Tensor mean(const Tensor& x, Axes axes, bool keepdim = false);
/// y = sum of (x - m)^2 / (n - correction), where m is the mean: correction 1 is unbiased (PyTorch's default), 0 is NumPy's.
/// m is taken from x before it is squared, and what its rounding left afterwards: nothing cancels, and equal elements give 0. Scaled where
/// squares overflow or vanish, so that y and dx are right wherever they can be held. dx = 2 (x - m) dy / (n - correction). Throws
/// ShapeError unless n > correction, ValueError unless correction >= 0.
Tensor var(const Tensor& x, Axes axes = {}, bool keepdim = false, double correction = 1);
/// y = sqrt(var(x)), also where var(x) itself overflows or vanishes; dx = (x - m) dy / (y (n - correction)), also where y overflows or is
/// denormal, and where all elements are equal it is 0, the derivatives of higher order too (PyTorch's choice). Beside `using namespace
/// capstan` its name alone is that of the namespace too: write capstan::std(x).
Tensor std(const Tensor& x, Axes axes = {}, bool keepdim = false, double correction = 1);
/// y = the largest element (NaN when there is one); dx = dy at the first such element, 0 elsewhere. Throws ShapeError for n = 0.
/// (The name is in parentheses since Windows's headers define macros max and min.)
Tensor(max)(const Tensor& x);
Tensor(max)(const Tensor& x, Axes axes, bool keepdim = false);
/// y = the smallest element, likewise.
Tensor(min)(const Tensor& x, Axes axes = {}, bool keepdim = false);
/// The index of the first largest element (of the first NaN when there is one) along an axis, or in the row-major order of all
/// elements; i64, no gradient. Throws ShapeError for n = 0.
Tensor argmax(const Tensor& x);
Tensor argmax(const Tensor& x, int axis, bool keepdim = false);
/// The index of the first smallest element, likewise.
Tensor argmin(const Tensor& x);
Tensor argmin(const Tensor& x, int axis, bool keepdim = false);
/// y = product of x, infinite or 0 only where the whole product is, not a part of it; dx = dy times the product of all other elements,
/// exact also beside zeros. The product of nothing is 1.
Tensor prod(const Tensor& x, Axes axes = {}, bool keepdim = false);
/// y = ln of the sum of e^x, shifted by the maximum; dx = e^(x - y) dy, and 0 where y is -inf, which it is for no elements and
/// for nothing but -inf.
Tensor logsumexp(const Tensor& x, Axes axes = {}, bool keepdim = false);
/// y = (sum of |x|^p)^(1/p) for p > 0; for p = infinity the largest |x|. Scaled by the largest |x|, so that it neither overflows
/// nor vanishes where y does not. dx = sign(x) (|x| / y)^(p-1) dy, also where y overflows or has the few digits of a denormal; for p =
/// infinity sign(x) dy shared evenly among the largest; 0 where y is 0. Derivatives of second order are NaN there, as PyTorch's for p = 2,
/// since there are none; 0 for p = 1 and infinity. The norm of nothing is 0. Throws ValueError unless p > 0, and for a p of which f32 makes
/// infinity or 0 beside an f32 tensor.
Tensor norm(const Tensor& x, double p = 2, Axes axes = {}, bool keepdim = false);
/// Whether any, and whether every boolean is true; of none: false, and true. No gradient. Other dtypes are a ValueError.
Tensor any(const Tensor& x, Axes axes = {}, bool keepdim = false);
Tensor all(const Tensor& x, Axes axes = {}, bool keepdim = false);
/// y[k] = x[0] + ... + x[k] along an axis, added up one after the other in double precision: k roundings of 2^-53 of the sum of
/// |x| at most, and for f32 the last one to f32; dx[k] = dy[k] + ... + dy[n - 1].
Tensor cumsum(const Tensor& x, int axis);

}  // namespace capstan
