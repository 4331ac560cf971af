#include <capstan/autograd/ops/loss.h>

#include <capstan/autograd/ops.h>
#include <capstan/autograd/record.h>
#include <capstan/core/axes.h>
#include <capstan/core/compute.h>
#include <capstan/core/create.h>

// Row by row in one kernel; along another axis than the last by a transposed copy.
namespace capstan {

using kernels::data_of;
using kernels::dispatch;

namespace {

/// Applies a row-wise kernel along an axis: as it is for the last one, else on a transposed copy.
template <class F>
Tensor along(const Tensor& x, int axis, F rowwise) {
  const int last = x.dim() - 1;
  if (axis == last) return rowwise(x);
  return kernels::transpose(rowwise(kernels::transpose(x, axis, last)), axis, last);
}

Tensor softmax_rows(const Tensor& x, bool logarithm) {
  Tensor y = empty_like(x);
  const std::int64_t n = x.size(-1);
  if (x.numel() == 0) return y;
  dispatch(x, [&]<class T>(T*) {
    const kernels::Table<T>& t = kernels::table<T>();
    (logarithm ? t.log_softmax : t.softmax)(data_of<T>(x), data_of<T>(y), x.numel() / n, n);
  });
  return y;
}

}  // namespace

Tensor softmax(const Tensor& x, int axis) {
  kernels::require_floating("softmax", x);
  const int a = normal_axis("softmax", axis, x.dim());
  const Tensor y = along(x, a, [](const Tensor& t) { return softmax_rows(t, false); });
  return record("softmax", y, {x}, [a](const Tensor& out, const Tensor& dy, Inputs& dx) {
    if (dy.numel() == 0) return dx.add(0, dy);  // as many lines as you like of no elements
    const Tensor weighted = dy * out;           // dx = y (dy - sum(dy y))
    dx.add(0, weighted - out * sum(weighted, a, true));
  });
}

Tensor log_softmax(const Tensor& x, int axis) {
  kernels::require_floating("log_softmax", x);
  const int a = normal_axis("log_softmax", axis, x.dim());
  const Tensor y = along(x, a, [](const Tensor& t) { return softmax_rows(t, true); });
  return record("log_softmax", y, {x}, [a](const Tensor& out, const Tensor& dy, Inputs& dx) {
    if (dy.numel() == 0) return dx.add(0, dy);
    dx.add(0, dy - exp(out) * sum(dy, a, true));  // dx = dy - softmax(x) sum(dy)
  });
}

}  // namespace capstan
