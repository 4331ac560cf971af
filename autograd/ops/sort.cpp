#include <capstan/autograd/ops/sort.h>

#include <capstan/autograd/ops/index.h>
#include <capstan/core/axes.h>
#include <capstan/core/compute.h>
#include <capstan/core/create.h>
#include <capstan/core/text.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

// The order of the indices along each line is found; the values are gathered by it, and their gradient goes back by it.
namespace capstan {

using detail::fail;
using kernels::data_of;
using kernels::dispatch;
using kernels::Split;

namespace {

/// Whether a stands before b in ascending order, NaN last.
template <class T>
bool before(T a, T b) {
  return a < b || (std::isnan(b) && !std::isnan(a));
}

/// The indices of the first k elements in order along an axis; equal ones as they stood.
Tensor order_of(const Tensor& x, int axis, std::int64_t k, bool descending) {
  Tensor index = empty(x.shape().with(axis, k), DType::i64);
  if (index.numel() == 0) return index;
  const Split s = kernels::split_at(x, axis);
  std::vector<std::int64_t> order(static_cast<std::size_t>(s.size));
  dispatch(x, [&]<class T>(T*) {
    for (std::int64_t o = 0; o < s.outer; ++o)
      for (std::int64_t i = 0; i < s.inner; ++i) {
        const T* line = data_of<T>(x) + o * s.size * s.inner + i;
        std::iota(order.begin(), order.end(), std::int64_t{0});
        const auto first = [&](std::int64_t p, std::int64_t q) {
          const T a = line[p * s.inner], b = line[q * s.inner];
          if (before(a, b)) return !descending;
          if (before(b, a)) return descending;
          return p < q;
        };
        std::partial_sort(order.begin(), order.begin() + k, order.end(), first);
        for (std::int64_t j = 0; j < k; ++j) data_of<std::int64_t>(index)[(o * k + j) * s.inner + i] = order[static_cast<std::size_t>(j)];
      }
  });
  return index;
}

}  // namespace

Sorted sort(const Tensor& x, int axis, bool descending) {
  kernels::require_floating("sort", x);
  const int a = normal_axis("sort", axis, x.dim());
  const Tensor index = order_of(x, a, x.size(a), descending);
  return {gather(x, a, index), index};
}

Tensor argsort(const Tensor& x, int axis, bool descending) {
  kernels::require_floating("argsort", x);
  const int a = normal_axis("argsort", axis, x.dim());
  return order_of(x, a, x.size(a), descending);
}

Sorted topk(const Tensor& x, std::int64_t k, int axis, bool largest) {
  kernels::require_floating("topk", x);
  const int a = normal_axis("topk", axis, x.dim());
  if (k < 0 || k > x.size(a)) fail<ShapeError>("topk", "k must lie in [0, ", x.size(a), "]: ", k, " along axis ", a, " of ", x.shape());
  const Tensor index = order_of(x, a, k, largest);
  return {gather(x, a, index), index};
}

}  // namespace capstan
