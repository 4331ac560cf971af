// Reductions that work line by line: prod, logsumexp, norm, any, all, cumsum.
#include <capstan/autograd/ops.h>
#include <capstan/autograd/ops/fold.h>
#include <capstan/autograd/record.h>
#include <capstan/core/create.h>
#include <capstan/core/elementwise.h>
#include <capstan/core/product.h>
#include <capstan/core/text.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace capstan {

using detail::as_lines;
using detail::fail;
using detail::Fold;
using detail::fold;
using kernels::binary;
using kernels::Binary;
using kernels::data_of;
using kernels::dispatch;
using kernels::Split;
using kernels::unary;
using kernels::Unary;

namespace {

/// Calls f(first element, line number) for each line.
template <class F>
void for_lines(const Split& s, F f) {
  for (std::int64_t o = 0; o < s.outer; ++o)
    for (std::int64_t i = 0; i < s.inner; ++i) f(o * s.size * s.inner + i, o * s.inner + i);
}

/// y[line] = f(x of the line, step from one element to the next).
template <class T, class F>
void each_line(const Tensor& x, Tensor& y, const Split& s, F f) {
  for_lines(s, [&](std::int64_t first, std::int64_t line) { data_of<T>(y)[line] = f(data_of<T>(x) + first, s.inner); });
}

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

/// g = dy times the product of all other elements, for one line.
template <class T>
void product_gradient(const T* x, T dy, T* g, std::int64_t n, std::int64_t step) {
  T before = dy, behind = 1;
  bool plain = true;  // no part of a product left the range
  for (std::int64_t k = 0; k < n; ++k) {
    g[k * step] = before;
    before *= x[k * step];
    plain = plain && std::isnormal(before);
  }
  for (std::int64_t k = n - 1; k >= 0; --k) {
    g[k * step] *= behind;
    behind *= x[k * step];
    plain = plain && std::isnormal(behind);
  }
  if (plain) [[likely]]
    return;
  kernels::Product<T> left, right;
  left *= dy;
  std::vector<kernels::Product<T>> all(static_cast<std::size_t>(n));
  for (std::int64_t k = 0; k < n; ++k) {
    all[static_cast<std::size_t>(k)] = left;
    left *= x[k * step];
  }
  for (std::int64_t k = n - 1; k >= 0; --k) {
    all[static_cast<std::size_t>(k)] *= right;
    g[k * step] = all[static_cast<std::size_t>(k)].value();
    right *= x[k * step];
  }
}

/// Whether each line has a boolean that is `wanted`.
Tensor has(const char* op, const Tensor& x, const Axes& axes, bool keepdim, bool wanted) {
  if (x.dtype() != DType::boolean)
    fail<ValueError>(op, "takes booleans: ", x.dtype(), " ", x.shape(), " (compare it with something: x != 0)");
  const Fold f = fold(op, x.shape(), axes, keepdim);
  const Tensor t = f.of(x);
  Tensor y = empty(f.shape, DType::boolean);
  each_line<bool>(t, y, f.split, [&](const bool* line, std::int64_t step) {
    for (std::int64_t k = 0; k < f.split.size; ++k)
      if (line[k * step] == wanted) return wanted;
    return !wanted;
  });
  return y;
}

/// The products of all elements of a line before each one, in operations: log2(n) times as many as there are.
Tensor products_before(const Tensor& lines) {
  const std::int64_t n = lines.size(1);
  const Tensor one = ones({lines.size(0), 1, lines.size(2)}, lines.dtype());
  Tensor y = concat({one, slice(lines, 1, 0, n - 1)}, 1);  // y[k]: the product of the last `reach` before k
  for (std::int64_t reach = 1; reach < n; reach *= 2)
    y = concat({slice(y, 1, 0, reach), slice(y, 1, reach, n) * slice(y, 1, 0, n - reach)}, 1);
  return y;
}

/// The products of all elements of a line but one, for each one, in operations.
Tensor products_of_others(const Tensor& lines) {
  if (lines.size(1) == 0) return lines;
  return products_before(lines) * flip(products_before(flip(lines, 1)), 1);
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

/// Running sums along the middle one of [outer, size, inner], from the front or from the back.
Tensor running_sum(const Tensor& x, const Split& s, bool from_the_back) {
  Tensor y = empty_like(x);
  if (x.numel() == 0) return y;
  dispatch(x, [&]<class T>(T*) {
    for_lines(s, [&](std::int64_t first, std::int64_t) {
      double total = 0;
      for (std::int64_t k = 0; k < s.size; ++k) {
        const std::int64_t at = first + (from_the_back ? s.size - 1 - k : k) * s.inner;
        total += static_cast<double>(data_of<T>(x)[at]);
        data_of<T>(y)[at] = static_cast<T>(total);
      }
    });
  });
  return y;
}

}  // namespace

Tensor prod(const Tensor& x, Axes axes, bool keepdim) {
  kernels::require_floating("prod", x);
  const Fold f = fold("prod", x.shape(), axes, keepdim);
  const Tensor t = f.of(x);
  Tensor y = empty(f.shape, x.dtype());
  dispatch(x, [&]<class T>(T*) {
    each_line<T>(t, y, f.split, [&](const T* line, std::int64_t step) {
      T product = 1;
      bool plain = true;  // no part of it left the range
      for (std::int64_t k = 0; k < f.split.size; ++k) {
        product *= line[k * step];
        plain = plain && std::isnormal(product);
      }
      if (plain) [[likely]]
        return product;
      kernels::Product<T> wide;
      for (std::int64_t k = 0; k < f.split.size; ++k) wide *= line[k * step];
      return wide.value();
    });
  });
  return record("prod", y, {t}, [t = saved(t), s = f.split](const Tensor& dy, Inputs& dx) {
    if (dx.recorded()) {
      const Tensor others = products_of_others(reshape(t.get(), Shape{s.outer, s.size, s.inner}));
      return dx.add(0, reshape(others * reshape(dy, Shape{s.outer, 1, s.inner}), dx.shape(0)));
    }
    Tensor g = empty_like(t.get());
    dispatch(dy, [&]<class T>(T*) {  // the product before an element, times dy, times the product behind it
      for_lines(s, [&](std::int64_t first, std::int64_t line) {
        product_gradient(data_of<T>(t.get()) + first, data_of<T>(dy)[line], data_of<T>(g) + first, s.size, s.inner);
      });
    });
    dx.add(0, std::move(g));
  });
}

Tensor logsumexp(const Tensor& x, Axes axes, bool keepdim) {
  kernels::require_floating("logsumexp", x);
  const Fold f = fold("logsumexp", x.shape(), axes, keepdim);
  const Split s = f.split;
  const Tensor t = f.of(x), lines = as_lines(t, s);
  Tensor top = empty({s.outer, 1, s.inner}, x.dtype());
  dispatch(x, [&]<class T>(T*) {
    each_line<T>(t, top, s, [&](const T* line, std::int64_t step) {
      T m = -std::numeric_limits<T>::infinity();
      for (std::int64_t k = 0; k < s.size; ++k)
        if (line[k * step] > m) m = line[k * step];
      return std::isinf(m) ? T(0) : m;  // infinity needs no shift, and minus itself it is NaN
    });
  });
  const Tensor powers = unary("logsumexp", Unary::exp, binary("logsumexp", Binary::sub, lines, top));
  const Tensor total = unary("logsumexp", Unary::log, kernels::sum(powers, 1, true));
  const Tensor y = kernels::view(binary("logsumexp", Binary::add, total, top), f.shape);
  return record("logsumexp", y, {t}, [t = saved(t), s](const Tensor& out, const Tensor& dy, Inputs& dx) {
    const Shape lines_shape{s.outer, s.size, s.inner}, one_a_line{s.outer, 1, s.inner};
    const Tensor value = reshape(out, one_a_line), nothing = value == -std::numeric_limits<double>::infinity();
    const Tensor p = exp(reshape(t.get(), lines_shape) - where(nothing, zeros({}, dy.dtype()), value));
    dx.add(0, reshape(p * reshape(dy, one_a_line), dx.shape(0)));  // softmax(x) dy
  });
}

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

Tensor any(const Tensor& x, Axes axes, bool keepdim) { return has("any", x, axes, keepdim, true); }

Tensor all(const Tensor& x, Axes axes, bool keepdim) { return has("all", x, axes, keepdim, false); }

Tensor cumsum(const Tensor& x, int axis) {
  kernels::require_floating("cumsum", x);
  const int a = normal_axis("cumsum", axis, x.dim());
  return record("cumsum", running_sum(x, kernels::split_at(x, a), false), {x}, [a](const Tensor& dy, Inputs& dx) {
    dx.add(0, dx.recorded() ? flip(cumsum(flip(dy, a), a), a) : running_sum(dy, kernels::split_at(dy, a), true));
  });
}

}  // namespace capstan
