#include <capstan/autograd/ops.h>
#include <capstan/autograd/record.h>
#include <capstan/core/compute.h>
#include <capstan/core/create.h>
#include <capstan/core/pool.h>
#include <capstan/core/text.h>

namespace capstan {

using detail::fail;
using kernels::binary;
using kernels::Binary;

namespace {

/// The gradient of a sum over `axis`, times `factor`: dy repeated along that axis.
void spread(const Tensor& dy, int axis, bool keepdim, double factor, Inputs& dx) {
  const Shape shape = dx.shape(0);
  Tensor g = factor == 1 ? dy : binary("mean", Binary::mul, dy, factor);
  if (!keepdim) {
    std::int64_t sizes[Shape::max_dim];
    for (int i = 0; i < shape.dim(); ++i) sizes[i] = i == axis ? 1 : shape.begin()[i];
    g = kernels::view(g, Shape(sizes, shape.dim()));
  }
  dx.add(0, kernels::expand(g, shape));
}

/// The same for a sum over everything.
void spread_all(const Tensor& dy, double factor, Inputs& dx) {
  const std::int64_t n = dx.shape(0).numel();
  kernels::dispatch(dy, [&]<class T>(T*) {
    const T g = *kernels::data_of<T>(dy) * static_cast<T>(factor);
    const Inputs::Place to = dx.place(0);
    T* out = static_cast<T*>(to.data);
    if (to.accumulate)
      for (std::int64_t i = 0; i < n; ++i) out[i] += g;
    else
      for (std::int64_t i = 0; i < n; ++i) out[i] = g;
  });
}

void require_elements(const char* op, const Tensor& x, std::int64_t n) {
  if (n == 0) fail<ShapeError>(op, "needs at least one element: ", x.shape());
}

/// The index within its axis of the first largest element, for each of outer x inner lines; i64 of the given shape.
Tensor largest(const Tensor& x, const kernels::Split& s, const Shape& shape) {
  Tensor index = empty(shape, DType::i64);
  kernels::dispatch(x, [&]<class T>(T*) {
    const T* from = kernels::data_of<T>(x);
    auto* to = kernels::data_of<std::int64_t>(index);
    for (std::int64_t o = 0; o < s.outer; ++o)
      for (std::int64_t i = 0; i < s.inner; ++i) *to++ = kernels::table<T>().argmax(from + o * s.size * s.inner + i, s.size, s.inner);
  });
  return index;
}

/// max along an axis, or of everything when `split` says so; the gradient goes to the chosen element alone.
Tensor max_of(const Tensor& x, const kernels::Split& s, const Shape& shape) {
  const Tensor index = largest(x, s, shape);
  Tensor y = empty(shape, x.dtype());
  kernels::dispatch(x, [&]<class T>(T*) {
    const auto* at = kernels::data_of<std::int64_t>(index);
    for (std::int64_t o = 0; o < s.outer; ++o)
      for (std::int64_t i = 0; i < s.inner; ++i) {
        const std::int64_t k = o * s.inner + i;
        kernels::data_of<T>(y)[k] = kernels::data_of<T>(x)[(o * s.size + at[k]) * s.inner + i];
      }
  });
  return record("max", y, {x}, [index = saved(index), s](const Tensor& dy, Inputs& dx) {
    Tensor g = zeros(dx.shape(0), dy.dtype());
    kernels::dispatch(dy, [&]<class T>(T*) {
      const auto* at = kernels::data_of<std::int64_t>(index.get());
      for (std::int64_t o = 0; o < s.outer; ++o)
        for (std::int64_t i = 0; i < s.inner; ++i) {
          const std::int64_t k = o * s.inner + i;
          kernels::data_of<T>(g)[(o * s.size + at[k]) * s.inner + i] = kernels::data_of<T>(dy)[k];
        }
    });
    dx.add(0, std::move(g));
  });
}

}  // namespace

Tensor sum(const Tensor& x) {
  kernels::require_floating("sum", x);
  return record("sum", kernels::sum(x), {x}, [](const Tensor& dy, Inputs& dx) { spread_all(dy, 1, dx); });
}

Tensor sum(const Tensor& x, int axis, bool keepdim) {
  kernels::require_floating("sum", x);
  const int a = normal_axis("sum", axis, x.dim());
  return record("sum", kernels::sum(x, a, keepdim), {x}, [a, keepdim](const Tensor& dy, Inputs& dx) { spread(dy, a, keepdim, 1, dx); });
}

Tensor mean(const Tensor& x) {
  kernels::require_floating("mean", x);
  const std::int64_t n = x.header()->numel;
  require_elements("mean", x, n);
  Tensor y = kernels::sum(x);
  kernels::dispatch(y, [&]<class T>(T*) { *kernels::data_of<T>(y) /= static_cast<T>(n); });
  return record("mean", y, {x}, [n](const Tensor& dy, Inputs& dx) { spread_all(dy, 1 / static_cast<double>(n), dx); });
}

Tensor mean(const Tensor& x, int axis, bool keepdim) {
  kernels::require_floating("mean", x);
  const int a = normal_axis("mean", axis, x.dim());
  const std::int64_t n = x.size(a);
  require_elements("mean", x, n);
  const Tensor y = binary("mean", Binary::div, kernels::sum(x, a, keepdim), static_cast<double>(n));
  return record("mean", y, {x}, [a, keepdim, n](const Tensor& dy, Inputs& dx) { spread(dy, a, keepdim, 1 / static_cast<double>(n), dx); });
}

Tensor max(const Tensor& x) {
  kernels::require_floating("max", x);
  require_elements("max", x, x.numel());
  return max_of(x, {1, x.numel(), 1}, {});
}

Tensor max(const Tensor& x, int axis, bool keepdim) {
  kernels::require_floating("max", x);
  const int a = normal_axis("max", axis, x.dim());
  require_elements("max", x, x.size(a));
  return max_of(x, kernels::split_at(x, a), keepdim ? x.shape().with(a, 1) : x.shape().without(a));
}

Tensor argmax(const Tensor& x, int axis) {
  kernels::require_floating("argmax", x);
  const int a = normal_axis("argmax", axis, x.dim());
  require_elements("argmax", x, x.size(a));
  return largest(x, kernels::split_at(x, a), x.shape().without(a));
}

}  // namespace capstan
