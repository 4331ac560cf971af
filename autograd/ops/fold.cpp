#include <capstan/autograd/ops/fold.h>

#include <capstan/autograd/ops/shape.h>
#include <capstan/core/create.h>
#include <capstan/core/text.h>

#include <algorithm>
#include <cmath>
#include <vector>

// Which axes go: a reduction sees [outer, size, inner]. Where the axes are no neighbours, they are made so first.
namespace capstan {

using detail::fail;

Axes::Axes(const int* axes, std::size_t count) : count_(static_cast<int>(count)) {
  if (count > Shape::max_dim) fail<ShapeError>("axes", "a tensor has at most 6 axes: ", count);
  for (std::size_t i = 0; i < count; ++i) axes_[i] = axes[i];
}

namespace detail {

unsigned axis_bits(const char* op, const Axes& axes, int dim) {
  if (axes.all()) return (1u << dim) - 1;
  unsigned bits = 0;
  for (const int axis : axes) {
    const unsigned bit = 1u << normal_axis(op, axis, dim);
    if (bits & bit) fail<ShapeError>(op, "an axis stands twice in the list: ", axis);
    bits |= bit;
  }
  return bits;
}

Fold fold(const char* op, const Shape& shape, const Axes& axes, bool keepdim) {
  const unsigned bits = axis_bits(op, axes, shape.dim());
  Fold f{{1, 1, 1}, {}, {}, true};
  std::int64_t rest[Shape::max_dim];
  int rest_dim = 0;
  int order[Shape::max_dim], last[Shape::max_dim], kept = 0, gone = 0;  // no vectors: a training loop allocates nothing
  int passed = 0;  // 0 before the axes that go, 1 among them, 2 after them; axes of size 1 are anywhere
  for (int i = 0; i < shape.dim(); ++i) {
    const std::int64_t n = shape.begin()[i];
    const bool goes = bits >> i & 1;
    (goes ? last[gone++] : order[kept++]) = i;
    if (!goes || keepdim) rest[rest_dim++] = goes ? 1 : n;
    if (n != 1) {
      if (goes && passed == 2) f.neighbours = false;
      if (goes && passed == 0) passed = 1;
      if (!goes && passed == 1) passed = 2;
    }
    (goes ? f.split.size : passed == 2 ? f.split.inner : f.split.outer) *= n;
  }
  if (f.split.inner == 0) f.split.outer = 0;
  f.shape = Shape(rest, rest_dim);
  if (f.neighbours) return f;
  f.split.outer *= f.split.inner;
  f.split.inner = 1;
  std::vector<int> all(order, order + kept);
  all.insert(all.end(), last, last + gone);
  f.order = all;
  return f;
}

Tensor Fold::of(const Tensor& x) const { return neighbours ? x : permute(x, order); }

Tensor root_scales(const Tensor& x, const kernels::Split& s) {
  Tensor scale = empty({s.outer, 1, s.inner}, x.dtype());
  kernels::dispatch(x, [&]<class T>(T*) {
    for (std::int64_t o = 0; o < s.outer; ++o)
      for (std::int64_t i = 0; i < s.inner; ++i) {
        T top = 0;
        for (std::int64_t k = 0; k < s.size; ++k) top = std::max(top, std::abs(kernels::data_of<T>(x)[(o * s.size + k) * s.inner + i]));
        const bool plain = top == 0 || !std::isfinite(top);
        kernels::data_of<T>(scale)[o * s.inner + i] = plain ? T(1) : std::ldexp(T(1), -std::ilogb(top) / 2);
      }
  });
  return scale;
}

void require_elements(const char* op, const Tensor& x, std::int64_t n) {
  if (n == 0) fail<ShapeError>(op, "needs at least one element: ", x.shape());
}

}  // namespace detail

}  // namespace capstan
