#pragma once
#include <capstan/core/tensor.h>

#include <cmath>
#include <cstdlib>

// Element by element. What holds for all operations: autograd/ops.h.
namespace capstan {

// The names that also exist for plain numbers, so that a rule written as `sqrt(s)` works for float, double and Tensor.
using std::abs, std::exp, std::log, std::sqrt, std::pow, std::tanh;
using std::expm1, std::log1p, std::sin, std::cos, std::erf, std::floor, std::ceil, std::round, std::atan, std::tan, std::sinh, std::cosh,
    std::log2, std::log10;

// Bounds in ulp (units in the last place) are proved over all floats and sampled over all doubles. Where none is stated the function is
// rounded once, or the C library's. A number of which f32 would make infinity or 0 is a ValueError beside an f32 tensor.

/// y = e^x, within 2 ulp; dx = y dy.
Tensor exp(const Tensor& x);
/// y = ln x, within 2 ulp; dx = dy / x. NaN for x < 0, -inf at 0.
Tensor log(const Tensor& x);
/// y = the logarithm of x to the base 2; dx = dy / (x ln 2). NaN for x < 0, -inf at 0.
Tensor log2(const Tensor& x);
/// y = the logarithm of x to the base 10; dx = dy / (x ln 10). NaN for x < 0, -inf at 0.
Tensor log10(const Tensor& x);
/// y = sqrt(x); dx = dy / (2 y): infinite at 0. NaN for x < 0.
Tensor sqrt(const Tensor& x);
/// y = x^2; dx = 2 x dy.
Tensor square(const Tensor& x);
/// y = x^p; dx = p x^(p-1) dy. As std::pow: NaN for x < 0 with a fractional p. For p = 0 the gradient is 0 for every finite dy.
Tensor pow(const Tensor& x, double p);
/// y = a^b; da = b a^(b-1) dy, 0 for b = 0; db = y ln(a) dy, 0 for a = 0 <= b; both as in PyTorch. As std::pow: NaN for a < 0
/// with a fractional b, and then db is NaN for every a < 0.
Tensor pow(const Tensor& a, const Tensor& b);
/// y = |x|; dx = sign(x) dy, with 0 chosen at 0.
Tensor abs(const Tensor& x);
/// y = tanh x, within 3 ulp; dx = (1 - y^2) dy.
Tensor tanh(const Tensor& x);
/// y = (e^x - e^-x) / 2; dx = cosh(x) dy.
Tensor sinh(const Tensor& x);
/// y = (e^x + e^-x) / 2; dx = sinh(x) dy.
Tensor cosh(const Tensor& x);
/// y = e^x - 1, within 2 ulp, near 0 too; dx = (y + 1) dy.
Tensor expm1(const Tensor& x);
/// y = ln(1 + x), within 3 ulp, near 0 too; dx = dy / (1 + x). NaN for x < -1, -inf at -1.
Tensor log1p(const Tensor& x);
/// y = 1 / sqrt(x); dx = -y^3 dy / 2. Infinite at 0, NaN for x < 0.
Tensor rsqrt(const Tensor& x);
/// y = 1 / x; dx = -y^2 dy.
Tensor reciprocal(const Tensor& x);
/// y = sin x; dx = cos(x) dy. NaN at infinity.
Tensor sin(const Tensor& x);
/// y = cos x; dx = -sin(x) dy. NaN at infinity.
Tensor cos(const Tensor& x);
/// y = tan x; dx = (1 + y^2) dy. NaN at infinity.
Tensor tan(const Tensor& x);
/// y = the angle whose tangent is x, between -pi / 2 and pi / 2; dx = dy / (1 + x^2).
Tensor atan(const Tensor& x);
/// y = 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x, within 2 ulp; dx = 2 / sqrt(pi) e^(-x^2) dy.
Tensor erf(const Tensor& x);
/// y = 1, 0 or -1 as x is above, at or below 0; NaN stays NaN, as in NumPy. dx = 0 everywhere.
Tensor sign(const Tensor& x);
/// y = the largest whole number <= x; dx = 0 everywhere.
Tensor floor(const Tensor& x);
/// y = the smallest whole number >= x; dx = 0 everywhere.
Tensor ceil(const Tensor& x);
/// y = the nearest whole number, halves to the even one, as in PyTorch and NumPy (not as std::round); dx = 0 everywhere.
Tensor round(const Tensor& x);
/// y = the larger of a and b, NaN when one of them is; da = dy where a > b, dy / 2 where a = b, else 0, and db likewise
/// (PyTorch's choice); where one is NaN both get dy.
Tensor maximum(const Tensor& a, const Tensor& b);
/// y = the smaller of a and b, NaN when one of them is; the gradient goes to the smaller one, halved where a = b.
Tensor minimum(const Tensor& a, const Tensor& b);
/// y = x limited to [low, high], which may be infinite; dx = dy where low <= x <= high, else 0 (PyTorch 2.15 has 0 at the
/// ends, too). NaN stays NaN. Throws ValueError unless low <= high.
Tensor clamp(const Tensor& x, double low, double high);

}  // namespace capstan
