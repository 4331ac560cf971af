#pragma once
#include <capstan/autograd/ops/classification.h>
#include <capstan/autograd/ops/regression.h>

// Softmax, and losses. What holds for all operations: autograd/ops.h.
namespace capstan {

/// y = e^x / sum(e^x) along an axis, shifted by the maximum; dx = y (dy - sum(dy y)).
Tensor softmax(const Tensor& x, int axis = -1);
/// y = x - ln sum(e^x) along an axis; dx = dy - e^y sum(dy).
Tensor log_softmax(const Tensor& x, int axis = -1);

}  // namespace capstan
