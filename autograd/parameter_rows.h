#pragma once
#include <capstan/core/tensor.h>

// Private: by what clipping takes norms.
namespace capstan::detail {

/// What one scale belongs to: the elements at one index of the first axis. Of a tensor with one axis or none, or one that
/// is to count as one, that is the whole.
struct ParameterRows {
  std::int64_t count, size;
  bool whole;
  explicit ParameterRows(const Tensor& t, bool as_one = false)
      : count(as_one || t.dim() < 2 ? 1 : t.size(0)), size(count == 0 ? 0 : t.numel() / count), whole(as_one) {}
};

}  // namespace capstan::detail
