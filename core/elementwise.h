#pragma once
#include <capstan/core/compute.h>

// Private: element by element beyond unary() and binary(), without gradients. `op` is the name for error texts.
namespace capstan::kernels {

/// y = f(a, b, p, q) for f32 and f64. Both a and b have one shape, and are the same tensor where f reads one only.
Tensor parametric(const char* op, Parametric kind, const Tensor& a, const Tensor& b, double p = 0, double q = 0);

/// y = a ? b, a boolean tensor, broadcast; any dtype, the same for both. A number beside an i64 tensor must be whole.
Tensor compare(const char* op, Compare kind, const Tensor& a, const Tensor& b);
Tensor compare(const char* op, Compare kind, const Tensor& a, double b);
Tensor compare(const char* op, Compare kind, double a, const Tensor& b);

enum class Logic : std::uint8_t { conjunction, disjunction, difference };
/// Booleans joined, broadcast. Throws ValueError for other dtypes.
Tensor logic(const char* op, Logic kind, const Tensor& a, const Tensor& b);

/// c ? a : b, broadcast; any dtype for a and b, the same for both.
Tensor select(const char* op, const Tensor& c, const Tensor& a, const Tensor& b);

}  // namespace capstan::kernels
