#pragma once
#include <capstan/core/tensor.h>

// Softmax and losses. What holds for all operations: autograd/ops.h.
namespace capstan {

/// y = e^x / sum(e^x) along an axis, shifted by the maximum; dx = y (dy - sum(dy y)).
Tensor softmax(const Tensor& x, int axis = -1);
/// y = x - ln sum(e^x) along an axis; dx = dy - e^y sum(dy).
Tensor log_softmax(const Tensor& x, int axis = -1);
/// y = mean of (input - target)^2, PyTorch's: without a half. The shapes must be equal. d input = 2 (input - target) dy / n;
/// d target is its negative.
Tensor mse_loss(const Tensor& input, const Tensor& target);
/// y = mean over the rows of -log softmax(logits)[label], for logits [n, classes] and labels [n] in i64.
/// d logits = (softmax(logits) - onehot(label)) dy / n. Throws ValueError naming the first label outside [0, classes).
Tensor cross_entropy(const Tensor& logits, const Tensor& labels);

}  // namespace capstan
