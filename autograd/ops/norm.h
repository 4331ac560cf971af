#pragma once
#include <capstan/autograd/ops/axes.h>

// The p-norm. Axes as for the reductions of autograd/ops/reduce.h. What holds for all operations: autograd/ops.h.
namespace capstan {

/// y = (sum of |x|^p)^(1/p) for p > 0; for p = infinity the largest |x|. Scaled by the largest |x|, so that it neither overflows
/// nor vanishes where y does not. dx = sign(x) (|x| / y)^(p-1) dy, also where y overflows or has the few digits of a denormal; for p =
/// infinity sign(x) dy shared evenly among the largest; 0 where y is 0. Derivatives of second order are NaN there, as PyTorch's for p = 2,
/// since there are none; 0 for p = 1 and infinity. The norm of nothing is 0. Throws ValueError unless p > 0, and for a p of which f32 makes
/// infinity or 0 beside an f32 tensor.
Tensor norm(const Tensor& x, double p = 2, Axes axes = {}, bool keepdim = false);

}  // namespace capstan
