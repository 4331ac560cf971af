#include <capstan/autograd/ops/index.h>

#include <capstan/autograd/ops.h>
#include <capstan/autograd/ops/index_add.h>
#include <capstan/autograd/record.h>
#include <capstan/autograd/row_places.h>
#include <capstan/core/axes.h>
#include <capstan/core/compute.h>
#include <capstan/core/create.h>
#include <capstan/core/lines.h>
#include <capstan/core/row_copy.h>
#include <capstan/core/text.h>

#include <cstring>
#include <utility>

// An index says for each element where it lies. Along the first axis a gradient of few rows stays sparse (Inputs::add_rows).
namespace capstan {

using detail::fail;
using kernels::data_of;
using kernels::dispatch;
using kernels::Split;

namespace {

void require_index(const char* op, const Tensor& index) {
  if (index.dtype() != DType::i64)
    fail<ValueError>(op, "the index must be i64: ", index.dtype(), " ", index.shape(), " (convert with to())");
}

/// Refuses an index for gather() and scatter_add(); gives the axis.
int checked_axis(const char* op, const Tensor& x, int axis, const Tensor& index) {
  const int a = normal_axis(op, axis, x.dim());
  require_index(op, index);
  bool fits = index.dim() == x.dim();
  for (int i = 0; i < x.dim() && fits; ++i) fits = i == a || index.size(i) <= x.size(i);
  if (!fits) fail<ShapeError>(op, "the index must have x's axes, none longer but axis ", a, ": ", index.shape(), " for ", x.shape());
  detail::require_inside(op, index, x.size(a));
  return a;
}

/// Calls f(k, place) for each element k of the index: where it points in a tensor of this shape.
template <class F>
void each_place(const Shape& shape, int axis, const Tensor& index, F f) {
  kernels::Strides strides = kernels::strides_of(shape);
  const std::int64_t along = std::exchange(strides[static_cast<std::size_t>(axis)], 0);
  const auto* at = data_of<std::int64_t>(index);
  kernels::walk<1>(index.shape(), {strides}, [&](std::int64_t first, const auto& offset, const auto& step, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) f(first + i, offset[0] + i * step[0] + at[first + i] * along);
  });
}

Tensor gathered(const Tensor& x, int axis, const Tensor& index) {
  Tensor y = empty(index.shape(), x.dtype());
  const auto copy = [&]<class W>(W*) {
    each_place(x.shape(), axis, index,
               [from = data_of<W>(x), to = data_of<W>(y)](std::int64_t k, std::int64_t place) { to[k] = from[place]; });
  };
  switch (size_of(x.dtype())) {  // copies need not know what they copy
    case 1: copy(static_cast<std::uint8_t*>(nullptr)); break;
    case 4: copy(static_cast<std::uint32_t*>(nullptr)); break;
    default: copy(static_cast<std::uint64_t*>(nullptr));
  }
  return y;
}

/// Adds src to y, of the given shape, where the index points.
template <class T>
void scatter(T* y, const Shape& shape, int axis, const Tensor& index, const Tensor& src) {
  each_place(shape, axis, index, [y, from = data_of<T>(src)](std::int64_t k, std::int64_t place) { y[place] += from[k]; });
}

}  // namespace

void detail::add_selected(Inputs& dx, int axis, const Tensor& index, const Tensor& dy, bool sparse) {
  const Shape shape = dx.shape(0);
  if (axis == 0 && (dx.recorded() || sparse || few_rows(index, shape[0]))) return dx.add_rows(0, index, dy);
  if (dx.recorded()) return dx.add(0, index_add(shape, axis, index, dy));
  const Inputs::Place to = dx.place(0);
  if (!to.accumulate) std::memset(to.data, 0, static_cast<std::size_t>(shape.numel()) * size_of(dy.dtype()));
  Split s = kernels::split_at(dy, axis);
  s.size = shape[axis];
  dispatch(dy, [&]<class T>(T*) { add_lines(static_cast<T*>(to.data), s, index, data_of<T>(dy)); });
}

