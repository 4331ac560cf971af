#include <capstan/autograd/ops.h>
#include <capstan/autograd/ops/fold.h>
#include <capstan/autograd/record.h>
#include <capstan/core/create.h>
#include <capstan/core/elementwise.h>
#include <capstan/core/pool.h>
#include <capstan/core/text.h>

namespace capstan {

using detail::as_lines;
using detail::fail;
using detail::one_a_line;
using detail::require_elements;
using kernels::binary;
using kernels::Binary;
using kernels::Unary;

namespace {

/// The gradient of a sum over `axis`, times `factor`: dy repeated along that axis.
void spread(const Tensor& dy, int axis, bool keepdim, double factor, Inputs& dx) {
  const Shape shape = dx.shape(0);
  Tensor g = factor == 1 ? dy : dy * factor;
  if (!keepdim) {
    std::int64_t sizes[Shape::max_dim];
    for (int i = 0; i < shape.dim(); ++i) sizes[i] = i == axis ? 1 : shape.begin()[i];
    g = reshape(g, Shape(sizes, shape.dim()));
  }
  dx.add(0, dx.recorded() ? expand(g, shape) : kernels::expand(g, shape));
}

/// The same for a sum over everything.
void spread_all(const Tensor& dy, double factor, Inputs& dx) {
  if (dx.recorded()) return dx.add(0, expand(dy * factor, dx.shape(0)));
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

/// Sums along folded axes, divided by n.
Tensor sum_of(const char* op, const Tensor& x, const detail::Fold& f, double n) {
  const kernels::Split s = f.split;
  Tensor y = kernels::view(kernels::sum(as_lines(x, s), 1, true), f.shape);
  if (n != 1) y = binary(op, Binary::div, y, n);
  return record(op, y, {x}, [s, n](const Tensor& dy, Inputs& dx) {
    const Tensor g = reshape(n == 1 ? dy : dy / n, Shape{s.outer, 1, s.inner});
    const Shape lines{s.outer, s.size, s.inner};
    dx.add(0, reshape(dx.recorded() ? expand(g, lines) : kernels::expand(g, lines), dx.shape(0)));
  });
}

/// What var and std have in common.
struct Moments {
  Tensor x, mean, variance;  // the last two with one element for each line
  kernels::Split split;
  double freedom;  // n - correction
  Shape shape;
};

Moments moments_of(const char* op, const Tensor& x, const Axes& axes, bool keepdim, double correction) {
  kernels::require_floating(op, x);
  if (!(correction >= 0)) fail<ValueError>(op, "correction must not be negative: ", correction);
  const detail::Fold f = detail::fold(op, x.shape(), axes, keepdim);
  const double n = static_cast<double>(f.split.size), freedom = n - correction;
  if (!(freedom > 0))
    fail<ShapeError>(op, "needs more elements than the correction: ", f.split.size, " of ", x.shape(), ", correction ", correction);
  Moments m{f.of(x), {}, {}, f.split, freedom, f.shape};
  const Tensor lines = as_lines(m.x, m.split);
  m.mean = binary(op, Binary::div, kernels::sum(lines, 1, true), n);
  const Tensor squares = kernels::unary(op, Unary::square, binary(op, Binary::sub, lines, m.mean));
  m.variance = binary(op, Binary::div, kernels::sum(squares, 1, true), freedom);
  return m;
}

/// (x - mean) times one number for each line.
void add_scaled_deviation(const Tensor& x, const Tensor& line_means, const kernels::Split& s, const Tensor& scale, Inputs& dx) {
  const Tensor lines = reshape(x, Shape{s.outer, s.size, s.inner});
  const Tensor from_mean = lines - (dx.recorded() ? mean(lines, 1, true) : line_means);
  dx.add(0, reshape(from_mean * scale, dx.shape(0)));
}

Tensor sum_along(const Tensor& x, int axis, bool keepdim) {
  kernels::require_floating("sum", x);
  const int a = normal_axis("sum", axis, x.dim());
  return record("sum", kernels::sum(x, a, keepdim), {x}, [a, keepdim](const Tensor& dy, Inputs& dx) { spread(dy, a, keepdim, 1, dx); });
}

Tensor mean_along(const Tensor& x, int axis, bool keepdim) {
  kernels::require_floating("mean", x);
  const int a = normal_axis("mean", axis, x.dim());
  const std::int64_t n = x.size(a);
  require_elements("mean", x, n);
  const Tensor y = binary("mean", Binary::div, kernels::sum(x, a, keepdim), static_cast<double>(n));
  return record("mean", y, {x}, [a, keepdim, n](const Tensor& dy, Inputs& dx) { spread(dy, a, keepdim, 1 / static_cast<double>(n), dx); });
}

}  // namespace

Tensor sum(const Tensor& x) {
  kernels::require_floating("sum", x);
  return record("sum", kernels::sum(x), {x}, [](const Tensor& dy, Inputs& dx) { spread_all(dy, 1, dx); });
}

Tensor mean(const Tensor& x) {
  kernels::require_floating("mean", x);
  const std::int64_t n = x.header()->numel;
  require_elements("mean", x, n);
  Tensor y = kernels::sum(x);
  kernels::dispatch(y, [&]<class T>(T*) { *kernels::data_of<T>(y) /= static_cast<T>(n); });
  return record("mean", std::move(y), {x}, [n](const Tensor& dy, Inputs& dx) { spread_all(dy, 1 / static_cast<double>(n), dx); });
}

Tensor sum(const Tensor& x, Axes axes, bool keepdim) {
  if (axes.one()) return sum_along(x, *axes.begin(), keepdim);
  kernels::require_floating("sum", x);
  const detail::Fold f = detail::fold("sum", x.shape(), axes, keepdim);
  return sum_of("sum", f.of(x), f, 1);
}

Tensor mean(const Tensor& x, Axes axes, bool keepdim) {
  if (axes.one()) return mean_along(x, *axes.begin(), keepdim);
  kernels::require_floating("mean", x);
  const detail::Fold f = detail::fold("mean", x.shape(), axes, keepdim);
  require_elements("mean", x, f.split.size);
  return sum_of("mean", f.of(x), f, static_cast<double>(f.split.size));
}

Tensor var(const Tensor& x, Axes axes, bool keepdim, double correction) {
  const Moments m = moments_of("var", x, axes, keepdim, correction);
  auto rule = [t = saved(m.x), mean = saved(m.mean), s = m.split, freedom = m.freedom](const Tensor& dy, Inputs& dx) {
    add_scaled_deviation(t.get(), mean.get(), s, reshape(dy, Shape{s.outer, 1, s.inner}) * (2 / freedom), dx);
  };
  return record("var", kernels::view(m.variance, m.shape), {m.x}, std::move(rule));
}

Tensor std(const Tensor& x, Axes axes, bool keepdim, double correction) {
  const Moments m = moments_of("std", x, axes, keepdim, correction);
  const Tensor deviation = kernels::unary("std", Unary::sqrt, m.variance);
  auto rule = [t = saved(m.x), mean = saved(m.mean), s = m.split, freedom = m.freedom](const Tensor& y, const Tensor& dy, Inputs& dx) {
    const Tensor flat = y == 0.0, zero = zeros({}, dy.dtype()), one = ones({}, dy.dtype());
    const Tensor scale = where(flat, zero, dy / where(flat, one, y)) * (1 / freedom);
    add_scaled_deviation(t.get(), mean.get(), s, reshape(scale, Shape{s.outer, 1, s.inner}), dx);
  };
  return record("std", kernels::view(deviation, m.shape), {m.x}, std::move(rule));
}

}  // namespace capstan
