#include <capstan/autograd/row_places.h>

#include <capstan/autograd/no_grad.h>
#include <capstan/autograd/ops/index_add.h>
#include <capstan/autograd/record.h>
#include <capstan/autograd/row_sort.h>
#include <capstan/core/compute.h>
#include <capstan/core/create.h>
#include <capstan/core/text.h>

#include <algorithm>
#include <limits>
#include <utility>

// Gradients by rows: which rows occur, several parts joined into one, and made dense. The rows that many look-ups name are found by a
// table of all rows, those of few by a radix sort.

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
  const auto* row = kernels::data_of<std::int64_t>(index);
  const std::int64_t n = index.numel(), height = shape[0];
  bool outside = false;
  for (std::int64_t k = 0; k < n; ++k) outside |= static_cast<std::uint64_t>(row[k]) >= static_cast<std::uint64_t>(height);
  for (std::int64_t k = 0; outside && k < n; ++k)
    if (row[k] < 0 || row[k] >= height) [[unlikely]]
      fail<ValueError>(op, "the gradient for ", of, " ", i, " must be for rows that there are: row ", row[k], " of ", shape);
}

namespace detail {

namespace {

/// Where look-ups are many: by a table of all rows.
RowPlaces by_table(const std::vector<Tensor>& indices, std::int64_t looks, std::int64_t height) {
  const Tensor table = zeros({height}, DType::i64), place = empty({looks}, DType::i64);
  auto* const place_of = kernels::data_of<std::int64_t>(table);
  std::int64_t count = 0;
  for (const Tensor& index : indices)
    for (std::int64_t k = 0; k < index.numel(); ++k) {
      std::int64_t& seen = place_of[kernels::data_of<std::int64_t>(index)[k]];
      count += 1 - seen;
      seen = 1;
    }
  const Tensor rows = empty({count}, DType::i64);
  auto* next = kernels::data_of<std::int64_t>(rows);
  for (std::int64_t row = 0; row < height; ++row)
    if (place_of[row] != 0) {
      place_of[row] = next - kernels::data_of<std::int64_t>(rows);
      *next++ = row;
    }
  auto* to = kernels::data_of<std::int64_t>(place);
  for (const Tensor& index : indices)
    for (std::int64_t k = 0; k < index.numel(); ++k) *to++ = place_of[kernels::data_of<std::int64_t>(index)[k]];
  return {rows, place};
}

template <class Int>
struct Look {
  Int row, k;
};

template <class Int>
RowPlaces by_sort(const std::vector<Tensor>& indices, std::int64_t n, std::int64_t height) {
  const Tensor memory = empty({2 * n * static_cast<std::int64_t>(sizeof(Look<Int>) / 8)}, DType::i64);
  auto* const looks = static_cast<Look<Int>*>(memory.header()->data);
  std::int64_t k = 0;
  bool ascends = true;
  for (const Tensor& index : indices)
    for (const auto *row = kernels::data_of<std::int64_t>(index), *end = row + index.numel(); row != end; ++row, ++k) {
      looks[k] = {static_cast<Int>(*row), static_cast<Int>(k)};
      ascends = ascends && (k == 0 || looks[k - 1].row <= looks[k].row);
    }
  const Look<Int>* const all = ascends ? looks : sorted_by_rows(looks, looks + n, n, height);
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < n; ++i) count += i == 0 || all[i].row != all[i - 1].row;
  const Tensor rows = empty({count}, DType::i64), place = empty({n}, DType::i64);
  auto *const row = kernels::data_of<std::int64_t>(rows), *const to = kernels::data_of<std::int64_t>(place);
  std::int64_t at = -1;
  for (std::int64_t i = 0; i < n; ++i) {
    at += i == 0 || all[i].row != all[i - 1].row;
    row[at] = static_cast<std::int64_t>(all[i].row);
    to[all[i].k] = at;
  }
  return {rows, place};
}

/// Whether nobody else holds the memory, and the rows ascend.
bool is_joined(const RowSparse& part) {
  for (const Header* h : {part.rows.header(), part.values.header()})
    if (h->owner || __atomic_load_n(&h->refs, __ATOMIC_ACQUIRE) > 1) return false;
  const auto* row = kernels::data_of<std::int64_t>(part.rows);
  bool ascends = true;
  for (std::int64_t k = 1; k < part.rows.numel(); ++k) ascends &= row[k - 1] < row[k];
  return ascends;
}

}  // namespace

RowPlaces places_of(const std::vector<Tensor>& indices, std::int64_t height) {
  std::int64_t looks = 0;
  for (const Tensor& index : indices) looks += index.numel();
  if (looks > height / 4) return by_table(indices, looks, height);
  if (std::max(height, looks) <= std::numeric_limits<std::uint32_t>::max()) return by_sort<std::uint32_t>(indices, looks, height);
  return by_sort<std::uint64_t>(indices, looks, height);
}

bool few_rows(const Tensor& index, std::int64_t height) {
  const std::int64_t most = height / 4, n = index.numel();
  if (n <= most) return true;
  const Tensor seen = zeros({height}, DType::boolean);
  auto* const is_seen = kernels::data_of<bool>(seen);
  const auto* row = kernels::data_of<std::int64_t>(index);
  std::int64_t count = 0;
  for (std::int64_t k = 0; k < n && count <= most; ++k) count += !std::exchange(is_seen[row[k]], true);
  return count <= most;
}

RowSums::RowSums(const Inputs& dx, const Tensor& index, DType dtype, bool by_rows) : place(index) {
  Shape shape = dx.shape(0);
  if (by_rows) {
    const RowPlaces found = places_of({index}, shape[0]);
    rows_ = found.rows;
    place = found.place.reshape(index.shape());
    shape = shape.with(0, rows_.numel());
  }
  sums = zeros(shape, dtype);
}

void RowSums::add_to(Inputs& dx) const { rows_.defined() ? dx.add_rows(0, rows_, sums) : dx.add(0, sums); }

RowSparse joined(std::vector<RowSparse> parts) {
  if (parts.size() == 1 && is_joined(parts.front())) {
    kernels::binary_in_place("gradients", kernels::Binary::add, parts.front().values, 0);  // -0 becomes 0, as in a sum
    parts.front().rows.header()->flags |= kReadOnly;
    return std::move(parts.front());
  }
  const Shape& shape = parts.front().shape;
  std::vector<Tensor> indices;
  for (const RowSparse& part : parts) indices.push_back(part.rows);
  const RowPlaces found = places_of(indices, shape[0]);
  RowSparse sum{found.rows, zeros(shape.with(0, found.rows.numel()), parts.front().values.dtype()), shape};
  sum.rows.header()->flags |= kReadOnly;  // clones share them
  kernels::dispatch(sum.values, [&]<class T>(T*) {
    const auto* place = kernels::data_of<std::int64_t>(found.place);
    for (const RowSparse& part : parts) {
      const std::int64_t n = part.rows.numel();
      if (n > 0)
        kernels::table<T>().add_rows(kernels::data_of<T>(part.values), place, kernels::data_of<T>(sum.values), n, part.values.numel() / n);
      place += n;
    }
  });
  return sum;
}

}  // namespace detail

}  // namespace capstan
