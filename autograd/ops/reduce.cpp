#include <capstan/autograd/ops/reduce.h>

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

// Sums are kernels over folded axes (fold.h); the others go line by line in plain loops.
namespace capstan {

using detail::as_lines;
using detail::each_line;
using detail::fail;
using detail::Fold;
using detail::fold;
using detail::for_lines;
using detail::require_elements;
using kernels::binary;
using kernels::Binary;
using kernels::data_of;
using kernels::dispatch;
using kernels::Split;
using kernels::unary;
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
  dispatch(dy, [&]<class T>(T*) {
    const T g = *data_of<T>(dy) * static_cast<T>(factor);
    const Inputs::Place to = dx.place(0);
    T* out = static_cast<T*>(to.data);
    const T one = 1;
    if (to.accumulate)
      kernels::table<T>().binary[static_cast<int>(Binary::add)](out, &g, out, n, true, false);
    else
      kernels::table<T>().binary[static_cast<int>(Binary::mul)](&g, &one, out, n, false, false);
  });
}

/// Sums along folded axes, divided by n.
Tensor sum_of(const char* op, const Tensor& x, const Fold& f, double n) {
  const Split s = f.split;
  Tensor y = kernels::view(kernels::sum(as_lines(x, s), 1, true), f.shape);
  if (n != 1) y = binary(op, Binary::div, y, n);
  return record(op, y, {x}, [s, n](const Tensor& dy, Inputs& dx) {
    const Tensor g = reshape(n == 1 ? dy : dy / n, Shape{s.outer, 1, s.inner});
    const Shape lines{s.outer, s.size, s.inner};
    dx.add(0, reshape(dx.recorded() ? expand(g, lines) : kernels::expand(g, lines), dx.shape(0)));
  });
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

Tensor sum(const Tensor& x) {
  kernels::require_floating("sum", x);
  return record("sum", kernels::sum(x), {x}, [](const Tensor& dy, Inputs& dx) { spread_all(dy, 1, dx); });
}

Tensor mean(const Tensor& x) {
  kernels::require_floating("mean", x);
  const std::int64_t n = x.header()->numel;
  require_elements("mean", x, n);
  Tensor y = kernels::sum(x);
  dispatch(y, [&]<class T>(T*) { *data_of<T>(y) /= static_cast<T>(n); });
  return record("mean", std::move(y), {x}, [n](const Tensor& dy, Inputs& dx) { spread_all(dy, 1 / static_cast<double>(n), dx); });
}

Tensor sum(const Tensor& x, Axes axes, bool keepdim) {
  if (axes.one()) return sum_along(x, *axes.begin(), keepdim);
  kernels::require_floating("sum", x);
  const Fold f = fold("sum", x.shape(), axes, keepdim);
  return sum_of("sum", f.of(x), f, 1);
}

Tensor mean(const Tensor& x, Axes axes, bool keepdim) {
  if (axes.one()) return mean_along(x, *axes.begin(), keepdim);
  kernels::require_floating("mean", x);
  const Fold f = fold("mean", x.shape(), axes, keepdim);
  require_elements("mean", x, f.split.size);
  return sum_of("mean", f.of(x), f, static_cast<double>(f.split.size));
}

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
