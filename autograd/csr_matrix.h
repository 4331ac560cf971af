#pragma once
#include <capstan/core/shape.h>
#include <capstan/core/tensor.h>

#include <vector>

namespace capstan {

/// A matrix of which few elements are not 0, row by row ("compressed sparse row", PyTorch's and SciPy's words). Row i holds values[k] in
/// column col[k], for k from crow[i] up to but without crow[i + 1]:
///
///     // 5 0 0
///     // 0 0 0
///     // 1 0 2
///     CsrMatrix x(tensor({0, 1, 1, 3}, DType::i64), tensor({0, 0, 2}, DType::i64), tensor({5, 1, 2}), {3, 3});
///     Tensor y = matmul(x, w);
///
/// Like a Tensor it is a handle: a copy names the same elements. A default-constructed one has no tensors, no rows and no columns. The
/// values may want a gradient; what the other two hold is for nobody to change.
class CsrMatrix {
 public:
  CsrMatrix() noexcept = default;
  /// Keeps handles of crow [rows + 1], col [n], both i64, and values [n], f32 or f64. Throws, naming the first row that is wrong:
  ///   - ShapeError unless the shape has two axes and the three tensors have one, with as many elements as said;
  ///   - ValueError for other dtypes;
  ///   - ValueError unless crow begins with 0, never descends and ends with n;
  ///   - ValueError unless the columns of a row ascend, each once, inside [0, columns);
  ///   - ValueError for a value that is not finite.
  CsrMatrix(const Tensor& crow, const Tensor& col, const Tensor& values, const Shape& shape);

  std::int64_t rows() const noexcept { return rows_; }
  std::int64_t columns() const noexcept { return columns_; }
  /// The number of values, stored zeros among them.
  std::int64_t nnz() const noexcept { return col_.defined() ? col_.header()->numel : 0; }
  Shape shape() const { return {rows_, columns_}; }
  const Tensor& crow() const noexcept { return crow_; }
  const Tensor& col() const noexcept { return col_; }
  const Tensor& values() const noexcept { return values_; }

  /// Rows [begin, end); col and values are views of this one's. Recorded. Throws ShapeError for a bad range.
  CsrMatrix rows(std::int64_t begin, std::int64_t end) const;
  /// Row index[0], index[1], ... in fresh memory, for an i64 index [n]; any order, with repetitions. Recorded. Throws:
  ///   - ValueError for another dtype, and naming the first index outside [0, rows);
  ///   - ShapeError for other axes.
  CsrMatrix select(const Tensor& index) const;
  /// The same places with other values [n]. Throws as the constructor does, without naming a row.
  CsrMatrix with_values(const Tensor& values) const;
  /// All elements, [rows, columns]. Recorded.
  Tensor to_dense() const;

  /// For Capstan's own rooms: without a check.
  static CsrMatrix known(Tensor crow, Tensor col, Tensor values, std::int64_t rows, std::int64_t columns) noexcept;

 private:
  Tensor crow_, col_, values_;
  std::int64_t rows_ = 0, columns_ = 0;
};

/// Makes a CsrMatrix row by row. Within a row columns come in any order, and values of one column are added up:
///
///     CsrBuilder builder(1 << 20);
///     for (const Document& d : documents) {
///       for (const Word& w : d) builder.add(w.column, 1);
///       builder.end_row();
///     }
///     const CsrMatrix x = builder.take();
class CsrBuilder {
 public:
  /// Throws ValueError for columns < 0 and for a dtype that is not f32 or f64.
  explicit CsrBuilder(std::int64_t columns, DType dtype = DType::f32);

  /// An element of the row under way. Throws ValueError, and adds nothing, for a column outside [0, columns) and a value that the dtype
  /// does not hold as a finite number.
  void add(std::int64_t column, double value) {
    if (static_cast<std::uint64_t>(column) >= static_cast<std::uint64_t>(columns_) || !(value <= most_ && value >= -most_)) [[unlikely]]
      refuse(column, value);
    ascends_ = ascends_ && column > last_;
    last_ = column;
    elements_.push_back({column, value});
  }
  /// Ends the row under way, which may be empty. Throws ValueError when the values of a column add up to more than the dtype holds; the
  /// row is then still under way.
  void end_row();

  std::int64_t columns() const noexcept { return columns_; }
  /// The number of rows that have ended.
  std::int64_t rows() const noexcept { return static_cast<std::int64_t>(crow_.size()) - 1; }
  /// Those rows; the builder then begins anew. Throws ValueError when a row is under way.
  CsrMatrix take();

 private:
  struct Element {
    std::int64_t column;
    double value;
  };
  [[noreturn, gnu::cold]] void refuse(std::int64_t column, double value) const;
  void join_row();

  std::int64_t columns_, last_ = -1;
  DType dtype_;
  double most_;
  bool ascends_ = true;
  std::vector<std::int64_t> crow_ = {0};
  std::vector<Element> elements_;
};

}  // namespace capstan
