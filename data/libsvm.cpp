#include <capstan/data/libsvm.h>

#include <capstan/core/create.h>
#include <capstan/core/file.h>
#include <capstan/core/text.h>
#include <capstan/data/libsvm_text.h>
#include <capstan/data/table_parts.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <new>
#include <span>

// A file of LIBSVM's text as a whole: its rows in blocks until their number is known, and back into text.

namespace capstan::data {

using capstan::detail::fail;

namespace {

constexpr std::int64_t most_elements = std::int64_t{1} << 48;

template <class T>
SparseDataset read_rows(const char* op, const RegularFile& file, const LibsvmOptions& options) {
  LibsvmRows<T> rows(op, file, options);
  std::vector<std::int64_t> crow{0}, query;
  std::vector<double> labels;
  Blocks<std::int64_t> col;
  Blocks<T> values;
  while (rows.next()) {
    std::copy_n(rows.index.get(), rows.size, col.more(rows.size));
    std::copy_n(rows.values.get(), rows.size, values.more(rows.size));
    crow.push_back(crow.back() + static_cast<std::int64_t>(rows.size));
    labels.push_back(rows.label);
    if (!options.query_id) continue;
    if (!rows.has_query)
      fail<FormatError>(op, "every row must have a qid where they are wanted: ", file.path(), ", line ", rows.line(), " has none");
    query.push_back(rows.query);
  }
  rows.require_rows();
  const std::int64_t base = rows.base(), n = crow.back(), count = rows.rows();
  const std::int64_t columns = options.features > 0 ? options.features : rows.largest() + 1 - (rows.largest() >= 0 ? base : 0);
  if (columns > 0 && count > most_elements / columns)
    fail<FormatError>(op, "a matrix must have at most 2^48 elements: ", file.path(), " has ", count, " rows and ", columns, " columns");
  const Tensor index = empty({n}, DType::i64), numbers = empty({n}, options.dtype);
  col.move_to(index.data<std::int64_t>());
  values.move_to(numbers.data<T>());
  if (base != 0)
    for (std::int64_t& i : std::span(index.data<std::int64_t>(), static_cast<std::size_t>(n))) i -= base;
  if (options.query_id) *options.query_id = tensor(query);
  return {CsrMatrix::known(tensor(crow), index, numbers, count, columns), label_tensor(labels, options)};
}

/// Text that goes into a file piece by piece.
class TextFile {
 public:
  TextFile(const char* op, const std::string& path) : file_(op, path, capstan::detail::NewFile::Existing::replaced) {}
  void text(std::string_view s) { text_ += s; }
  template <class Number>
  void number(Number x) {
    char digits[32];
    text_.append(digits, std::to_chars(digits, digits + sizeof digits, x).ptr);
  }
  void end_line() {
    text_ += '\n';
    if (text_.size() >= std::size_t{1} << 18) flush();
  }
  void publish() {
    flush();
    file_.publish();
  }

 private:
  void flush() {
    file_.write(text_);
    text_.clear();
  }
  capstan::detail::NewFile file_;
  std::string text_;
};

template <class T>
T element(const Tensor& t, std::int64_t i) {
  return t.data<T>()[i];
}

void require_labels(const char* op, const Tensor& y, const LibsvmOptions& options) {
  const bool classes = options.labels == Labels::classes;
  if (y.dtype() == DType::boolean || (classes && y.dtype() != DType::i64))
    fail<ValueError>(op, classes ? "classes must be i64: y " : "labels must be f32, f64 or i64: y ", y.dtype());
  const Tensor wide = y.detach().to(DType::f64);
  for (std::int64_t i = 0; i < y.numel(); ++i) {
    const double label = wide.data<double>()[i];
    if (!std::isfinite(label)) fail<ValueError>(op, "a label must be finite: ", label, " in row ", i);
    if (options.labels == Labels::binary && label != 0 && label != 1)
      fail<ValueError>(op, "a label must be 0 or 1, which are written as -1 and +1: ", label, " in row ", i);
    if (y.dtype() == DType::i64 && std::abs(y.data<std::int64_t>()[i]) > std::int64_t{1} << 53)
      fail<ValueError>(op, "a label must be at most 2^53: ", y.data<std::int64_t>()[i], " in row ", i);
  }
}

template <class T>
void write_rows(TextFile& to, const SparseDataset& data, const LibsvmOptions& options) {
  const auto* crow = data.x.crow().data<std::int64_t>();
  const auto* col = data.x.col().data<std::int64_t>();
  const auto* values = data.x.values().data<T>();
  const Tensor y = options.labels == Labels::binary ? data.y.detach().to(DType::i64) : data.y;
  const std::int64_t base = options.base == 0 ? 0 : 1;
  for (std::int64_t r = 0; r < data.x.rows(); ++r) {
    if (options.labels == Labels::binary)
      to.text(element<std::int64_t>(y, r) == 1 ? "+1" : "-1");
    else if (y.dtype() == DType::f32)
      to.number(element<float>(y, r));
    else if (y.dtype() == DType::f64)
      to.number(element<double>(y, r));
    else
      to.number(element<std::int64_t>(y, r));
    if (options.query_id) {
      to.text(" qid:");
      to.number(element<std::int64_t>(*options.query_id, r));
    }
    for (std::int64_t k = crow[r]; k < crow[r + 1]; ++k) {
      to.text(" ");
      to.number(col[k] + base);
      to.text(":");
      to.number(values[k]);
    }
    to.end_line();
  }
}

}  // namespace

Tensor label_tensor(const std::vector<double>& labels, const LibsvmOptions& options) {
  const Tensor y = tensor(labels, DType::f64);
  return y.to(options.labels == Labels::classes ? DType::i64 : options.dtype);
}

SparseDataset read_libsvm(const std::string& path, const LibsvmOptions& options) {
  constexpr const char* op = "read_libsvm";
  check_options(op, options);
  const RegularFile file(op, path);
  try {
    return options.dtype == DType::f32 ? read_rows<float>(op, file, options) : read_rows<double>(op, file, options);
  } catch (const std::bad_alloc&) {
    throw NoRoomForFile(op, path);
  }
}

void write_libsvm(const std::string& path, const SparseDataset& data, const LibsvmOptions& options) {
  constexpr const char* op = "write_libsvm";
  check_options(op, options);
  const CsrMatrix& x = data.x;
  if (data.y.dim() != 1 || data.y.size(0) != x.rows())
    fail<ShapeError>(op, "y must have an element for each row: x ", x.shape(), ", y ", data.y.shape());
  if (x.rows() == 0) fail<ShapeError>(op, "a file must have rows: x ", x.shape());
  if (options.features != 0 && options.features != x.columns())
    fail<ValueError>(op, "features must be the number of columns: ", options.features, ", x ", x.shape());
  if (const Tensor* query = options.query_id; query && (query->dtype() != DType::i64 || query->shape() != data.y.shape()))
    fail<ShapeError>(op, "query ids must be i64, one for each row: ", query->dtype(), " ", query->shape(), ", x ", x.shape());
  require_labels(op, data.y, options);
  TextFile to(op, path);
  if (x.values().dtype() == DType::f32)
    write_rows<float>(to, data, options);
  else
    write_rows<double>(to, data, options);
  to.publish();
}

}  // namespace capstan::data
