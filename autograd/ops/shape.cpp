#include <capstan/autograd/ops/shape.h>

#include <capstan/autograd/ops.h>
#include <capstan/autograd/ops/index_add.h>
#include <capstan/autograd/record.h>
#include <capstan/core/axes.h>
#include <capstan/core/compute.h>
#include <capstan/core/pool.h>
#include <capstan/core/text.h>

#include <cstring>

// Views: other sizes for the same memory. The members of Tensor that are recorded stand here too.
namespace capstan {

using detail::fail;
using detail::Header;

Tensor reshape(const Tensor& x, const Shape& shape) {
  if (shape.numel() != x.numel())
    fail<ShapeError>("reshape", "the number of elements must stay: ", x.shape(), " has ", x.numel(), ", ", shape, " has ", shape.numel());
  return record("reshape", kernels::view(x, shape), {x}, [](const Tensor& dy, Inputs& dx) { dx.add(0, reshape(dy, dx.shape(0))); });
}

Tensor transpose(const Tensor& x, int a, int b) {
  const int p = normal_axis("transpose", a, x.dim()), q = normal_axis("transpose", b, x.dim());
  return record("transpose", kernels::transpose(x, p, q), {x}, [p, q](const Tensor& dy, Inputs& dx) { dx.add(0, transpose(dy, p, q)); });
}

Tensor rows(const Tensor& x, std::int64_t begin, std::int64_t end) {
  Header* h = x.header();
  if (h->dim == 0) fail<ShapeError>("rows", "a scalar has no rows");
  if (begin < 0 || end < begin || end > h->sizes[0]) [[unlikely]]
    fail<ShapeError>("rows", "the range must lie in the first axis: [", begin, ", ", end, ") of ", x.shape());
  return record("rows", Tensor::adopt(detail::new_row_view(h, begin, end)), {x}, [begin](const Tensor& dy, Inputs& dx) {
    if (dx.recorded()) return dx.add(0, detail::index_add(dx.shape(0), 0, begin, 1, dy));
    kernels::dispatch(dy, [&]<class T>(T*) {
      const Shape shape = dx.shape(0);
      const Inputs::Place to = dx.place(0);
      T* out = static_cast<T*>(to.data);
      if (!to.accumulate) std::memset(out, 0, static_cast<std::size_t>(shape.numel()) * sizeof(T));
      const std::int64_t n = dy.numel();
      if (n == 0) return;
      out += begin * (n / dy.size(0));
      kernels::table<T>().binary[static_cast<int>(kernels::Binary::add)](out, kernels::data_of<T>(dy), out, n, true, true);
    });
  });
}

Tensor reshape(const Tensor& x, std::initializer_list<std::int64_t> sizes) { return x.reshape(sizes); }

// Members of Tensor that are recorded, so that core need not know the tape.
Tensor Tensor::rows(std::int64_t begin, std::int64_t end) const { return capstan::rows(*this, begin, end); }
Tensor Tensor::reshape(const Shape& shape) const { return capstan::reshape(*this, shape); }

Tensor Tensor::reshape(std::initializer_list<std::int64_t> sizes) const {
  std::int64_t known[Shape::max_dim] = {};
  int unknown = -1;
  const auto count = static_cast<int>(sizes.size());
  for (int i = 0; i < count && i < Shape::max_dim; ++i) {
    known[i] = sizes.begin()[i];
    if (known[i] != -1) continue;
    if (unknown >= 0) fail<ShapeError>("reshape", "only one size may be -1: those at ", unknown, " and ", i, " of ", count, " are");
    unknown = i;
    known[i] = 1;
  }
  const Shape rest(known, count);
  if (unknown < 0) return reshape(rest);
  const std::int64_t n = rest.numel();
  if (n == 0 || numel() % n != 0)
    fail<ShapeError>("reshape", "the size for -1 must be whole: ", numel(), " elements of ", shape(), " by ", n);
  return reshape(rest.with(unknown, numel() / n));
}

}  // namespace capstan
