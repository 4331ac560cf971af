#include <capstan/data/table.h>

#include <capstan/core/create.h>
#include <capstan/core/text.h>
#include <capstan/data/file.h>
#include <capstan/data/file_kind.h>
#include <capstan/data/quoted.h>
#include <capstan/data/table_parts.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <new>
#include <system_error>

// Reads a table of numbers. Pieces of text are cut into lines and these into fields as they come, so that a file that can be no table
// is refused at its first wrong byte. Line, column and field stand in every error.

namespace capstan::data {

using detail::fail;

namespace {

using std::int64_t;

/// Takes the text in pieces, and each line as soon as it is there, so that what cannot be a table is refused when it is read.
class Parser {
 public:
  Parser(const char* op, const TableOptions& options, const std::string& source)
      : op_(op), options_(options), source_(source), delimiter_(options.delimiter) {
    const char d = delimiter_;
    const bool punctuation = d > ' ' && d <= '~' && !is_letter(d) && !is_digit(d) && !std::strchr("+-.\"", d);
    if (d != '\0' && d != ' ' && d != '\t' && !punctuation)
      fail<ValueError>(op, "a delimiter must be a blank, a tab or punctuation that no number holds: ", quoted({&d, 1}));
    if (!is_floating(options.dtype)) fail<ValueError>(op, "the dtype must be f32 or f64: ", options.dtype, " (convert with to())");
    if (options.names && !options.header) fail<ValueError>(op, "names come from a header: .header = false");
  }

  void take(std::string_view bytes) {
    while (const void* found = bytes.empty() ? nullptr : std::memchr(bytes.data(), '\n', bytes.size())) {
      const auto size = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
      if (begun_.empty()) {
        take_line(bytes.substr(0, size), true);
      } else {
        begun_.append(bytes, 0, size);
        take_line(begun_, true);
        begun_.clear();
        looked_at_ = 0;
      }
      bytes.remove_prefix(size + 1);
    }
    begun_.append(bytes);
    look_at_begun_line();
  }

  Tensor finish() {
    if (!begun_.empty()) take_line(begun_, false);
    if (columns_ == 0)
      fail<FormatError>(op_, "a table must have rows: ", source_, has_header_ ? " has a header and nothing below it" : " is empty");
    Tensor table = options_.dtype == DType::f32 ? made_of(f32_) : made_of(f64_);
    if (options_.names) *options_.names = std::move(names_);
    return table;
  }

 private:
  /// One that may have no end: a byte that no table holds is not waited for.
  void look_at_begun_line() {
    constexpr std::size_t patience = std::size_t{1} << 20, shown = 64;
    const bool row = !options_.header || has_header_;
    const auto impossible = [&](char c) {
      return is_control(c) ||
             (row && begun_.size() > patience && !is_digit(c) && c != delimiter_ && !std::strchr("+-.eE\r\t ,;NnAaIiFfTtYy", c));
    };
    if (begun_.size() > patience && looked_at_ <= patience) looked_at_ = 0;
    const auto found = std::find_if(begun_.begin() + static_cast<std::ptrdiff_t>(looked_at_), begun_.end(), impossible);
    looked_at_ = begun_.size();
    if (found == begun_.end()) return;
    begun_.resize(std::min(begun_.size(), static_cast<std::size_t>(found - begun_.begin()) + shown));
    take_line(begun_, false);
  }

  void take_line(std::string_view line, bool ended) {
    if (++line_ == 1) {
      if (line.starts_with("\xff\xfe") || line.starts_with("\xfe\xff"))
        fail<FormatError>(op_, "a table must be ASCII or UTF-8: ", source_, " starts with a UTF-16 byte-order mark");
      if (line.starts_with("\xef\xbb\xbf")) line.remove_prefix(3);
    }
    if (ended && line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) {  // allowed behind the table alone
      if (first_empty_ == 0) first_empty_ = line_;
      return;
    }
    if (first_empty_ != 0) line_ = first_empty_;
    check_not_empty(first_empty_ != 0 ? std::string_view() : line);
    if (options_.header && !has_header_) {
      check_header(line);
      header_ = line;
      has_header_ = true;
      return;
    }
    const bool first = columns_ == 0;
    if (first) {
      if (!delimiter_) {
        delimiter_ = ' ';
        for (const char d : {',', ';', '\t'})
          if (line.find(d) != std::string_view::npos) delimiter_ = d;
      }
      columns_ = count_fields(line);
    }
    const auto count = static_cast<std::size_t>(columns_);
    if (options_.dtype == DType::f32)
      parse_row(line, f32_.more(count));
    else
      parse_row(line, f64_.more(count));
    if (first && options_.header) names_ = parse_header(header_);
  }

