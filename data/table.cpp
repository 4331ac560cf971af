#include <capstan/data/table.h>

#include <capstan/core/create.h>
#include <capstan/core/text.h>
#include <capstan/data/file.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <system_error>

namespace capstan::data {

using detail::fail;

namespace {

using std::int64_t;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\r'; }

std::string hex(char c) {
  constexpr char digits[] = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  return {digits[byte >> 4], digits[byte & 15]};
}

// As it may stand in an error text: short, printable, in quotes.
std::string quoted(std::string_view field) {
  constexpr std::size_t longest = 40;
  std::string s = "'";
  for (const char c : field.substr(0, longest)) s += c >= ' ' && c <= '~' ? std::string(1, c) : "\\x" + hex(c);
  return s + (field.size() > longest ? "...'" : "'");
}

const char* delimiter_name(char delimiter) {
  return delimiter == ' '    ? "blanks"
         : delimiter == '\t' ? "a tab"
         : delimiter == ','  ? "a comma"
         : delimiter == ';'  ? "a semicolon"
                             : nullptr;
}

// Whether a decimal number that is not 0 is below 1: tells whether one out of range is too small or too large.
bool is_below_one(std::string_view number) {
  int64_t point = 0, exponent = 0;  // the number is 0.d1 d2 d3 ... * 10^(point + exponent) with d1 > 0
  bool significant = false, fraction = false;
  std::size_t i = 0;
  for (; i < number.size() && number[i] != 'e' && number[i] != 'E'; ++i) {
    if (number[i] == '.') fraction = true;
    if (!is_digit(number[i])) continue;
    significant = significant || number[i] != '0';
    if (significant && !fraction) ++point;
    if (!significant && fraction) --point;
  }
  const bool negative = i + 1 < number.size() && number[i + 1] == '-';
  for (; i < number.size(); ++i)
    if (is_digit(number[i])) exponent = std::min(exponent * 10 + (number[i] - '0'), int64_t{1} << 50);
  return point + (negative ? -exponent : exponent) <= 0;
}

class Parser {
 public:
  Parser(const char* op, std::string_view text, const TableOptions& options, const std::string& source)
      : op_(op), rest_(text), options_(options), source_(source), delimiter_(options.delimiter) {
    const char d = delimiter_;
    const bool punctuation = d > ' ' && d <= '~' && !is_letter(d) && !is_digit(d) && !std::strchr("+-.\"", d);
    if (d != '\0' && d != ' ' && d != '\t' && !punctuation)
      fail<ValueError>(op, "a delimiter must be a blank, a tab or punctuation that no number holds: ", quoted({&d, 1}));
    if (!is_floating(options.dtype)) fail<ValueError>(op, "the dtype must be f32 or f64: ", options.dtype, " (convert with to())");
    if (options.names && !options.header) fail<ValueError>(op, "names come from a header: .header = false");
  }

  Tensor parse() {
    if (rest_.starts_with("\xff\xfe") || rest_.starts_with("\xfe\xff"))
      fail<FormatError>(op_, "a table must be ASCII or UTF-8: ", source_, " starts with a UTF-16 byte-order mark");
    if (rest_.starts_with("\xef\xbb\xbf")) rest_.remove_prefix(3);
    while (rest_.ends_with('\n')) rest_.remove_suffix(rest_.ends_with("\r\n") ? 2 : 1);
    if (rest_.empty()) fail<FormatError>(op_, "a table must have rows: ", source_, " is empty");

    const std::string_view header = options_.header ? next_line() : std::string_view();
    if (options_.header) check_not_empty(header);
    if (rest_.empty()) fail<FormatError>(op_, "a table must have rows: ", source_, " has a header and nothing below it");
    const std::string_view rows = rest_, first = next_line();
    if (!delimiter_) {
      delimiter_ = ' ';
      for (const char d : {',', ';', '\t'})
        if (first.find(d) != std::string_view::npos) delimiter_ = d;
    }
    columns_ = count_fields(first);
    check_not_empty(first);
    rest_ = rows;
    --line_;
    std::vector<std::string> names;
    if (options_.header) names = parse_header(header);
    Tensor table = options_.dtype == DType::f32 ? parse_rows<float>() : parse_rows<double>();
    if (options_.names) *options_.names = std::move(names);
    return table;
  }

 private:
  bool is_blank(char c) const { return c == ' ' || (c == '\t' && delimiter_ != '\t'); }
  const char* skip_blanks(const char* p, const char* end) const {
    while (p != end && is_blank(*p)) ++p;
    return p;
  }

  std::string_view next_line() {
    const auto* end = static_cast<const char*>(std::memchr(rest_.data(), '\n', rest_.size()));
    std::string_view line = end ? rest_.substr(0, static_cast<std::size_t>(end - rest_.data())) : rest_;
    rest_.remove_prefix(line.size() + (end ? 1 : 0));
    if (end && line.ends_with('\r')) line.remove_suffix(1);
    ++line_;
    return line;
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

  std::string place(int64_t column) const { return detail::cat(source_, ", line ", line_, ", column ", column); }

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
      hint = detail::cat(" (the delimiter is ", name, "; set .delimiter for another)");
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
    check_not_empty(line);
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

  template <class T>
  Tensor parse_rows() {
    const int64_t bytes = static_cast<int64_t>(rest_.size()), lines = 1 + std::count(rest_.begin(), rest_.end(), '\n');
    // A row takes two bytes a field or more. So a file cannot ask for more memory than this, and one with too many lines
    // fails before it has filled what it gets.
    const int64_t rows = std::min(lines, bytes / (2 * columns_) + 1);
    Tensor table = empty({rows, columns_}, options_.dtype);
    for (T* out = table.data<T>(); !rest_.empty(); out += columns_) parse_row(next_line(), out);
    return table;
  }

  std::vector<std::string> parse_header(std::string_view line) const {
    std::vector<std::string> names;
    const char* end = line.data() + line.size();
    check_header(line);
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
          fail<FormatError>(op_, "a quoted name must end with its quote: ", place(static_cast<int64_t>(names.size()) + 1));
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
  std::string_view rest_;
  const TableOptions& options_;
  const std::string& source_;
  char delimiter_;
  int64_t line_ = 0, columns_ = 0;
};

}  // namespace

Tensor parse_table(std::string_view text, const TableOptions& options, const std::string& source) {
  return Parser("parse_table", text, options, source).parse();
}

Tensor read_table(const std::string& path, const TableOptions& options) {
  Parser("read_table", "", options, path);  // wrong options are refused before a large file is read
  const Bytes bytes = read_file("read_table", path);
  return Parser("read_table", bytes.view(), options, path).parse();
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
