#include <capstan/data/sparse_dataset.h>

#include <capstan/core/create.h>
#include <capstan/core/pool.h>
#include <capstan/core/text.h>
#include <capstan/data/gather.h>

#include <cstring>

// Rows of a CsrMatrix with their targets, in batches.

namespace capstan::data {

using capstan::detail::fail;
using capstan::detail::join;

namespace {

std::int64_t rows_of_both(const char* op, const SparseDataset& source) {
  const Tensor& y = source.y;
  (void)source.x.crow().header();  // refuses what is undefined
  if (y.dim() == 0 || y.size(0) != source.x.rows())
    fail<ShapeError>(op, "x and y must have as many rows: x ", source.x.shape(), ", y ", y.shape());
  return y.size(0);
}

}  // namespace

std::int64_t SparseDataset::size() const { return rows_of_both("SparseDataset", *this); }

SparseDataset BatchSource<SparseDataset>::keep(const SparseDataset& source) {
  const CsrMatrix& x = source.x;
  return {CsrMatrix::known(x.crow(), x.col(), x.values().detach(), x.rows(), x.columns()), source.y.detach()};
}

std::int64_t BatchSource<SparseDataset>::rows(const SparseDataset& source) {
  const std::int64_t rows = rows_of_both("Batches", source);
  if (rows == 0) fail<ShapeError>("Batches", "x and y must not be empty: x ", source.x.shape(), ", y ", source.y.shape());
  return rows;
}

SparseDataset BatchSource<SparseDataset>::slice(const SparseDataset& source, std::int64_t begin, std::int64_t end) {
  return {source.x.rows(begin, end), Tensor::adopt(capstan::detail::new_row_view(source.y.header(), begin, end))};
}

SparseDataset BatchSource<SparseDataset>::gather(const SparseDataset& source, const std::int64_t* index, std::int64_t count) {
  const Tensor rows = empty({count}, DType::i64);
  std::memcpy(rows.data<std::int64_t>(), index, static_cast<std::size_t>(count) * sizeof(std::int64_t));
  return {source.x.select(rows), gather_rows(source.y, index, count)};
}

std::string BatchSource<SparseDataset>::fingerprint(const SparseDataset& source) {
  const CsrMatrix& x = source.x;
  return join("csr ", x.shape(), " ", fingerprint_of(x.crow()), " ", fingerprint_of(x.col()), " ", fingerprint_of(x.values()), ", ",
              fingerprint_of(source.y));
}

std::uint64_t BatchSource<SparseDataset>::version(const SparseDataset& source) {
  const CsrMatrix& x = source.x;
  return std::uint64_t{x.crow().version()} + x.col().version() + x.values().version() + source.y.version();
}

}  // namespace capstan::data