  template <class T>
  Tensor made_of(Blocks<T>& numbers) const {
    Tensor table = empty({static_cast<int64_t>(numbers.size()) / columns_, columns_}, options_.dtype);
    numbers.move_to(table.data<T>());
    return table;
  }

  bool is_blank(char c) const { return c == ' ' || (c == '\t' && delimiter_ != '\t'); }
  const char* skip_blanks(const char* p, const char* end) const {
    while (p != end && is_blank(*p)) ++p;
    return p;
  }

  int64_t count_fields(std::string_view line) const {
    if (delimiter_ != ' ') return 1 + std::count(line.begin(), line.end(), delimiter_);
    int64_t count = 0;
    for (std::size_t i = 0; i < line.size(); ++i) count += !is_blank(line[i]) && (i == 0 || is_blank(line[i - 1]));
    return count;
  }

  // From here on to the next delimiter, without the blanks before it.
  std::string_view field_at(const char* p, const char* end) const {
    const char* stop = std::find_if(p, end, [&](char c) { return c == delimiter_ || (delimiter_ == ' ' && is_blank(c)); });
    while (stop != p && is_blank(stop[-1])) --stop;
    return {p, static_cast<std::size_t>(stop - p)};
  }

  std::string place(int64_t column) const { return detail::join(source_, ", line ", line_, ", column ", column); }

  void check_text(std::string_view field, int64_t column) const {
    for (const char c : field)
      if (is_control(c)) fail<FormatError>(op_, "a table must be text: byte 0x", hex(c), " at ", place(column));
  }

  void check_header(std::string_view line) const {
    check_text(line, 1);
    if (line.find('\r') != std::string_view::npos)
      fail<FormatError>(op_, "lines must end with LF or CRLF: a CR stands within ", source_, ", line ", line_);
    for (std::size_t i = 0, size = 0; i < line.size(); i += size)
      if (size = detail::utf8_size(line.substr(i)); size == 0)
        fail<FormatError>(op_, "a table must be ASCII or UTF-8: byte 0x", hex(line[i]), " in ", source_, ", line ", line_);
  }

  void check_not_empty(std::string_view line) const {
    const char* end = line.data() + line.size();
    if (skip_blanks(line.data(), end) == end) fail<FormatError>(op_, "a line must not be empty: ", place(1));
  }

  [[noreturn, gnu::noinline, gnu::cold]] void not_a_number(std::string_view field, int64_t column) const {
    check_text(field, column);
    if (field.empty()) fail<FormatError>(op_, "a field must not be empty: ", place(column));
    std::string hint;
    if (field.find('\r') != std::string_view::npos)
      hint = " (lines must end with LF or CRLF)";
    else if (line_ == 1 && (is_letter(field[0]) || field[0] == '"' || field[0] == '_'))
      hint = " (a header? set .header = true)";
    else if (field.find('"') != std::string_view::npos)
      hint = " (numbers must not be quoted)";
    else if (const char* name = delimiter_name(delimiter_); name && field.find_first_of(" \t,;|:") != std::string_view::npos)
      hint = detail::join(" (the delimiter is ", name, "; set .delimiter for another)");
    fail<FormatError>(op_, "a field must be a number: ", quoted(field), " at ", place(column), hint);
  }

  [[noreturn, gnu::noinline, gnu::cold]] void ragged(std::string_view line) const {
    const int64_t count = count_fields(line);
    fail<FormatError>(op_, "every row must have as many fields as the first: ", count, " instead of ", columns_, " at ",
                      place(std::min(count, columns_) + 1));
  }

  // What std::from_chars does not take by itself, or what it takes and the options refuse.
  template <class T>
  [[gnu::noinline, gnu::cold]] const char* unusual_number(const char* p, const char* end, int64_t column, T& value) const {
    const std::string_view field = field_at(p, end);
    const char* stop = field.data() + field.size();
    const bool plus = field.size() > 1 && field[0] == '+' && field[1] != '-';
    const auto [q, error] = std::from_chars(p + plus, stop, value);
    const bool payload = field.find('(') != std::string_view::npos;  // as in nan(1)
    if (q != stop || error == std::errc::invalid_argument || payload) not_a_number(field, column);
    if (error == std::errc::result_out_of_range) {
      if (!is_below_one(field)) {
        double wide = 0;
        const bool fits_f64 = std::from_chars(p + plus, stop, wide).ec == std::errc();
        fail<FormatError>(op_, "a number must lie in the range of ", options_.dtype, ": ", quoted(field), " at ", place(column),
                          fits_f64 ? " (set .dtype = DType::f64)" : "");
      }
      value = field[0] == '-' ? -T(0) : T(0);
    }
    if (!std::isfinite(value) && !options_.allow_non_finite)
      fail<FormatError>(op_, "a number must be finite: ", quoted(field), " at ", place(column), " (.allow_non_finite = true accepts it)");
    return q;
  }

