#pragma once
#include <initializer_list>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace capstan::detail {
class NewFile;
}

namespace capstan {

struct CsvOptions {
  bool overwrite = false;  // replace a file of that name
  bool append = false;     // go on with a file of that name, or begin it
};

/// The log of a run: a CSV file with one header row and one row of numbers per call.
///
///   CsvLog log("run.csv", {"epoch", "loss"});
///   log.row(epoch, loss);
///
/// Each row reaches the operating system before row() returns, in one piece: a run that is killed leaves complete lines.
/// Numbers are the shortest that read back to the same double; `nan`, `inf` and `-inf` stand for themselves. Moves, never copies.
class CsvLog {
 public:
  /// Creates the file and writes the header; names with a comma, quote or line break are quoted (RFC 4180). With `overwrite` the old
  /// file is replaced only once the new one has its header. With `append` rows go behind those of an earlier run.
  /// Throws:
  ///   - ValueError for no columns, for an empty or repeated name, and for both options at once;
  ///   - IoError when the file exists and neither option is set, or cannot be written;
  ///   - FormatError, with `append`, unless the file begins with the same header and ends with a whole line: it stays as it is.
  CsvLog(const std::string& path, const std::vector<std::string>& columns, CsvOptions options = {});
  CsvLog(CsvLog&& other) noexcept : columns_(other.columns_), file_(std::exchange(other.file_, nullptr)) {}
  CsvLog& operator=(CsvLog&& other) noexcept {
    CsvLog taken(std::move(other));
    std::swap(columns_, taken.columns_);
    std::swap(file_, taken.file_);
    return *this;
  }
  ~CsvLog();

  /// Writes a row. Nothing of it is kept when this throws:
  ///   - ValueError unless there is one value per column, and for a log that was moved from;
  ///   - IoError when the write fails.
  void row(const std::vector<double>& values) { row(values.data(), values.size()); }
  void row(std::initializer_list<double> values) { row(values.begin(), values.size()); }
  template <class... Number>
  requires(sizeof...(Number) > 0 && (std::is_arithmetic_v<Number> && ...)) void row(Number... values) {
    row({static_cast<double>(values)...});
  }

 private:
  void row(const double* values, std::size_t count);

  std::size_t columns_;
  capstan::detail::NewFile* file_;
  std::string line_;
};

}  // namespace capstan
