#pragma once
#include <capstan/autograd/csr_matrix.h>
#include <capstan/data/batches.h>

namespace capstan::data {

/// Examples with few features each, and what is to be predicted for them: row i of y belongs to row i of x.
///
///     for (auto [x, y] : data::Batches(SparseDataset{x, y}, {.batch_size = 256, .shuffle = true}))
///       optimizer.step(...);
struct SparseDataset {
  CsrMatrix x;
  Tensor y;

  /// The number of rows. Throws:
  ///   - ShapeError when y has no axis or another number of rows than x;
  ///   - ValueError when one is undefined.
  std::int64_t size() const;
};

template <>
struct BatchSource<SparseDataset> {
  static SparseDataset keep(const SparseDataset& source);
  static std::int64_t rows(const SparseDataset& source);
  static SparseDataset slice(const SparseDataset& source, std::int64_t begin, std::int64_t end);
  static SparseDataset gather(const SparseDataset& source, const std::int64_t* index, std::int64_t count);
  /// "csr [2, 9] i64 [3] 8a3b09c1 i64 [4] 21f0d6e5 f32 [4] 00c1d2e3, i64 [2] 5b1f2a77": the shape, then crow, col and values.
  static std::string fingerprint(const SparseDataset& source);
  static std::uint64_t version(const SparseDataset& source);
};

}  // namespace capstan::data
