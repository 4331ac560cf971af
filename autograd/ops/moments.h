#pragma once
#include <capstan/autograd/ops/axes.h>

// Variance and standard deviation. Axes as for the reductions of autograd/ops/reduce.h. What holds for all operations: autograd/ops.h.
namespace capstan {

/// y = sum of (x - m)^2 / (n - correction), where m is the mean; dx = 2 (x - m) dy / (n - correction). Correction 1 is unbiased
/// (PyTorch's default), 0 is NumPy's. The mean is taken from x before the squares, and what its rounding left afterwards. So nothing
/// cancels, and equal elements give 0. Scaled where squares overflow or vanish: y and dx are right wherever they can be held.
/// Throws: ShapeError unless n > correction; ValueError unless correction >= 0.
Tensor var(const Tensor& x, Axes axes = {}, bool keepdim = false, double correction = 1);
/// y = sqrt(var(x)), also where var(x) itself overflows or vanishes; dx = (x - m) dy / (y (n - correction)), also where y overflows or
/// is denormal. Where all elements are equal dx is 0, and so are the derivatives of higher order (PyTorch's choice). Beside `using
/// namespace capstan` its name alone is that of the namespace too: write capstan::std(x).
Tensor std(const Tensor& x, Axes axes = {}, bool keepdim = false, double correction = 1);

}  // namespace capstan
