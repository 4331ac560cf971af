#include <capstan/core/axes.h>

#include <capstan/core/compute.h>
#include <capstan/core/create.h>
#include <capstan/core/pool.h>

#include <algorithm>
#include <cstring>

// What is done along axes, without gradients, under every operation of autograd/ops: the axes before and behind one are taken together,
// and what lies between goes through a kernel of table().
namespace capstan::kernels {

using capstan::detail::Header;

Tensor view(const Tensor& x, const Shape& shape) {
  Header* v = capstan::detail::new_view(x.header());
  v->data = x.header()->data;
  v->numel = x.header()->numel;
  v->dim = static_cast<std::uint8_t>(shape.dim());
  std::copy(shape.begin(), shape.end(), v->sizes);
  return Tensor::adopt(v);
}

Tensor expand(const Tensor& x, const Shape& shape) {
  if (x.numel() == 1) {
    Tensor y = empty(shape, x.dtype());
    dispatch(x, [&]<class T>(T*) { std::fill_n(data_of<T>(y), y.numel(), *data_of<T>(x)); });
    return y;
  }
  return binary("expand", Binary::sub, x, zeros(shape, x.dtype()));  // x - 0 keeps the sign of -0
}

Split split_at(const Tensor& x, int axis) {
  const Header* h = x.header();
  Split s{1, h->sizes[axis], 1};
  for (int i = 0; i < axis; ++i) s.outer *= h->sizes[i];
  for (int i = axis + 1; i < h->dim; ++i) s.inner *= h->sizes[i];
  if (s.inner == 0) s.outer = 0;
  return s;
}

Tensor sum(const Tensor& x) {
  const Header* h = x.header();
  Header* y = capstan::detail::new_block(h->dtype, 1);
  dispatch(x, [&]<class T>(T*) { *static_cast<T*>(y->data) = table<T>().sum(static_cast<T*>(h->data), h->numel); });
  return Tensor::adopt(y);
}

Tensor sum(const Tensor& x, int axis, bool keepdim) {
  const Split s = split_at(x, axis);
  const Shape shape = x.shape();
  Tensor y = empty(keepdim ? shape.with(axis, 1) : shape.without(axis), x.dtype());
  dispatch(x, [&]<class T>(T*) {
    const T* from = data_of<T>(x);
    T* to = data_of<T>(y);
    if (s.inner == 1)
      for (std::int64_t i = 0; i < s.outer; ++i) to[i] = table<T>().sum(from + i * s.size, s.size);
    else
      for (std::int64_t i = 0; i < s.outer; ++i)
        table<T>().sum_columns(from + i * s.size * s.inner, to + i * s.inner, s.size, s.inner, false);
  });
  return y;
}

Tensor sum_to(const Tensor& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  if (shape.numel() == 1) {
    Tensor y = kernels::sum(x);
    y.header()->dim = static_cast<std::uint8_t>(shape.dim());
    for (int i = 0; i < shape.dim(); ++i) y.header()->sizes[i] = 1;
    return y;
  }
  Tensor y = x;
  const int lead = x.dim() - shape.dim();
  if (lead > 0) {
    std::int64_t sizes[Shape::max_dim] = {1};
    for (int i = 0; i < lead; ++i) sizes[0] *= x.header()->sizes[i];
    for (int i = lead; i < x.dim(); ++i) sizes[i - lead + 1] = x.header()->sizes[i];
    if (shape.dim() + 1 <= x.dim()) y = kernels::sum(view(y, Shape(sizes, shape.dim() + 1)), 0, false);
  }
  for (int i = 0; i < shape.dim(); ++i)
    if (shape.begin()[i] == 1 && y.header()->sizes[i] != 1) y = kernels::sum(y, i, true);
  return y;
}

Tensor transpose(const Tensor& x, int a, int b) {
  if (a == b) return x.clone();
  if (a > b) std::swap(a, b);
  const Header* h = x.header();
  std::int64_t sizes[Shape::max_dim];
  std::copy(h->sizes, h->sizes + h->dim, sizes);
  std::swap(sizes[a], sizes[b]);
  const Shape shape = Shape::known(sizes, h->dim);
  Tensor y = empty(shape, h->dtype);
  if (h->numel == 0) return y;
  const Split sa = split_at(x, a), sb = split_at(x, b);
  const std::int64_t between = sa.inner / (sb.size * sb.inner);  // axes strictly between a and b
  if (between == 1 && sb.inner == 1 && is_floating(h->dtype)) {
    dispatch(x, [&]<class T>(T*) {
      for (std::int64_t o = 0; o < sa.outer; ++o)
        table<T>().transpose(data_of<T>(x) + o * sa.size * sb.size, data_of<T>(y) + o * sa.size * sb.size, sa.size, sb.size);
    });
    return y;
  }
  const std::size_t item = size_of(h->dtype) * static_cast<std::size_t>(sb.inner);
  const char* from = static_cast<const char*>(h->data);
  char* to = static_cast<char*>(y.header()->data);
  for (std::int64_t o = 0; o < sa.outer; ++o)
    for (std::int64_t j = 0; j < sb.size; ++j)
      for (std::int64_t m = 0; m < between; ++m)
        for (std::int64_t i = 0; i < sa.size; ++i, to += item)
          std::memcpy(to, from + static_cast<std::size_t>(((o * sa.size + i) * between + m) * sb.size + j) * item, item);
  return y;
}

}  // namespace capstan::kernels
