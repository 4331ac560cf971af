#pragma once
#include <capstan/core/tensor.h>

// Comparisons and logic: boolean results, no gradient. What holds for all operations: autograd/ops.h.
namespace capstan {

/// Element by element, for any dtype, broadcast. Beside a NaN all but != are false. A number beside an i64 tensor must be whole,
/// beside a boolean one 0 or 1 (ValueError). To ask whether two handles name the same tensor, compare their header().
Tensor operator==(const Tensor& a, const Tensor& b);
Tensor operator==(const Tensor& a, double b);
Tensor operator==(double a, const Tensor& b);
Tensor operator!=(const Tensor& a, const Tensor& b);
Tensor operator!=(const Tensor& a, double b);
Tensor operator!=(double a, const Tensor& b);
Tensor operator<(const Tensor& a, const Tensor& b);
Tensor operator<(const Tensor& a, double b);
Tensor operator<(double a, const Tensor& b);
Tensor operator<=(const Tensor& a, const Tensor& b);
Tensor operator<=(const Tensor& a, double b);
Tensor operator<=(double a, const Tensor& b);
Tensor operator>(const Tensor& a, const Tensor& b);
Tensor operator>(const Tensor& a, double b);
Tensor operator>(double a, const Tensor& b);
Tensor operator>=(const Tensor& a, const Tensor& b);
Tensor operator>=(const Tensor& a, double b);
Tensor operator>=(double a, const Tensor& b);

/// Booleans, broadcast; other dtypes are a ValueError (write x != 0).
Tensor logical_and(const Tensor& a, const Tensor& b);
Tensor logical_or(const Tensor& a, const Tensor& b);
Tensor logical_xor(const Tensor& a, const Tensor& b);
Tensor logical_not(const Tensor& x);

/// Whether x is neither NaN nor infinite.
Tensor isfinite(const Tensor& x);

/// y = a where the boolean condition holds, else b; the three broadcast, a and b have any one dtype. da = dy where it holds,
/// else 0; db the other way round. Weakness: further back such a 0 may meet an infinite slope, and 0 times infinity is NaN.
/// Choose a safe argument first: sqrt(where(x > 0, x, one)).
Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b);

}  // namespace capstan
