#include <capstan/autograd/ops/layout.h>

#include <capstan/autograd/ops.h>
#include <capstan/autograd/ops/fold.h>
#include <capstan/autograd/ops/index_add.h>
#include <capstan/autograd/record.h>
#include <capstan/core/create.h>
#include <capstan/core/places.h>
#include <capstan/core/text.h>

#include <algorithm>
#include <cstring>

// Each operation is one copy by places (core/places.h): sizes, strides and an offset into x. The rule copies back, or adds.
namespace capstan {

using detail::fail;
using kernels::Places;
using kernels::Strides;
using kernels::strides_of;
using kernels::take;

namespace {

std::size_t at(int axis) { return static_cast<std::size_t>(axis); }

/// Every `step`-th of `count` elements along an axis from `begin` on.
Places along(const Shape& shape, int axis, std::int64_t begin, std::int64_t count, std::int64_t step) {
  Places p{shape.with(axis, count), strides_of(shape), 0};
  p.offset = begin * p.strides[at(axis)];
  p.strides[at(axis)] *= step;
  return p;
}

Places permuted(const Shape& shape, const int* order) {
  const Strides own = strides_of(shape);
  std::int64_t sizes[Shape::max_dim];
  Places p;
  for (int i = 0; i < shape.dim(); ++i) {
    sizes[i] = shape.begin()[order[i]];
    p.strides[at(i)] = own[at(order[i])];
  }
  p.shape = Shape(sizes, shape.dim());
  return p;
}

Places flipped(const Shape& shape, unsigned bits) {
  Places p{shape, strides_of(shape), 0};
  for (int i = 0; i < shape.dim(); ++i) {
    if (!(bits >> i & 1)) continue;
    p.offset += (shape.begin()[i] - 1) * p.strides[at(i)];
    p.strides[at(i)] *= -1;
  }
  return p;
}

std::vector<int> axes_of(const int* axes, int count) { return {axes, axes + count}; }
std::vector<int> axes_of(unsigned bits, int dim) {
  std::vector<int> axes;
  for (int i = 0; i < dim; ++i)
    if (bits >> i & 1) axes.push_back(i);
  return axes;
}

/// The part within a frame that begins before[i] elements into each axis.
Places framed(const Shape& inner, const Shape& outer, const Strides& before) {
  Places p{inner, strides_of(outer), 0};
  for (int i = 0; i < outer.dim(); ++i) p.offset += before[at(i)] * p.strides[at(i)];
  return p;
}

/// A new shape for the same elements.
Tensor reshaped(const char* op, const Tensor& x, const Shape& shape) {
  return record(op, kernels::view(x, shape), {x}, [](const Tensor& dy, Inputs& dx) { dx.add(0, reshape(dy, dx.shape(0))); });
}

/// The lower triangle up to diagonal k, or the upper one from k on.
Tensor triangle(const char* op, const Tensor& x, std::int64_t k, bool lower) {
  if (x.dim() < 2) fail<ShapeError>(op, "needs at least two axes: ", x.shape());
  Tensor y = zeros(x.shape(), x.dtype());
  const std::int64_t rows = x.size(-2), columns = x.size(-1);
  if (x.numel() == 0) return y;
  const auto width = static_cast<std::int64_t>(size_of(x.dtype()));
  const auto* from = static_cast<const char*>(x.header()->data);
  auto* to = static_cast<char*>(y.header()->data);
  for (std::int64_t line = 0; line < x.numel() / columns; ++line) {
    // The first column above the diagonal; far diagonals must not overflow.
    const std::int64_t above = std::clamp(std::clamp(k, -rows, columns) + line % rows + (lower ? 1 : 0), std::int64_t{0}, columns);
    const std::int64_t begin = lower ? 0 : above, end = lower ? above : columns;
    const std::int64_t first = (line * columns + begin) * width;
    std::memcpy(to + first, from + first, static_cast<std::size_t>((end - begin) * width));
  }
  return y;
}

Tensor triangle_of(const char* op, const Tensor& x, std::int64_t k, bool lower) {
  return record(op, triangle(op, x, k, lower), {x},
                [op, k, lower](const Tensor& dy, Inputs& dx) { dx.add(0, triangle_of(op, dy, k, lower)); });
}

}  // namespace

Tensor slice(const Tensor& x, int axis, std::int64_t begin, std::int64_t end, std::int64_t step) {
  const int a = normal_axis("slice", axis, x.dim());
  if (begin < 0 || end < begin || end > x.size(a))
    fail<ShapeError>("slice", "the range must lie in the axis: [", begin, ", ", end, ") of axis ", a, " of ", x.shape());
  if (step < 1) fail<ValueError>("slice", "step must be positive: ", step, " (turn round with flip())");
  step = std::min(step, std::max<std::int64_t>(end - begin, 1));  // nothing is behind it, and products of it fit
  const std::int64_t count = begin == end ? 0 : (end - begin - 1) / step + 1;
  return record("slice", take(x, along(x.shape(), a, begin, count, step)), {x}, [a, begin, count, step](const Tensor& dy, Inputs& dx) {
    const Shape shape = dx.shape(0);
    if (dx.recorded()) return dx.add(0, detail::index_add(shape, a, begin, step, dy));
    kernels::dispatch(dy, [&]<class T>(T*) {
      const Inputs::Place to = dx.place(0);
      if (!to.accumulate) std::memset(to.data, 0, static_cast<std::size_t>(shape.numel()) * sizeof(T));
      kernels::add(static_cast<T*>(to.data), along(shape, a, begin, count, step), kernels::data_of<T>(dy));
    });
  });
}

Tensor permute(const Tensor& x, Axes order) {
  struct Order {
    int axis[Shape::max_dim] = {}, back[Shape::max_dim] = {};
  } o;
  int count = 0;
  if (x.dim() > 0 || !order.all()) detail::axis_bits("permute", order, x.dim());
  for (const int axis : order) {
    o.axis[count] = normal_axis("permute", axis, x.dim());
    o.back[o.axis[count]] = count;
    ++count;
  }
  if (count != x.dim()) fail<ShapeError>("permute", "the order must name each axis once: ", count, " axes for ", x.shape());
  return record("permute", take(x, permuted(x.shape(), o.axis)), {x}, [o](const Tensor& dy, Inputs& dx) {
    const bool recorded = dx.recorded();
    dx.add(0, recorded ? permute(dy, axes_of(o.back, dy.dim())) : take(dy, permuted(dy.shape(), o.back)));
  });
}

Tensor squeeze(const Tensor& x, Axes axes) {
  const unsigned bits = detail::axis_bits("squeeze", axes, x.dim());
  std::int64_t sizes[Shape::max_dim];
  int dim = 0;
  for (int i = 0; i < x.dim(); ++i)
    if (!(bits >> i & 1) || x.size(i) != 1) sizes[dim++] = x.size(i);
  return reshaped("squeeze", x, Shape(sizes, dim));
}

Tensor unsqueeze(const Tensor& x, int axis) {
  const int a = normal_axis("unsqueeze", axis, x.dim() + 1);
  std::int64_t sizes[Shape::max_dim + 1];
  const Shape shape = x.shape();
  std::copy_n(shape.begin(), a, sizes);
  sizes[a] = 1;
  std::copy(shape.begin() + a, shape.end(), sizes + a + 1);
  return reshaped("unsqueeze", x, Shape(sizes, x.dim() + 1));
}

Tensor expand(const Tensor& x, const Shape& shape) {
  const Shape own = x.shape();
  const int lead = shape.dim() - own.dim();
  Places p{shape, {}, 0};
  const Strides strides = strides_of(own);
  bool fits = lead >= 0;
  for (int i = 0; i < own.dim() && fits; ++i) {
    fits = own.begin()[i] == 1 || own.begin()[i] == shape.begin()[lead + i];
    p.strides[at(lead + i)] = own.begin()[i] == 1 ? 0 : strides[at(i)];
  }
  if (!fits) fail<ShapeError>("expand", "the shape must be one that x broadcasts to: ", own, " to ", shape);
  return record("expand", take(x, p), {x}, [](const Tensor& dy, Inputs& dx) { dx.add_reduced(0, dy); });
}

Tensor repeat(const Tensor& x, const std::vector<std::int64_t>& counts) {
  const int dim = static_cast<int>(counts.size()), lead = dim - x.dim();
  if (lead < 0) fail<ShapeError>("repeat", "needs a count for each axis: ", dim, " for ", x.shape());
  for (const std::int64_t c : counts)
    if (c < 0) fail<ValueError>("repeat", "a count must not be negative: ", c);
  std::int64_t sizes[Shape::max_dim + 1] = {};
  for (int i = 0; i < dim && i < Shape::max_dim; ++i) {
    sizes[i] = i < lead ? 1 : x.size(i - lead);
    if (counts[at(i)] > 0 && sizes[i] > (std::int64_t{1} << 48) / counts[at(i)])
      fail<ShapeError>("repeat", "a tensor has at most 2^48 elements: ", counts[at(i)], " times ", x.shape());
    sizes[i] *= counts[at(i)];
  }
  const Shape shape(sizes, dim);
  Tensor y = x;
  std::int64_t inner = 1;  // elements of y's axes that are done
  if (shape.numel() == 0) y = empty(shape, x.dtype());
  for (int i = dim - 1; i >= 0 && shape.numel() > 0; --i) {
    const std::int64_t size = i < lead ? 1 : x.size(i - lead), block = size * inner, count = counts[at(i)];
    inner = block * count;
    if (count == 1) continue;
    const std::int64_t outer = block == 0 ? 0 : y.numel() / block;
    y = take(y, Places{{outer, count, block}, {block, 0, 1}, 0});
  }
  y = y.header() == x.header() ? x.clone() : y;
  return record("repeat", kernels::view(y, shape), {x}, [](const Tensor& dy, Inputs& dx) {
    const Shape to = dx.shape(0);
    Tensor g = dy;
    std::int64_t outer = 1;  // elements of x's axes that are done
    for (int i = 0; i < dy.dim(); ++i) {
      const int axis = i - (dy.dim() - to.dim());
      const std::int64_t size = axis < 0 ? 1 : to.begin()[axis], count = size == 0 ? 0 : dy.size(i) / size;
      if (to.numel() == 0 || dy.numel() == 0) break;
      const std::int64_t block = g.numel() / (outer * count);
      if (count > 1) g = sum(reshape(g, Shape{outer, count, block}), 1, false);
      outer *= size;
    }
    dx.add(0, dy.numel() == 0 ? expand(sum(dy), to) : reshape(g, to));
  });
}

Tensor flip(const Tensor& x, Axes axes) {
  const unsigned bits = detail::axis_bits("flip", axes, x.dim());
  return record("flip", take(x, flipped(x.shape(), bits)), {x}, [bits](const Tensor& dy, Inputs& dx) {
    const bool recorded = dx.recorded();
    dx.add(0, recorded ? flip(dy, axes_of(bits, dy.dim())) : take(dy, flipped(dy.shape(), bits)));
  });
}

Tensor pad(const Tensor& x, const std::vector<std::int64_t>& widths, double value) {
  const int pairs = static_cast<int>(widths.size() / 2);
  if (widths.size() % 2 != 0 || pairs > x.dim())
    fail<ShapeError>("pad", "widths must be a pair for each axis at most: ", widths.size(), " for ", x.shape());
  for (const std::int64_t w : widths)
    if (w < 0) fail<ValueError>("pad", "a width must not be negative: ", w, " (take a slice() instead)");
  Strides before{};
  Shape shape = x.shape();
  for (int i = 0; i < pairs; ++i) {
    const int axis = x.dim() - 1 - i;
    const std::int64_t first = widths[at(2 * i)], last = widths[at(2 * i + 1)];
    constexpr std::int64_t most = std::int64_t{1} << 48;
    if (first > most || last > most) fail<ShapeError>("pad", "a tensor has at most 2^48 elements: widths ", first, " and ", last);
    before[at(axis)] = first;
    shape = shape.with(axis, first + x.size(axis) + last);
  }
  kernels::require_fit("pad", "the value", value, x.dtype());
  Tensor y = full(shape, value, x.dtype());
  kernels::put(y, framed(x.shape(), shape, before), x);
  return record("pad", y, {x}, [before](const Tensor& dy, Inputs& dx) {
    const Shape inner = dx.shape(0);
    if (!dx.recorded()) return dx.add(0, take(dy, framed(inner, dy.shape(), before)));
    Tensor g = dy;
    for (int i = 0; i < inner.dim(); ++i) g = slice(g, i, before[at(i)], before[at(i)] + inner[i]);
    dx.add(0, reshape(g, inner));
  });
}

Tensor tril(const Tensor& x, std::int64_t k) { return triangle_of("tril", x, k, true); }

Tensor triu(const Tensor& x, std::int64_t k) { return triangle_of("triu", x, k, false); }

}  // namespace capstan
