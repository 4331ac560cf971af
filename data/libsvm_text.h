#pragma once
#include <capstan/data/byte_source.h>
#include <capstan/data/libsvm.h>

#include <cstring>
#include <memory>
#include <vector>

// Private: LIBSVM's text, line by line and row by row.
namespace capstan::data {

/// What a Libsvm opened, with options of which nothing is open any more.
struct LibsvmFile {
  LibsvmFile(const char* op, const std::string& path, const LibsvmOptions& given) : file(op, path), options(given) {}
  RegularFile file;
  LibsvmOptions options;
};

/// Throws ValueError naming `op` for options that cannot be.
void check_options(const char* op, const LibsvmOptions& options);

/// The labels of rows as a tensor: i64 for classes, else of the values' dtype.
Tensor label_tensor(const std::vector<double>& labels, const LibsvmOptions& options);

/// The lines of a file, inflated when it is compressed. A line's text lies in memory until the next one is asked for.
class Lines {
 public:
  /// Throws FormatError for a file of another known kind.
  Lines(const char* op, const RegularFile& file);

  /// The next line; null at the end. Behind its last byte is always a '\n' that may be read.
  const char* next();
  /// The number of the line given last, from 1.
  std::int64_t number() const noexcept { return number_; }
  const std::string& path() const noexcept { return file_.path(); }

 private:
  bool fill(std::size_t begun);

  const char* op_;
  const RegularFile& file_;
  std::unique_ptr<ByteSource> bytes_;
  std::unique_ptr<char[]> buffer_;
  std::size_t room_, begin_ = 0, end_ = 0;  // what was read and not yet given
  std::int64_t number_ = 0;
  bool ended_ = false;
};

/// The rows of a file, one at a time. T is float or double.
template <class T>
class LibsvmRows {
 public:
  LibsvmRows(const char* op, const RegularFile& file, const LibsvmOptions& options);

  /// Reads the next row; false at the end. Throws FormatError.
  bool next();
  /// The row that was read: what the options make of its label, its qid, and its features; the columns begin with base().
  double label = 0;
  std::int64_t query = 0;
  bool has_query = false;
  std::size_t size = 0;
  std::unique_ptr<std::int64_t[]> index;
  std::unique_ptr<T[]> values;

  /// The index of the first column, as far as is known, and the largest index so far; -1 before any.
  std::int64_t base() const noexcept { return base_ >= 0 ? base_ : zero_seen_ ? 0 : 1; }
  std::int64_t largest() const noexcept { return largest_; }
  /// How many rows were read, and which line the last one was.
  std::int64_t rows() const noexcept { return rows_; }
  std::int64_t line() const noexcept { return lines_.number(); }
  /// Refuses a file without rows.
  void require_rows() const;

 private:
  const char* take_label(const char* p);
  const char* take_query(const char* p);
  const char* take_index(const char* field, std::int64_t last, std::int64_t& i);
  template <class Number>
  const char* number(const char* field, const char* p, Number& value, const char* what) const;
  template <class Number>
  [[gnu::noinline]] const char* unusual_number(const char* field, const char* p, Number& value, const char* what) const;
  void take_end(const char* p) const;
  void grow(std::size_t filled);
  std::string too_large() const;
  std::string place(const char* at) const;
  std::string_view field_at(const char* p) const;
  void check_text(const char* field) const;
  [[noreturn, gnu::cold, gnu::noinline]] void refuse(const char* rule, const char* field, const char* hint = "") const;

  const char* op_;
  Lines lines_;
  const char* line_ = nullptr;
  Labels labels_;
  std::int64_t base_, least_, most_;  // indices in [least_, most_] need no second look
  std::int64_t largest_ = -1, rows_ = 0;
  std::size_t room_ = 0;
  bool zero_seen_ = false;
  std::string edge_;  // the first index that only base 1 allows
};

extern template class LibsvmRows<float>;
extern template class LibsvmRows<double>;

/// The rows of one pass in the order in which they are handed out. They are drawn among `buffer` rows that are held, by numbers of the
/// generator. When none are held it is the file's order.
class LibsvmStream {
 public:
  static std::unique_ptr<LibsvmStream> make(const std::shared_ptr<const LibsvmFile>& file, std::int64_t buffer, const Generator& order);
  virtual ~LibsvmStream() = default;
  /// The next rows, fewer where the file ends.
  virtual SparseDataset batch(std::int64_t rows) = 0;
  /// Reads over them; returns how many there were.
  virtual std::int64_t skip(std::int64_t rows) = 0;
};

}  // namespace capstan::data
