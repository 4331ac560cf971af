#pragma once
#include <capstan/core/tensor.h>

// Rows of a table, one by one or in bags. Indices are i64, may repeat and count from 0; one outside the table is a ValueError that names
// it and its place. The gradient for a table that is a parameter stays by rows (Gradients::is_sparse) when at most a quarter of its rows
// is looked up. What comes to one row is added in the order of the look-ups. What holds for all operations: autograd/ops.h.
namespace capstan {

struct LookUpOptions {
  std::int64_t padding_idx = -1;  ///< This row of the table gets no gradient; -1: none.
  bool sparse = false;            ///< Keeps the gradient by rows, however many are looked up.
};

/// What becomes of a bag's rows. Of equal largest ones the first gets max's gradient.
enum class BagMode { sum, mean, max };

struct BagOptions {
  BagMode mode = BagMode::sum;     ///< PyTorch's default is mean.
  Tensor per_sample_weights = {};  ///< A factor for each look-up, of the index's shape; for BagMode::sum alone.
  std::int64_t padding_idx = -1;   ///< Look-ups of this row are left out, of mean's count too; -1: none.
  bool sparse = false;             ///< Keeps the gradient by rows, however many are looked up.
};

/// y[..., :] = table[index[...], :] for an index of any shape and a table [rows, size] of any dtype. d table = the sum of dy over the
/// places where a row was taken. Throws:
///   - ShapeError unless the table has two axes;
///   - ValueError for another index than i64, for one outside the table, and unless padding_idx is a row of the table or -1.
Tensor embedding(const Tensor& index, const Tensor& table, const LookUpOptions& options = {});

/// For each bag of look-ups, the sum, mean or largest elements of their rows: index [n], table [rows, size] -> [bags, size]. Bag b is the
/// look-ups from offsets[b] to before offsets[b + 1], or to the end. A bag of none is 0. No row is copied on the way.
///
///     const Tensor words = tensor({4, 1, 1, 7}, DType::i64), texts = tensor({0, 3}, DType::i64);
///     Tensor y = embedding_bag(words, table, texts, {.mode = BagMode::mean});  // of rows 4, 1, 1 and of row 7
///
/// With weights, y[b, :] = the sum of v[k] table[index[k], :]; dv[k] = the sum over j of dy[b, j] table[index[k], j]. Throws:
///   - ShapeError for another number of axes, and unless per_sample_weights have the index's shape;
///   - ValueError as embedding(), unless the offsets are i64, begin at 0, never descend and end at n or before, and for weights in
///     another mode than sum.
Tensor embedding_bag(const Tensor& index, const Tensor& table, const Tensor& offsets, const BagOptions& options = {});
/// The same for bags of one length: index [bags, n].
Tensor embedding_bag(const Tensor& index, const Tensor& table, const BagOptions& options = {});

}  // namespace capstan
