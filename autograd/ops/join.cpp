#include <capstan/autograd/ops/join.h>

#include <capstan/autograd/ops/shape.h>
#include <capstan/autograd/record.h>
#include <capstan/core/compute.h>
#include <capstan/core/create.h>
#include <capstan/core/places.h>
#include <capstan/core/text.h>

#include <algorithm>

// Parts are copied into their places (core/places.h); the gradient of each is its part of dy.
namespace capstan {

using detail::fail;
using kernels::Places;
using kernels::strides_of;

namespace {

/// The part [begin, begin + count) along an axis of a tensor of this shape.
Places part(const Shape& shape, int axis, std::int64_t begin, std::int64_t count) {
  Places p{shape.with(axis, count), strides_of(shape), 0};
  p.offset = begin * p.strides[static_cast<std::size_t>(axis)];
  return p;
}

/// Tensors, all checked, one behind the other along an axis of `shape`; each takes as much of the axis as its elements fill.
Tensor concatenate(const char* op, const std::vector<Tensor>& xs, const Shape& shape, int axis) {
  Tensor y = empty(shape, xs.front().dtype());
  const std::int64_t cross = shape.with(axis, 1).numel();
  std::vector<std::int64_t> begins(xs.size() + 1);
  for (std::size_t i = 0; i < xs.size(); ++i) {
    const std::int64_t count = cross == 0 ? 0 : xs[i].numel() / cross;
    begins[i + 1] = begins[i] + count;
    if (xs[i].numel() > 0) kernels::put(y, part(shape, axis, begins[i], count), xs[i]);
  }
  return record(op, y, xs, [axis, begins = std::move(begins)](const Tensor& dy, Inputs& dx) {
    for (int i = 0; i < dx.count(); ++i) {
      if (!dx.wants(i)) continue;
      const auto k = static_cast<std::size_t>(i);
      const std::int64_t begin = begins[k], end = begins[k + 1];
      dx.add(i, reshape(dx.recorded() ? slice(dy, axis, begin, end) : kernels::take(dy, part(dy.shape(), axis, begin, end - begin)),
                        dx.shape(i)));
    }
  });
}

void require_tensors(const char* op, const std::vector<Tensor>& xs) {
  if (xs.empty()) fail<ShapeError>(op, "needs at least one tensor");
  for (std::size_t i = 1; i < xs.size(); ++i)
    if (xs[i].dtype() != xs[0].dtype())
      fail<ValueError>(op, "dtypes must agree: ", xs[0].dtype(), " ", xs[0].shape(), " and ", xs[i].dtype(), " ", xs[i].shape(),
                       ", tensor ", i, " (convert one with to())");
}

}  // namespace

Tensor concat(const std::vector<Tensor>& xs, int axis) {
  require_tensors("concat", xs);
  const int a = normal_axis("concat", axis, xs[0].dim());
  std::int64_t total = 0;
  for (std::size_t i = 0; i < xs.size(); ++i) {
    if (xs[i].dim() != xs[0].dim() || !(xs[i].shape().with(a, 1) == xs[0].shape().with(a, 1)))
      fail<ShapeError>("concat", "shapes must agree but along axis ", a, ": ", xs[0].shape(), " and ", xs[i].shape(), ", tensor ", i);
    total += xs[i].size(a);
  }
  return concatenate("concat", xs, xs[0].shape().with(a, total), a);
}

Tensor stack(const std::vector<Tensor>& xs, int axis) {
  require_tensors("stack", xs);
  const int a = normal_axis("stack", axis, xs[0].dim() + 1);
  for (std::size_t i = 1; i < xs.size(); ++i)
    if (!(xs[i].shape() == xs[0].shape()))
      fail<ShapeError>("stack", "shapes must agree: ", xs[0].shape(), " and ", xs[i].shape(), ", tensor ", i);
  std::int64_t sizes[Shape::max_dim + 1];
  const Shape one = xs[0].shape();
  std::copy_n(one.begin(), a, sizes);
  sizes[a] = static_cast<std::int64_t>(xs.size());
  std::copy(one.begin() + a, one.end(), sizes + a + 1);
  const Shape shape(sizes, one.dim() + 1);
  return concatenate("stack", xs, shape, a);
}

std::vector<Tensor> split(const Tensor& x, const std::vector<std::int64_t>& sizes, int axis) {
  const int a = normal_axis("split", axis, x.dim());
  std::int64_t total = 0;
  for (const std::int64_t size : sizes) {
    if (size < 0 || size > x.size(a))
      fail<ShapeError>("split", "a part must lie in the axis: size ", size, " of axis ", a, " of ", x.shape());
    total += size;
  }
  if (total != x.size(a)) fail<ShapeError>("split", "the sizes must add up to the axis: ", total, " for axis ", a, " of ", x.shape());
  std::vector<Tensor> parts;
  std::int64_t begin = 0;
  for (const std::int64_t size : sizes) {
    parts.push_back(a == 0 ? rows(x, begin, begin + size) : slice(x, a, begin, begin + size));
    begin += size;
  }
  return parts;
}

std::vector<Tensor> split(const Tensor& x, std::int64_t size, int axis) {
  const int a = normal_axis("split", axis, x.dim());
  if (size < 1) fail<ValueError>("split", "size must be positive: ", size);
  std::vector<std::int64_t> sizes;
  for (std::int64_t begin = 0; begin < x.size(a); begin += size) sizes.push_back(std::min(size, x.size(a) - begin));
  return split(x, sizes.empty() ? std::vector<std::int64_t>{0} : sizes, a);
}

}  // namespace capstan