  template <class T>
  void parse_row(std::string_view line, T* out) const {
    const char *p = line.data(), *end = p + line.size();
    p = skip_blanks(p, end);
    for (int64_t column = 1;; ++column) {
      if (column > columns_) ragged(line);
      T value;
      auto [q, error] = std::from_chars(p, end, value);
      if (error != std::errc() || !std::isfinite(value)) [[unlikely]]
        q = unusual_number(p, end, column, value);
      out[column - 1] = value;
      const char* next = skip_blanks(q, end);
      if (next == end) {
        if (column != columns_) ragged(line);
        return;
      }
      if (delimiter_ == ' ' ? next == q : *next != delimiter_) not_a_number(field_at(p, end), column);
      p = delimiter_ == ' ' ? next : skip_blanks(next + 1, end);
    }
  }

  std::vector<std::string> parse_header(std::string_view line) const {
    std::vector<std::string> names;
    const char* end = line.data() + line.size();
    for (const char* p = line.data();;) {
      p = skip_blanks(p, end);
      if (p == end && delimiter_ == ' ') break;
      std::string name;
      if (p != end && *p == '"') {
        for (++p; p != end && (*p != '"' || (p + 1 != end && p[1] == '"')); ++p) {
          name += *p;
          if (*p == '"') ++p;
        }
        if (p == end || !field_at(++p, end).empty())
          fail<FormatError>(op_, "a quoted name must end with its quote: ", source_, ", line 1, column ", names.size() + 1);
      } else {
        name = field_at(p, end);
        p += name.size();
      }
      names.push_back(std::move(name));
      p = skip_blanks(p, end);
      if (p == end) break;
      if (delimiter_ != ' ') ++p;
    }
    if (static_cast<int64_t>(names.size()) != columns_)
      fail<FormatError>(op_, "the header must name every column: ", names.size(), " names for ", columns_, " columns in ", source_,
                        ", line 1");
    return names;
  }

  const char* op_;
  const TableOptions& options_;
  const std::string& source_;
  char delimiter_;
  int64_t line_ = 0, columns_ = 0, first_empty_ = 0;
  std::string begun_, header_;  // a line whose end was not there yet; the header, which waits for the first row's delimiter
  std::size_t looked_at_ = 0;
  bool has_header_ = false;
  std::vector<std::string> names_;
  Blocks<float> f32_;
  Blocks<double> f64_;
};

}  // namespace

Tensor parse_table(std::string_view text, const TableOptions& options, const std::string& source) {
  Parser parser("parse_table", options, source);
  parser.take(text);
  return parser.finish();
}

Tensor read_table(const std::string& path, const TableOptions& options) {
  constexpr const char* op = "read_table";
  Parser parser(op, options, path);
  std::string begin;
  try {
    FileReader file(op, path);
    for (std::string_view piece; !(piece = file.next()).empty();) {
      if (begin.size() < 64) begin += piece.substr(0, 64 - begin.size());
      parser.take(piece);
    }
    return parser.finish();
  } catch (const std::bad_alloc&) {
    throw NoRoomForFile(op, path);
  } catch (const FormatError&) {
    if (const std::string kind = other_kind(begin, "a table"); !kind.empty())
      fail<FormatError>(op, "a table in text is needed: ", path, " is ", kind);
    throw;
  }
}

Tensor columns(const Tensor& table, int64_t begin, int64_t end) {
  if (table.dim() != 2) fail<ShapeError>("columns", "a table must be [rows, columns]: ", table.shape());
  const int64_t rows = table.size(0), width = table.size(1);
  if (begin < 0 || begin >= end || end > width)
    fail<ShapeError>("columns", "0 <= begin < end <= ", width, " must hold: begin ", begin, ", end ", end, ", tensor ", table.shape());
  Tensor result = empty({rows, end - begin}, table.dtype());
  const std::size_t bytes = size_of(table.dtype()), from = static_cast<std::size_t>(width) * bytes,
                    to = static_cast<std::size_t>(end - begin) * bytes;
  const auto* source = static_cast<const char*>(table.header()->data) + static_cast<std::size_t>(begin) * bytes;
  auto* target = static_cast<char*>(result.header()->data);
  for (int64_t i = 0; i < rows; ++i, source += from, target += to) std::memcpy(target, source, to);
  return result;
}

}  // namespace capstan::data
