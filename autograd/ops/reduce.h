#pragma once
#include <capstan/autograd/ops/axes.h>
#include <capstan/autograd/ops/extremes.h>
#include <capstan/autograd/ops/moments.h>
#include <capstan/autograd/ops/norm.h>

// Reductions over every axis, one or several. The axes go away unless keepdim. Sums are joined pairwise: an element goes
// through 24 + log2(n / 512) roundings at most, not through n. Along another axis than the last it is 128 + n / 128.
// An axis that is not there, or stands twice, is a ShapeError. What holds for all operations: autograd/ops.h.
namespace capstan {

/// y = sum of x; dx = dy, repeated. The sum of nothing is 0.
Tensor sum(const Tensor& x);
Tensor sum(const Tensor& x, Axes axes, bool keepdim = false);
/// y = sum of x / n; dx = dy / n, repeated. Throws ShapeError for n = 0.
Tensor mean(const Tensor& x);
Tensor mean(const Tensor& x, Axes axes, bool keepdim = false);
/// y = product of x, infinite or 0 only where the whole product is, not a part of it; dx = dy times the product of all other elements,
/// exact also beside zeros. The product of nothing is 1.
Tensor prod(const Tensor& x, Axes axes = {}, bool keepdim = false);
/// y = ln of the sum of e^x, shifted by the maximum; dx = e^(x - y) dy, and 0 where y is -inf, which it is for no elements and
/// for nothing but -inf.
Tensor logsumexp(const Tensor& x, Axes axes = {}, bool keepdim = false);
/// Whether any, and whether every boolean is true; of none: false, and true. No gradient. Other dtypes are a ValueError.
Tensor any(const Tensor& x, Axes axes = {}, bool keepdim = false);
Tensor all(const Tensor& x, Axes axes = {}, bool keepdim = false);
/// y[k] = x[0] + ... + x[k] along an axis, added up one after the other in double precision: k roundings of 2^-53 of the sum of
/// |x| at most, and for f32 the last one to f32; dx[k] = dy[k] + ... + dy[n - 1].
Tensor cumsum(const Tensor& x, int axis);

}  // namespace capstan
