#include <capstan/autograd/ops/index_add.h>

#include <capstan/autograd/ops/index.h>
#include <capstan/autograd/record.h>
#include <capstan/core/create.h>
#include <capstan/core/text.h>

// The gradient of index_select(), rows() and slice() as an operation, for tapes of higher order; line by line.
namespace capstan::detail {

void require_inside(const char* op, const Tensor& index, std::int64_t size) {
  const auto* at = kernels::data_of<std::int64_t>(index);
  const std::int64_t n = index.numel();
  bool outside = false;
  for (std::int64_t i = 0; i < n; ++i) outside |= static_cast<std::uint64_t>(at[i]) >= static_cast<std::uint64_t>(size);
  if (!outside) [[likely]]
    return;
  for (std::int64_t i = 0; i < n; ++i)
    if (at[i] < 0 || at[i] >= size)
      fail<ValueError>(op, "an index must lie in [0, ", size, "): ", at[i], " at element ", i, " of ", index.shape());
}

Tensor index_add(const Shape& shape, int axis, const Tensor& index, const Tensor& src) {
  require_inside("index_add", index, shape[axis]);
  const Tensor y = zeros(shape, src.dtype());
  kernels::dispatch(src,
                    [&]<class T>(T*) { add_lines(kernels::data_of<T>(y), kernels::split_at(y, axis), index, kernels::data_of<T>(src)); });
  return record("index_add", y, {src},
                [index = saved(index), axis](const Tensor& dy, Inputs& dx) { dx.add(0, index_select(dy, axis, index.get())); });
}

Tensor index_add(const Shape& shape, int axis, std::int64_t begin, std::int64_t step, const Tensor& src) {
  const Tensor index = empty({src.size(axis)}, DType::i64);
  for (std::int64_t k = 0; k < index.numel(); ++k) kernels::data_of<std::int64_t>(index)[k] = begin + k * step;
  return index_add(shape, axis, index, src);
}

}  // namespace capstan::detail
