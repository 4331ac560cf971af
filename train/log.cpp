#include <capstan/core/file.h>
#include <capstan/core/text.h>
#include <capstan/train/csv.h>
#include <capstan/train/log.h>

#include <memory>

namespace capstan::train {

using capstan::detail::fail;
using capstan::detail::NewFile;

namespace {

void check(const std::string& path, const std::vector<std::string>& columns) {
  if (columns.empty())
    fail<ValueError>("CsvLog", "a log needs at least one column: none was given for ", path, " (name them, as {\"epoch\", \"loss\"})");
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].empty()) fail<ValueError>("CsvLog", "every column needs a name: column ", i, " of ", path, " has none");
    for (std::size_t j = 0; j < i; ++j)
      if (columns[i] == columns[j])
        fail<ValueError>("CsvLog", "column names must differ: columns ", j, " and ", i, " of ", path, " are both \"", columns[i], "\"");
  }
}

}  // namespace

CsvLog::CsvLog(const std::string& path, const std::vector<std::string>& columns, CsvOptions options)
    : columns_((check(path, columns), columns.size())) {
  for (const std::string& name : columns) {
    detail::append_name(line_, name);
    line_ += ',';
  }
  line_.back() = '\n';
  auto file = std::make_unique<NewFile>("CsvLog", path, options.overwrite ? NewFile::Existing::replaced : NewFile::Existing::refused);
  file->write(line_);
  file->publish(NewFile::Then::go_on);
  file_ = file.release();
}

CsvLog::~CsvLog() { delete file_; }

void CsvLog::row(const double* values, std::size_t count) {
  if (!file_) fail<ValueError>("CsvLog", "this log was moved to another object (write rows to that one)");
  if (count != columns_)
    fail<ValueError>("CsvLog", "a row needs one value per column: ", count, " values for ", columns_, " columns of ", file_->path());
  line_.clear();
  for (std::size_t i = 0; i < count; ++i) {
    detail::append_number(line_, values[i]);
    line_ += ',';
  }
  line_.back() = '\n';
  file_->write(line_);
}

}  // namespace capstan::train
