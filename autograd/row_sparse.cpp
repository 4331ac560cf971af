#include <capstan/autograd/gradient_table.h>
#include <capstan/autograd/no_grad.h>
#include <capstan/autograd/ops/index_add.h>
#include <capstan/core/compute.h>
#include <capstan/core/create.h>
#include <capstan/core/text.h>

#include <algorithm>

// Gradients by rows: several parts joined into one, rows added up, and made dense.

namespace capstan {

Tensor RowSparse::dense() const {
  const NoGrad pause;
  return detail::index_add(shape, 0, rows, values);
}

void detail::require_rows(const char* op, const char* of, std::size_t i, const Tensor& index, const Tensor& values, const Shape& shape,
                          DType dtype) {
  if (index.dtype() != DType::i64 || index.dim() != 1)
    fail<ValueError>(op, "the rows of the gradient for ", of, " ", i, " must be i64 [n]: ", index.dtype(), " ", index.shape());
  if (shape.dim() == 0 || !(values.shape() == shape.with(0, index.numel())))
    fail<ShapeError>(op, "the gradient for ", of, " ", i, " must have a row of the ", of, " for each index: ", values.shape(), " for ",
                     index.numel(), " rows, the ", of, " is ", shape);
  if (values.dtype() != dtype)
    fail<ValueError>(op, "the gradient for ", of, " ", i, " must have the ", of, "'s dtype: ", values.dtype(), ", the ", of, " is ", dtype);
  for (std::int64_t k = 0; k < index.numel(); ++k)
    if (const std::int64_t row = index.data<std::int64_t>()[k]; row < 0 || row >= shape[0])
      fail<ValueError>(op, "the gradient for ", of, " ", i, " must be for rows that there are: row ", row, " of ", shape);
}

RowSparse detail::joined(const std::vector<RowSparse>& parts) {
  struct Row {
    std::int64_t row;
    const RowSparse* part;
    std::int64_t k;
  };
  std::vector<Row> all;
  for (const RowSparse& part : parts)
    for (std::int64_t k = 0; k < part.rows.numel(); ++k) all.push_back({kernels::data_of<std::int64_t>(part.rows)[k], &part, k});
  std::stable_sort(all.begin(), all.end(), [](const Row& a, const Row& b) { return a.row < b.row; });
  std::int64_t count = 0;
  for (std::size_t i = 0; i < all.size(); ++i) count += i == 0 || all[i].row != all[i - 1].row;

  const Shape& shape = parts.front().shape;
  RowSparse sum{empty({count}, DType::i64), zeros(shape.with(0, count), parts.front().values.dtype()), shape};
  sum.rows.header()->flags |= kReadOnly;  // clones share them
  if (count == 0) return sum;
  const std::int64_t size = sum.values.numel() / count;
  kernels::dispatch(sum.values, [&]<class T>(T*) {
    const auto add = kernels::table<T>().binary[static_cast<int>(kernels::Binary::add)];
    std::int64_t at = -1;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const Row& r = all[i];
      if (i == 0 || r.row != all[i - 1].row) kernels::data_of<std::int64_t>(sum.rows)[++at] = r.row;
      T* to = kernels::data_of<T>(sum.values) + at * size;
      add(to, kernels::data_of<T>(r.part->values) + r.k * size, to, size, true, true);
    }
  });
  return sum;
}

}  // namespace capstan