void detail::add_gathered(Inputs& dx, int axis, const Tensor& index, const Tensor& dy, bool sparse) {
  const Shape shape = dx.shape(0);
  if (dx.recorded()) return dx.add(0, scatter_add(zeros(shape, dy.dtype()), axis, index, dy));
  const RowSums to(dx, index, dy.dtype(), axis == 0 && (sparse || few_rows(index, shape[0])));
  dispatch(dy, [&]<class T>(T*) { scatter(data_of<T>(to.sums), to.sums.shape(), axis, to.place, dy); });
  to.add_to(dx);
}

Tensor index_select(const Tensor& x, int axis, const Tensor& index) {
  const int a = normal_axis("index_select", axis, x.dim());
  require_index("index_select", index);
  if (index.dim() != 1) fail<ShapeError>("index_select", "the index must be a vector: ", index.shape());
  detail::require_inside("index_select", index, x.size(a));
  const Split s = kernels::split_at(x, a);
  const std::int64_t n = index.numel();
  Tensor y = empty(x.shape().with(a, n), x.dtype());
  const auto* at = data_of<std::int64_t>(index);
  const std::size_t bytes = static_cast<std::size_t>(s.inner) * size_of(x.dtype());
  const auto* from = static_cast<const char*>(x.header()->data);
  auto* to = static_cast<char*>(y.header()->data);
  const std::size_t block = bytes * static_cast<std::size_t>(s.size), made = bytes * static_cast<std::size_t>(n);
  for (std::int64_t o = 0; made > 0 && o < s.outer; ++o, from += block, to += made) kernels::take_rows(from, at, to, n, bytes);
  return record("index_select", y, {x},
                [index = saved(index), a](const Tensor& dy, Inputs& dx) { detail::add_selected(dx, a, index.get(), dy); });
}

Tensor gather(const Tensor& x, int axis, const Tensor& index) {
  const int a = checked_axis("gather", x, axis, index);
  return record("gather", gathered(x, a, index), {x},
                [index = saved(index), a](const Tensor& dy, Inputs& dx) { detail::add_gathered(dx, a, index.get(), dy); });
}

Tensor scatter_add(const Tensor& x, int axis, const Tensor& index, const Tensor& src) {
  kernels::require_floating("scatter_add", x);
  kernels::require_same_dtype("scatter_add", x, src);
  const int a = checked_axis("scatter_add", x, axis, index);
  if (!(src.shape() == index.shape()))
    fail<ShapeError>("scatter_add", "index and src must have one shape: ", index.shape(), " and ", src.shape());
  const Tensor y = x.clone();
  dispatch(x, [&]<class T>(T*) { scatter(data_of<T>(y), x.shape(), a, index, src); });
  return record("scatter_add", y, {x, src}, [index = saved(index), a](const Tensor& dy, Inputs& dx) {
    dx.add(0, dy);
    if (dx.wants(1)) dx.add(1, gather(dy, a, index.get()));
  });
}

Tensor one_hot(const Tensor& labels, std::int64_t classes, DType dtype) {
  if (labels.dtype() != DType::i64) fail<ValueError>("one_hot", "labels must be i64 class indices: ", labels.dtype(), " ", labels.shape());
  if (classes < 1) fail<ValueError>("one_hot", "classes must be positive: ", classes);
  const auto* label = data_of<std::int64_t>(labels);
  for (std::int64_t i = 0; i < labels.numel(); ++i)
    if (label[i] < 0 || label[i] >= classes) [[unlikely]]
      fail<ValueError>("one_hot", "a label must lie in [0, ", classes, "): ", label[i], " at element ", i, " of ", labels.shape());
  std::int64_t sizes[Shape::max_dim + 1];
  for (int i = 0; i < labels.dim(); ++i) sizes[i] = labels.size(i);
  sizes[labels.dim()] = classes;
  const Tensor y = zeros(Shape(sizes, labels.dim() + 1), dtype);
  const auto fill = [&](auto* to) {
    for (std::int64_t i = 0; i < labels.numel(); ++i) to[i * classes + label[i]] = 1;
  };
  switch (dtype) {
    case DType::f32: fill(data_of<float>(y)); break;
    case DType::f64: fill(data_of<double>(y)); break;
    case DType::i64: fill(data_of<std::int64_t>(y)); break;
    case DType::boolean: fill(data_of<bool>(y)); break;
  }
  return y;
}

}  // namespace capstan
