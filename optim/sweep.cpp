#include <capstan/optim/sweep.h>

#include <capstan/core/create.h>
#include <capstan/core/pool.h>
#include <capstan/core/row_copy.h>

// What slots start as, and copies of rows, for what moves whole tensors.
namespace capstan::optim::detail {

Tensor new_slot(const Shape& shape, double start, DType dtype) {
  if (start == 0) return Tensor::adopt(capstan::detail::new_zero_block(dtype, shape));  // also from -0, which a sum does not keep
  return full(shape, start, dtype);
}

namespace {
/// Of a tensor that holds the given rows.
std::size_t row_bytes(const Tensor& t, const Tensor& rows) {
  return rows.numel() == 0 ? 0 : static_cast<std::size_t>(t.numel() / rows.numel()) * size_of(t.dtype());
}
}  // namespace

void take_rows(const Tensor& from, const Tensor& rows, const Tensor& to) {
  kernels::take_rows(from.header()->data, kernels::data_of<std::int64_t>(rows), to.header()->data, rows.numel(), row_bytes(to, rows));
}
void put_rows(const Tensor& from, const Tensor& rows, const Tensor& to) {
  kernels::put_rows(from.header()->data, kernels::data_of<std::int64_t>(rows), to.header()->data, rows.numel(), row_bytes(from, rows));
}

}  // namespace capstan::optim::detail
