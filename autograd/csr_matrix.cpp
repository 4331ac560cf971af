#include <capstan/autograd/csr_matrix.h>

#include <capstan/autograd/ops/index.h>
#include <capstan/autograd/ops/index_add.h>
#include <capstan/core/compute.h>
#include <capstan/core/create.h>
#include <capstan/core/grad_mode.h>
#include <capstan/core/pool.h>
#include <capstan/core/text.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

// A matrix by rows: what it must be like, parts of it, and how it is built. What is computed with it stands in ops/csr.cpp.
namespace capstan {

using detail::fail;
using kernels::data_of;

namespace {

constexpr const char* op = "CsrMatrix";

void require_vectors(const Tensor& crow, const Tensor& col, const Tensor& values, const Shape& shape) {
  if (shape.dim() != 2) fail<ShapeError>(op, "the shape must be {rows, columns}: ", shape);
  if (crow.dtype() != DType::i64 || col.dtype() != DType::i64 || !is_floating(values.dtype()))
    fail<ValueError>(op, "crow and col must be i64, values f32 or f64: ", crow.dtype(), ", ", col.dtype(), ", ", values.dtype());
  if (crow.dim() != 1 || col.dim() != 1 || values.dim() != 1 || crow.numel() != shape[0] + 1 || col.numel() != values.numel())
    fail<ShapeError>(op, "crow must be [rows + 1], col and values [n]: ", crow.shape(), ", ", col.shape(), ", ", values.shape(), " for ",
                     shape);
}

void require_pointers(const std::int64_t* crow, std::int64_t rows, std::int64_t n) {
  if (crow[0] != 0) fail<ValueError>(op, "crow must begin with 0: row 0 begins at ", crow[0]);
  for (std::int64_t i = 0; i < rows; ++i) {
    if (crow[i + 1] < crow[i]) fail<ValueError>(op, "crow must not descend: row ", i, " begins at ", crow[i], " and ends at ", crow[i + 1]);
    if (crow[i + 1] > n) fail<ValueError>(op, "crow must stay within the values: row ", i, " ends at ", crow[i + 1], " of ", n);
  }
  if (crow[rows] != n) fail<ValueError>(op, "crow must end with the number of values: ", crow[rows], ", there are ", n);
}

void require_columns(const std::int64_t* crow, const std::int64_t* col, std::int64_t rows, std::int64_t columns) {
  for (std::int64_t i = 0; i < rows; ++i) {
    std::int64_t last = -1;
    for (std::int64_t k = crow[i]; k < crow[i + 1]; last = col[k++]) {
      if (col[k] < 0 || col[k] >= columns) [[unlikely]]
        fail<ValueError>(op, "a column must lie in [0, ", columns, "): row ", i, " has column ", col[k]);
      if (col[k] <= last) [[unlikely]]
        fail<ValueError>(op, "the columns of a row must ascend, each once: row ", i, " has column ", last, " before ", col[k],
                         " (a CsrBuilder sorts)");
    }
  }
}

/// The first element that is not finite; -1 when all are.
std::int64_t first_bad(const Tensor& values) {
  const std::int64_t n = values.numel();
  const std::int64_t k =
      kernels::dispatch(values, [&]<class T>(T*) { return kernels::table<T>().first_non_finite(data_of<T>(values), n); });
  return k == n ? -1 : k;
}

double at(const Tensor& values, std::int64_t k) {
  return kernels::dispatch(values, [&]<class T>(T*) { return static_cast<double>(data_of<T>(values)[k]); });
}

/// Whether a gradient may be wanted for values that are copied now.
bool is_followed(const Tensor& values) {
  const detail::Header* h = values.header();
  return detail::running_tape != 0 && (h->tape != 0 || (h->flags & detail::kLeaf) != 0);
}

}  // namespace

CsrMatrix::CsrMatrix(const Tensor& crow, const Tensor& col, const Tensor& values, const Shape& shape) {
  require_vectors(crow, col, values, shape);
  const auto* begin = data_of<std::int64_t>(crow);
  require_pointers(begin, shape[0], col.numel());
  require_columns(begin, data_of<std::int64_t>(col), shape[0], shape[1]);
  if (const std::int64_t k = first_bad(values); k >= 0)
    fail<ValueError>(op, "a value must be finite: row ", std::upper_bound(begin, begin + shape[0], k) - begin - 1, " has ", at(values, k),
                     " in column ", data_of<std::int64_t>(col)[k]);
  *this = known(crow, col, values, shape[0], shape[1]);
}

CsrMatrix CsrMatrix::known(Tensor crow, Tensor col, Tensor values, std::int64_t rows, std::int64_t columns) noexcept {
  CsrMatrix x;
  x.crow_ = std::move(crow);
  x.col_ = std::move(col);
  x.values_ = std::move(values);
  x.rows_ = rows;
  x.columns_ = columns;
  return x;
}

CsrMatrix CsrMatrix::with_values(const Tensor& values) const {
  require_vectors(crow_, col_, values, shape());
  if (const std::int64_t k = first_bad(values); k >= 0)
    fail<ValueError>(op, "a value must be finite: ", at(values, k), " at element ", k, " of ", values.shape());
  return known(crow_, col_, values, rows_, columns_);
}

CsrMatrix CsrMatrix::rows(std::int64_t begin, std::int64_t end) const {
  if (begin < 0 || end < begin || end > rows_)
    fail<ShapeError>(op, "the range must lie in the rows: [", begin, ", ", end, ") of ", shape());
  const Tensor crow = empty({end - begin + 1}, DType::i64);
  const auto* from = data_of<std::int64_t>(crow_) + begin;
  auto* to = data_of<std::int64_t>(crow);
  const std::int64_t first = from[0];
  for (std::int64_t i = 0; i <= end - begin; ++i) to[i] = from[i] - first;
  const std::int64_t last = first + to[end - begin];
  return known(crow, Tensor::adopt(detail::new_row_view(col_.header(), first, last)), values_.rows(first, last), end - begin, columns_);
}

CsrMatrix CsrMatrix::select(const Tensor& index) const {
  if (index.dtype() != DType::i64) fail<ValueError>(op, "the index must be i64: ", index.dtype(), " ", index.shape());
  if (index.dim() != 1) fail<ShapeError>(op, "the index must be a vector: ", index.shape());
  detail::require_inside(op, index, rows_);
  const std::int64_t count = index.numel();
  const auto *row = data_of<std::int64_t>(index), *from = data_of<std::int64_t>(crow_);
  const Tensor crow = empty({count + 1}, DType::i64);
  auto* to = data_of<std::int64_t>(crow);
  to[0] = 0;
  for (std::int64_t i = 0; i < count; ++i) to[i + 1] = to[i] + from[row[i] + 1] - from[row[i]];
  const auto take = [&](const Tensor& all) {
    const Tensor part = empty({to[count]}, all.dtype());
    const std::size_t bytes = size_of(all.dtype());
    const auto place = [bytes](const Tensor& t, std::int64_t k) {
      return static_cast<char*>(t.header()->data) + static_cast<std::size_t>(k) * bytes;
    };
    for (std::int64_t i = 0; i < count; ++i)
      if (to[i] != to[i + 1])
        std::memcpy(place(part, to[i]), place(all, from[row[i]]), static_cast<std::size_t>(to[i + 1] - to[i]) * bytes);
    return part;
  };
  const auto places = [&] {
    const Tensor place = empty({to[count]}, DType::i64);
    for (std::int64_t i = 0; i < count; ++i)
      for (std::int64_t k = to[i]; k < to[i + 1]; ++k) data_of<std::int64_t>(place)[k] = from[row[i]] + k - to[i];
    return place;
  };
  return known(crow, take(col_), is_followed(values_) ? index_select(values_, 0, places()) : take(values_), count, columns_);
}

Tensor CsrMatrix::to_dense() const {
  const Tensor place = empty({nnz()}, DType::i64);
  const auto *begin = data_of<std::int64_t>(crow_), *column = data_of<std::int64_t>(col_);
  for (std::int64_t i = 0; i < rows_; ++i)
    for (std::int64_t k = begin[i]; k < begin[i + 1]; ++k) data_of<std::int64_t>(place)[k] = i * columns_ + column[k];
  return detail::index_add({shape().numel()}, 0, place, values_).reshape(shape());
}

CsrBuilder::CsrBuilder(std::int64_t columns, DType dtype) : columns_(columns), dtype_(dtype) {
  if (columns < 0) fail<ValueError>("CsrBuilder", "columns must be 0 or more: ", columns);
  if (!is_floating(dtype)) fail<ValueError>("CsrBuilder", "values are f32 or f64: ", dtype);
  most_ = dtype == DType::f32 ? static_cast<double>(std::numeric_limits<float>::max()) : std::numeric_limits<double>::max();
}

void CsrBuilder::refuse(std::int64_t column, double value) const {
  if (column < 0 || column >= columns_)
    fail<ValueError>("CsrBuilder", "a column must lie in [0, ", columns_, "): row ", rows(), " has column ", column);
  fail<ValueError>("CsrBuilder", "a value must be finite in ", dtype_, ": row ", rows(), " has ", value, " in column ", column);
}

void CsrBuilder::join_row() {
  const auto begin = elements_.begin() + crow_.back();
  std::stable_sort(begin, elements_.end(), [](const Element& a, const Element& b) { return a.column < b.column; });
  auto last = begin;  // of those that are left
  std::vector<Element> joined;
  for (auto e = begin; e != elements_.end(); ++e) {
    if (joined.empty() || joined.back().column != e->column)
      joined.push_back(*e);
    else if (double& sum = joined.back().value; !(std::abs(sum += e->value) <= most_))
      fail<ValueError>("CsrBuilder", "the values of a column must have a finite sum in ", dtype_, ": row ", rows(), ", column ", e->column);
  }
  for (const Element& e : joined) *last++ = e;
  elements_.erase(last, elements_.end());
}

void CsrBuilder::end_row() {
  if (!ascends_) join_row();
  crow_.push_back(static_cast<std::int64_t>(elements_.size()));
  ascends_ = true;
  last_ = -1;
}

CsrMatrix CsrBuilder::take() {
  const auto n = static_cast<std::int64_t>(elements_.size());
  if (n != crow_.back()) fail<ValueError>("CsrBuilder", "the last row must have ended: row ", rows(), " is under way (call end_row())");
  const Tensor crow = tensor(crow_), col = empty({n}, DType::i64), values = empty({n}, dtype_);
  for (std::int64_t k = 0; k < n; ++k) data_of<std::int64_t>(col)[k] = elements_[static_cast<std::size_t>(k)].column;
  kernels::dispatch(values, [&]<class T>(T*) {
    for (std::int64_t k = 0; k < n; ++k) data_of<T>(values)[k] = static_cast<T>(elements_[static_cast<std::size_t>(k)].value);
  });
  CsrMatrix x = CsrMatrix::known(crow, col, values, rows(), columns_);
  crow_.resize(1);
  elements_.clear();
  return x;
}

}  // namespace capstan
