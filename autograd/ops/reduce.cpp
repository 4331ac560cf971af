#include <capstan/autograd/ops.h>
#include <capstan/autograd/ops/fold.h>
#include <capstan/autograd/record.h>
#include <capstan/core/create.h>
#include <capstan/core/elementwise.h>
#include <capstan/core/pool.h>
#include <capstan/core/text.h>

#include <algorithm>
#include <cmath>
#include <limits>

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
  Tensor x, mean, variance;  // the last two with one element for each line, of scale x
  Tensor scale;              // a power of two for each line; undefined: 1
  kernels::Split split;
  double freedom;  // n - correction
  Shape shape;
};

void take_moments(const char* op, Moments& m) {
  const Tensor lines = as_lines(m.x, m.split), scaled = m.scale.defined() ? binary(op, Binary::mul, lines, m.scale) : lines;
  m.mean = binary(op, Binary::div, kernels::sum(scaled, 1, true), static_cast<double>(m.split.size));
  const Tensor squares = kernels::unary(op, Unary::square, binary(op, Binary::sub, scaled, m.mean));
  m.variance = binary(op, Binary::div, kernels::sum(squares, 1, true), m.freedom);
}

/// Whether neither a sum overflowed nor squares lost digits on their way to 0.
bool in_range(const Tensor& variance) {
  return kernels::dispatch(variance, [&]<class T>(T*) {
    constexpr T least = std::numeric_limits<T>::min() / std::numeric_limits<T>::epsilon();
    const T* v = kernels::data_of<T>(variance);
    return std::all_of(v, v + variance.numel(), [](T x) { return x >= least && std::isfinite(x); });
  });
}

/// For each line the power of two that brings its largest |x| near 1; 1 for a line of zeros and one that is not finite.
Tensor scale_of_lines(const Tensor& x, const kernels::Split& s) {
  Tensor scale = empty({s.outer, 1, s.inner}, x.dtype());
  kernels::dispatch(x, [&]<class T>(T*) {
    constexpr int most = std::numeric_limits<T>::max_exponent - 2;
    for (std::int64_t o = 0; o < s.outer; ++o)
      for (std::int64_t i = 0; i < s.inner; ++i) {
        T top = 0;
        for (std::int64_t k = 0; k < s.size; ++k) top = std::max(top, std::abs(kernels::data_of<T>(x)[(o * s.size + k) * s.inner + i]));
        const bool plain = top == 0 || !std::isfinite(top);
        kernels::data_of<T>(scale)[o * s.inner + i] = plain ? T(1) : std::ldexp(T(1), std::clamp(-std::ilogb(top), -most, most));
      }
  });
  return scale;
}

Moments moments_of(const char* op, const Tensor& x, const Axes& axes, bool keepdim, double correction) {
  kernels::require_floating(op, x);
  if (!(correction >= 0)) fail<ValueError>(op, "correction must not be negative: ", correction);
  const detail::Fold f = detail::fold(op, x.shape(), axes, keepdim);
  const double freedom = static_cast<double>(f.split.size) - correction;
  if (!(freedom > 0))
    fail<ShapeError>(op, "needs more elements than the correction: ", f.split.size, " of ", x.shape(), ", correction ", correction);
  Moments m{f.of(x), {}, {}, {}, f.split, freedom, f.shape};
  take_moments(op, m);
  if (!in_range(m.variance)) [[unlikely]] {
    m.scale = scale_of_lines(m.x, m.split);
    take_moments(op, m);
  }
  return m;
}

/// What a rule keeps of them.
struct SavedMoments {
  Saved x, mean;
  Tensor scale;
  kernels::Split split;
  double freedom;

  explicit SavedMoments(const Moments& m) : x(m.x), mean(m.mean), scale(m.scale), split(m.split), freedom(m.freedom) {}
  Shape one_a_line() const { return {split.outer, 1, split.inner}; }
  /// t or, of lines that were scaled, t times their scale.
  Tensor times_scale(const Tensor& t) const { return scale.defined() ? t * scale : t; }
  /// (x - mean) times the scale, as lines.
  Tensor deviation(bool recorded) const {
    const Tensor lines = times_scale(reshape(x.get(), Shape{split.outer, split.size, split.inner}));
    return lines - (recorded ? capstan::mean(lines, 1, true) : mean.get());
  }
};

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
  Tensor y = m.variance;
  for (int twice = 0; twice < 2 && m.scale.defined(); ++twice) y = binary("var", Binary::div, y, m.scale);
  auto rule = [m = SavedMoments(m)](const Tensor& dy, Inputs& dx) {
    const Tensor deviation = m.deviation(dx.recorded());
    dx.add(0,
           reshape((m.scale.defined() ? deviation / m.scale : deviation) * (reshape(dy, m.one_a_line()) * (2 / m.freedom)), dx.shape(0)));
  };
  return record("var", kernels::view(y, m.shape), {m.x}, std::move(rule));
}

Tensor std(const Tensor& x, Axes axes, bool keepdim, double correction) {
  const Moments m = moments_of("std", x, axes, keepdim, correction);
  Tensor deviation = kernels::unary("std", Unary::sqrt, m.variance);
  if (m.scale.defined()) deviation = binary("std", Binary::div, deviation, m.scale);
  auto rule = [m = SavedMoments(m)](const Tensor& y, const Tensor& dy, Inputs& dx) {
    const Tensor lines = m.times_scale(reshape(y, m.one_a_line())), flat = lines == 0.0;
    const Tensor zero = zeros({}, dy.dtype()), one = ones({}, dy.dtype()), slope = reshape(dy, m.one_a_line()) * (1 / m.freedom);
    dx.add(0, reshape(m.deviation(dx.recorded()) / where(flat, one, lines) * where(flat, zero, slope), dx.shape(0)));
  };
  return record("std", kernels::view(deviation, m.shape), {m.x}, std::move(rule));
}

}  // namespace capstan
