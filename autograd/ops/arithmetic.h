#pragma once
#include <capstan/core/tensor.h>

// Arithmetic; also i64, without gradient, division only f32 and f64. Beside an i64 tensor a number that is not whole is a
// ValueError. What holds for all operations: autograd/ops.h.
namespace capstan {

/// y = a + b; da = dy, db = dy.
Tensor operator+(const Tensor& a, const Tensor& b);
Tensor operator+(const Tensor& a, double b);
Tensor operator+(double a, const Tensor& b);
/// y = a - b; da = dy, db = -dy.
Tensor operator-(const Tensor& a, const Tensor& b);
Tensor operator-(const Tensor& a, double b);
Tensor operator-(double a, const Tensor& b);
/// y = a b; da = b dy, db = a dy.
Tensor operator*(const Tensor& a, const Tensor& b);
Tensor operator*(const Tensor& a, double b);
Tensor operator*(double a, const Tensor& b);
/// y = a / b; da = dy / b, db = -y dy / b. Division by zero follows IEEE 754.
Tensor operator/(const Tensor& a, const Tensor& b);
Tensor operator/(const Tensor& a, double b);
Tensor operator/(double a, const Tensor& b);
/// y = -x; dx = -dy.
Tensor operator-(const Tensor& x);
Tensor neg(const Tensor& x);

}  // namespace capstan
