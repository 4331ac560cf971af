#pragma once
#include <capstan/core/tensor_map.h>

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
  /// file is replaced only once the new one has its header. With `append` rows go behind those of an earlier run. Half a line at the
  /// end of that, which a loss of power leaves, is cut off.
  /// Throws:
  ///   - ValueError for no columns, for an empty or repeated name, and for both options at once;
  ///   - IoError when the file exists and neither option is set, or cannot be written;
  ///   - FormatError, with `append`, unless the file begins with the same header: it stays as it is.
  CsvLog(const std::string& path, const std::vector<std::string>& columns, CsvOptions options = {});
  CsvLog(CsvLog&& other) noexcept
      : columns_(other.columns_),
        file_(std::exchange(other.file_, nullptr)),
        header_(std::move(other.header_)),
        cut_(std::move(other.cut_)) {}
  CsvLog& operator=(CsvLog&& other) noexcept {
    CsvLog taken(std::move(other));
    std::swap(columns_, taken.columns_);
    std::swap(file_, taken.file_);
    header_.swap(taken.header_);
    cut_.swap(taken.cut_);
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

  /// Brings the rows so far to the disk. Throws IoError when that fails.
  void sync();

  /// How long the file is: "length" (i64, bytes), and "header" (i64, the bytes of the first line). A Checkpoint saves it, so that a run
  /// that is resumed goes on without a repeated or missing row. Open the log with {.append = true} then. Throws ValueError for a log
  /// that was moved from.
  TensorMap state() const;
  /// Cuts the file back to that length. What was cut comes back when the state of before is loaded before the next row. A log that is
  /// no regular file, such as a pipe, stays as it is. Throws, and changes nothing then:
  ///   - ValueError listing every mismatch (missing, unexpected, shape, dtype), for a log with other columns, and for one that was
  ///     moved from;
  ///   - FormatError when the file is shorter, no longer begins with the header, or has no end of a line there;
  ///   - IoError when it cannot be read or cut.
  void load_state(const TensorMap& state);

 private:
  void row(const double* values, std::size_t count);
  void require_file() const;

  std::size_t columns_;
  capstan::detail::NewFile* file_;
  std::string line_, header_;
  std::string cut_;  // off the end, by load_state()
};

}  // namespace capstan
