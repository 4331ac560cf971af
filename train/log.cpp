#include <capstan/train/log.h>

#include <capstan/core/file.h>
#include <capstan/core/state_reader.h>
#include <capstan/core/text.h>
#include <capstan/data/file.h>
#include <capstan/train/csv.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>

namespace capstan {

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

/// How many bytes of a file rows of these columns can be put behind: all its whole lines, or 0 when there is none. Refuses another file.
std::int64_t whole_lines(const std::string& path, const std::string& header) {
  struct stat info;
  if (::stat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) return 0;
    fail<IoError>("CsvLog", "the file must be readable: ", path, ": ", capstan::detail::reason(errno));
  }
  if (!S_ISREG(info.st_mode)) return 0;  // a device or a pipe
  data::FileReader file("CsvLog", path);
  const std::size_t looked_at = std::max<std::size_t>(header.size(), 1000);  // an error tells the first line
  std::string begin;
  std::int64_t whole = 0, at = 0;
  for (std::string_view piece = file.next(); !piece.empty(); piece = file.next()) {
    begin += piece.substr(0, looked_at - begin.size());
    if (const std::size_t end = piece.rfind('\n'); end != std::string_view::npos) whole = at + static_cast<std::int64_t>(end) + 1;
    at += std::ssize(piece);
  }
  if (begin.size() < header.size() && header.starts_with(begin)) return 0;
  if (!begin.starts_with(header))
    fail<FormatError>("CsvLog", "the header must be that of the rows to come: \"", begin.substr(0, begin.find('\n')), "\", wanted \"",
                      header.substr(0, header.size() - 1), "\", ", path, ":1 (log to another file)");
  return whole;
}

}  // namespace

CsvLog::CsvLog(const std::string& path, const std::vector<std::string>& columns, CsvOptions options)
    : columns_((check(path, columns), columns.size())) {
  for (const std::string& name : columns) {
    detail::append_name(line_, name);
    line_ += ',';
  }
  line_.back() = '\n';
  header_ = line_;
  if (options.append && options.overwrite) fail<ValueError>("CsvLog", "overwrite and append cannot both be: ", path);
  const std::int64_t goes_on_behind = options.append ? whole_lines(path, line_) : 0;
  using Existing = NewFile::Existing;
  auto file = std::make_unique<NewFile>("CsvLog", path,
                                        options.overwrite ? Existing::replaced
                                        : options.append  ? Existing::kept
                                                          : Existing::refused,
                                        // A log that has no header after a loss of power would have to be mended by hand.
                                        goes_on_behind > 0 ? NewFile::Lasts::kills : NewFile::Lasts::power_cuts);
  if (goes_on_behind < file->size()) file->cut(goes_on_behind);
  if (goes_on_behind == 0) file->write(line_);
  file->publish(NewFile::Then::go_on);
  file_ = file.release();
}

CsvLog::~CsvLog() { delete file_; }

void CsvLog::row(const double* values, std::size_t count) {
  require_file();
  if (count != columns_)
    fail<ValueError>("CsvLog", "a row needs one value per column: ", count, " values for ", columns_, " columns of ", file_->path());
  line_.clear();
  for (std::size_t i = 0; i < count; ++i) {
    detail::append_number(line_, values[i]);
    line_ += ',';
  }
  line_.back() = '\n';
  file_->write(line_);
  cut_.clear();
}

void CsvLog::require_file() const {
  if (!file_) fail<ValueError>("CsvLog", "this log was moved to another object (write rows to that one)");
}

void CsvLog::sync() {
  require_file();
  file_->sync();
}

TensorMap CsvLog::state() const {
  require_file();
  return {{"length", detail::count(file_->size())}, {"header", detail::text_tensor(header_)}};
}

void CsvLog::load_state(const TensorMap& state) {
  require_file();
  detail::StateReader reader(state);
  const std::int64_t length = reader.read_count("length");
  const std::string header = reader.read_text("header");
  reader.require_fit("CsvLog", "the state does not fit:");
  if (header != header_)
    fail<ValueError>("CsvLog", "the columns must be those of the saved log: \"", header_.substr(0, header_.size() - 1), "\", saved \"",
                     header.substr(0, header.find('\n')), "\"");
  if (file_->direct()) return;
  const std::int64_t size = file_->size();
  if (const std::int64_t more = length - size; more > 0 && more <= std::ssize(cut_)) {  // what was cut comes back
    file_->write(std::string_view(cut_).substr(0, static_cast<std::size_t>(more)));
    cut_.erase(0, static_cast<std::size_t>(more));
    return;
  }
  const std::string& path = file_->path();
  const std::string begin = file_->read(0, std::ssize(header));
  if (begin != header)
    fail<FormatError>("CsvLog", "the file must begin with the header of the saved log: ", path, " begins with \"",
                      begin.substr(0, begin.find('\n')), "\", wanted \"", header.substr(0, header.size() - 1), "\" (log to another file)");
  if (size < length)
    fail<FormatError>("CsvLog", "the file must be as long as when it was saved, or longer: ", path, " has ", size, " bytes, saved ", length,
                      " (open it with {.append = true})");
  if (length < std::ssize(header) || file_->read(length - 1, 1) != "\n")
    fail<FormatError>("CsvLog", "the saved length must be the end of a line: byte ", length, " of ", path,
                      " is inside of one (log to another file)");
  std::string cut = file_->read(length, size - length) + cut_;
  file_->cut(length);
  cut_.swap(cut);
}

}  // namespace capstan
