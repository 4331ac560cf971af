#pragma once
#include <capstan/autograd/ops/linear.h>

// Private: matmul() when an operand has more than two axes.
namespace capstan::detail {

/// a and b are f32 or f64, of one dtype, and no scalars.
Tensor batched_matmul(const Tensor& a, const Tensor& b, MatmulOptions options);

}  // namespace capstan::detail
