#pragma once
#include <capstan/autograd/ops/linear.h>
#include <capstan/autograd/record.h>

// Private: matmul() when an operand has more than two axes.
namespace capstan::detail {

/// a and b are f32 or f64, of one dtype, and no scalars.
Tensor batched_matmul(const Tensor& a, const Tensor& b, MatmulOptions options);
/// The gradient rule of matmul() in operations, whatever axes the operands have.
void recorded_matmul_rule(const Tensor& a, const Tensor& b, MatmulOptions options, const Tensor& dy, Inputs& dx);

}  // namespace capstan::detail
