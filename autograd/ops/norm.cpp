#include <capstan/autograd/ops/norm.h>

#include <capstan/autograd/ops.h>
#include <capstan/autograd/ops/fold.h>
#include <capstan/autograd/record.h>
#include <capstan/core/create.h>
#include <capstan/core/elementwise.h>
#include <capstan/core/text.h>

#include <algorithm>
#include <cmath>

// Line by line, over the largest |x|, in double precision. The slope is a plain loop or, on a tape of higher order, in operations.
namespace capstan {

using detail::each_line;
using detail::fail;
using detail::Fold;
using detail::fold;
using detail::for_lines;
using kernels::data_of;
using kernels::dispatch;

namespace {

/// The largest |x| of a line; NaN when there is one.
template <class T>
T largest_magnitude(const T* x, std::int64_t n, std::int64_t step) {
  T m = 0;
  for (std::int64_t k = 0; k < n; ++k) {
    const T v = std::abs(x[k * step]);
    if (v > m || std::isnan(v)) m = v;
    if (std::isnan(m)) break;
  }
  return m;
}

/// How many times its largest |x|, m, a line's norm is; for a finite p.
template <class T>
double norm_over(T m, const T* x, std::int64_t n, std::int64_t step, double p) {
  double total = 0;
  for (std::int64_t k = 0; k < n; ++k) {
    const double v = static_cast<double>(std::abs(x[k * step])) / static_cast<double>(m);
    total += p == 2 ? v * v : p == 1 ? v : std::pow(v, p);
  }
  return p == 2 ? std::sqrt(total) : p == 1 ? total : std::pow(total, 1 / p);
}

template <class T>
T norm_of(const T* x, std::int64_t n, std::int64_t step, double p) {
  const T m = largest_magnitude(x, n, step);
  if (m == 0 || !std::isfinite(m) || std::isinf(p)) return m;
  return static_cast<T>(static_cast<double>(m) * norm_over(m, x, n, step, p));
}

/// Whether a norm is what its elements can be divided by: not one that overflowed, or has the few digits of a denormal number.
template <class T>
bool divides(T y) {
  return y == 0 || std::isnormal(y);
}

/// g = d |x|_p / dx times dy, for one line.
template <class T>
void norm_gradient(const T* x, T y, T dy, T* g, std::int64_t n, std::int64_t step, double p) {
  std::int64_t ties = 0;
  if (std::isinf(p))
    for (std::int64_t k = 0; k < n; ++k) ties += std::abs(x[k * step]) == y;
  T m = divides(y) || std::isinf(p) ? T(0) : largest_magnitude(x, n, step);  // what is divided by first; 0: nothing is
  if (!std::isfinite(m)) m = 0;
  const double over = m == 0 ? 1 : norm_over(m, x, n, step, p);
  const auto quotient = [&](T v) { return m == 0 ? v / y : static_cast<T>(static_cast<double>(v) / static_cast<double>(m) / over); };
  for (std::int64_t k = 0; k < n; ++k) {
    const T v = x[k * step], sign = v > 0 ? T(1) : v < 0 ? T(-1) : v;
    T slope;
    if (y == 0)
      slope = 0;
    else if (std::isinf(p))
      slope = std::abs(v) == y ? sign / static_cast<T>(ties) : std::isnan(y) ? y : T(0);
    else if (p == 2)
      slope = quotient(v);
    else if (v == 0)
      slope = 0;  // for p < 1 the quotient's power would be infinite
    else
      slope = p == 1 ? sign : sign * std::pow(std::abs(quotient(v)), static_cast<T>(p - 1));
    g[k * step] = slope * dy;
  }
}

/// norm_gradient() over dy in operations, for a y that divides.
Tensor recorded_norm_quotient(const Tensor& lines, const Tensor& y, double p) {
  const Tensor zero = zeros({}, y.dtype()), one = ones({}, y.dtype()), flat = y == 0.0, divisor = where(flat, one, y);
  if (p == 2) return where(flat, zero, lines / y);  // whose own slope at 0 is 0 / 0: there is none
  const Tensor magnitude = abs(lines), signs = sign(lines).detach();
  if (p == 1) return where(flat, zero, signs);
  if (std::isinf(p)) {
    const Tensor largest = (magnitude == y).to(y.dtype());
    return where(flat, zero, signs * largest / sum(largest, 1, true));
  }
  const Tensor at_0 = lines == 0.0;
  const Tensor slope = where(at_0, zero, signs * pow(where(at_0, one, magnitude) / divisor, p - 1));
  return where(flat, zero, slope * (y / y));  // as for 2
}

/// The same for any y.
Tensor recorded_norm_slope(const Tensor& lines, const Tensor& y, double p) {
  const bool all_divide = dispatch(y, [&]<class T>(T*) { return std::all_of(data_of<T>(y), data_of<T>(y) + y.numel(), divides<T>); });
  if (!all_divide && p != 1 && !std::isinf(p)) [[unlikely]] {
    const Tensor scale = detail::root_scales(lines, {lines.size(0), lines.size(1), lines.size(2)}), scaled = lines * scale * scale;
    const Tensor whole = norm(scaled, p, 1, true);  // between 1/2 and where the number of elements brings it, or not finite
    return recorded_norm_quotient(scaled, whole, p);
  }
  return recorded_norm_quotient(lines, y, p);
}

}  // namespace

Tensor norm(const Tensor& x, double p, Axes axes, bool keepdim) {
  kernels::require_floating("norm", x);
  if (!(p > 0)) fail<ValueError>("norm", "p must be positive: ", p);
  kernels::require_fit("norm", "p", p, x.dtype());
  const Fold f = fold("norm", x.shape(), axes, keepdim);
  const Tensor t = f.of(x);
  Tensor y = empty(f.shape, x.dtype());
  dispatch(x, [&]<class T>(T*) {
    each_line<T>(t, y, f.split, [&](const T* line, std::int64_t step) { return norm_of(line, f.split.size, step, p); });
  });
  return record("norm", y, {t}, [t = saved(t), s = f.split, p](const Tensor& out, const Tensor& dy, Inputs& dx) {
    if (dx.recorded()) {
      const Shape one_a_line{s.outer, 1, s.inner};
      const Tensor slope = recorded_norm_slope(reshape(t.get(), Shape{s.outer, s.size, s.inner}), reshape(out, one_a_line), p);
      return dx.add(0, reshape(slope * reshape(dy, one_a_line), dx.shape(0)));
    }
    Tensor g = empty_like(t.get());
    dispatch(dy, [&]<class T>(T*) {
      for_lines(s, [&](std::int64_t first, std::int64_t line) {
        norm_gradient(data_of<T>(t.get()) + first, data_of<T>(out)[line], data_of<T>(dy)[line], data_of<T>(g) + first, s.size, s.inner, p);
      });
    });
    dx.add(0, std::move(g));
  });
}

}  // namespace capstan
