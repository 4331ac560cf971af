#pragma once
#include <capstan/autograd/ops/regression.h>

// Private: what losses of single elements share.
namespace capstan::detail {

/// Refuses an input and a target of which no such loss can be made.
void require_pair(const char* op, const Tensor& input, const Tensor& target, Reduction reduction);
/// a b, broadcast, where a 0 of b outweighs an infinite a: what has no part in a loss costs nothing. Recorded; the gradients likewise.
Tensor share(const char* op, const Tensor& a, const Tensor& b);
/// The elements' losses, reduced; recorded.
Tensor reduced(const Tensor& losses, Reduction reduction);

}  // namespace capstan::detail
