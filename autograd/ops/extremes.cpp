#include <capstan/autograd/ops/extremes.h>

#include <capstan/autograd/ops.h>
#include <capstan/autograd/ops/fold.h>
#include <capstan/autograd/record.h>
#include <capstan/core/create.h>
#include <capstan/core/pool.h>

// The index of the largest element of each line is found first; the value and its gradient follow from it.
namespace capstan {

using detail::require_elements;

namespace {

using Choice = Tensor (*)(const Tensor& x, const kernels::Split& s, const Shape& shape);

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

/// That of the first smallest: the largest of -x, for which NaN stands first too.
Tensor smallest(const Tensor& x, const kernels::Split& s, const Shape& shape) {
  return largest(kernels::unary("min", kernels::Unary::neg, x), s, shape);
}

/// The elements that were chosen, one for each line; the gradient goes to them alone.
Tensor chosen_of(const char* op, const Tensor& x, const Tensor& index, const kernels::Split& s, const Shape& shape) {
  Tensor y = empty(shape, x.dtype());
  kernels::dispatch(x, [&]<class T>(T*) {
    const auto* at = kernels::data_of<std::int64_t>(index);
    for (std::int64_t o = 0; o < s.outer; ++o)
      for (std::int64_t i = 0; i < s.inner; ++i) {
        const std::int64_t k = o * s.inner + i;
        kernels::data_of<T>(y)[k] = kernels::data_of<T>(x)[(o * s.size + at[k]) * s.inner + i];
      }
  });
  return record(op, y, {x}, [index = saved(index), s](const Tensor& dy, Inputs& dx) {
    if (dx.recorded()) {
      const Shape lines{s.outer, s.size, s.inner}, one_a_line{s.outer, 1, s.inner};
      const Tensor g = scatter_add(zeros(lines, dy.dtype()), 1, reshape(index.get(), one_a_line), reshape(dy, one_a_line));
      return dx.add(0, reshape(g, dx.shape(0)));
    }
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

Tensor extreme_of(const char* op, Choice choice, const Tensor& x, const Axes& axes, bool keepdim) {
  kernels::require_floating(op, x);
  const detail::Fold f = detail::fold(op, x.shape(), axes, keepdim);
  require_elements(op, x, f.split.size);
  const Tensor t = f.of(x);
  return chosen_of(op, t, choice(t, f.split, f.shape), f.split, f.shape);
}

Tensor index_of(const char* op, Choice choice, const Tensor& x) {
  kernels::require_floating(op, x);
  require_elements(op, x, x.numel());
  return choice(x, {1, x.numel(), 1}, {});
}

Tensor index_of(const char* op, Choice choice, const Tensor& x, int axis, bool keepdim) {
  kernels::require_floating(op, x);
  const int a = normal_axis(op, axis, x.dim());
  require_elements(op, x, x.size(a));
  return choice(x, kernels::split_at(x, a), keepdim ? x.shape().with(a, 1) : x.shape().without(a));
}

}  // namespace

Tensor max(const Tensor& x) {
  kernels::require_floating("max", x);
  require_elements("max", x, x.numel());
  const kernels::Split s{1, x.numel(), 1};
  return chosen_of("max", x, largest(x, s, {}), s, {});
}

Tensor max(const Tensor& x, Axes axes, bool keepdim) { return extreme_of("max", largest, x, axes, keepdim); }

Tensor min(const Tensor& x, Axes axes, bool keepdim) { return extreme_of("min", smallest, x, axes, keepdim); }

Tensor argmax(const Tensor& x) { return index_of("argmax", largest, x); }

Tensor argmax(const Tensor& x, int axis, bool keepdim) { return index_of("argmax", largest, x, axis, keepdim); }

Tensor argmin(const Tensor& x) { return index_of("argmin", smallest, x); }

Tensor argmin(const Tensor& x, int axis, bool keepdim) { return index_of("argmin", smallest, x, axis, keepdim); }

}  // namespace capstan
