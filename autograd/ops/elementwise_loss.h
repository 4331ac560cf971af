#pragma once
#include <capstan/autograd/ops/loss.h>

// Private: what losses of single elements share.
namespace capstan::detail {

/// Refuses an input and a target of which no such loss can be made.
void require_pair(const char* op, const Tensor& input, const Tensor& target, Reduction reduction);
/// The elements' losses, reduced; recorded.
Tensor reduced(const Tensor& losses, Reduction reduction);

}  // namespace capstan::detail
