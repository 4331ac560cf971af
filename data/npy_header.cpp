#include <capstan/core/text.h>
#include <capstan/data/npy_format.h>
#include <capstan/data/quoted.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>

// The header of NumPy's arrays: a strict reader of the little of Python's literals that it is written in, and the writer. Called by
// read_npy(), read_npz() and those that write.

namespace capstan::data {

using capstan::detail::fail;

namespace {

struct Described {
  std::string_view name;
  Stored type;
};
constexpr Described described[] = {{"f2", Stored::f16}, {"f4", Stored::f32}, {"f8", Stored::f64}, {"i1", Stored::i8},
                                   {"i2", Stored::i16}, {"i4", Stored::i32}, {"i8", Stored::i64}, {"u1", Stored::u8},
                                   {"u2", Stored::u16}, {"u4", Stored::u32}, {"u8", Stored::u64}, {"b1", Stored::boolean}};

constexpr char native_order = std::endian::native == std::endian::little ? '<' : '>';

bool is_decimal_digit(char c) { return c >= '0' && c <= '9'; }

class DictParser {
 public:
  DictParser(const char* op, const std::string& source, std::string_view text, std::size_t first, bool has_long)
      : op_(op), source_(source), text_(text), first_(first), has_long_(has_long) {}

  NpyHeader parse() {
    constexpr std::array<std::string_view, 3> keys = {"descr", "fortran_order", "shape"};
    std::array<bool, 3> there{};
    expect('{');
    while (!take('}')) {
      const std::size_t place = next();
      const std::string_view key = string();
      const auto k = static_cast<std::size_t>(std::find(keys.begin(), keys.end(), key) - keys.begin());
      if (k == keys.size()) refuse("the header must have descr, fortran_order and shape and nothing else", place, quoted(key));
      if (there[k]) refuse("a key must come once", place, quoted(key) + " again");
      there[k] = true;
      expect(':');
      if (k == 0)
        parse_descr();
      else if (k == 1)
        header_.fortran_order = parse_bool();
      else
        parse_shape();
      if (take(',')) continue;
      expect('}');
      break;
    }
    for (std::size_t k = 0; k < keys.size(); ++k)
      if (!there[k]) fail<FormatError>(op_, "the header must have descr, fortran_order and shape: ", source_, " has no ", keys[k]);
    if (next() != text_.size()) refuse("the header must end after its literal, but for blanks", at_, found());
    return header_;
  }

 private:
  /// The place of what comes after blanks.
  std::size_t next() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) ++at_;
    return at_;
  }

  std::string found() const {
    if (at_ >= text_.size()) return "its end";
    const auto c = static_cast<unsigned char>(text_[at_]);
    if (c > ' ' && c < 0x7f) return std::string(1, text_[at_]);
    return "byte 0x" + hex(text_[at_]);
  }

  [[noreturn]] void refuse(const char* rule, std::size_t place, const std::string& what) const {
    fail<FormatError>(op_, rule, ": ", source_, ", byte ", first_ + place, ": ", what);
  }

  bool take(char c) {
    if (next() >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  void expect(char c) {
    if (take(c)) return;
    const std::string rule = std::string("the header must have ") + c + " here";
    refuse(rule.c_str(), at_, found());
  }

  /// In quotes of either kind; of printable ASCII, without escapes.
  std::string_view string() {
    const char quote = next() < text_.size() ? text_[at_] : '\0';
    if (quote != '\'' && quote != '"') refuse("a text in quotes must stand here", at_, found());
    const std::size_t begin = ++at_;
    while (at_ < text_.size() && text_[at_] != quote) {
      if (text_[at_] < ' ' || text_[at_] > '~' || text_[at_] == '\\')
        refuse("a text must be printable ASCII without escapes", at_, found());
      ++at_;
    }
    if (at_ == text_.size()) refuse("a text must end in its quote", at_, found());
    return text_.substr(begin, at_++ - begin);
  }

  [[noreturn]] void refuse_dtype(std::string_view shown) const {
    fail<FormatError>(op_, "the dtype must be one that a tensor here can hold: ", source_, " has ", shown,
                      " (f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 b1 are read, after < or >; f4 is float32)");
  }

  void parse_descr() {
    if (next() < text_.size() && (text_[at_] == '[' || text_[at_] == '(')) refuse_dtype("a dtype of several fields");
    const std::string_view descr = string();
    if (descr == "|O") refuse_dtype("'|O', Python's objects, which are pickled");
    const std::string_view name = descr.substr(std::min<std::size_t>(1, descr.size()));
    const auto* const type = std::find_if(std::begin(described), std::end(described), [&](const Described& t) { return t.name == name; });
    const char order = descr.empty() ? '\0' : descr[0];
    const bool known = type != std::end(described) && (order == '<' || order == '>' || (order == '|' && size_of(type->type) == 1));
    if (!known) refuse_dtype(quoted(descr));
    header_.type = type->type;
    header_.swapped = order != native_order && size_of(type->type) > 1;
  }

  bool parse_bool() {
    next();
    for (const std::string_view word : {"False", "True"})
      if (text_.substr(at_, word.size()) == word) {
        at_ += word.size();
        return word == "True";
      }
    refuse("fortran_order must be True or False", at_, found());
  }

  std::uint64_t whole() {
    const std::size_t begin = next();
    while (at_ < text_.size() && is_decimal_digit(text_[at_])) ++at_;
    const std::string_view digits = text_.substr(begin, at_ - begin);
    std::uint64_t value = 0;
    const bool fits = std::from_chars(digits.data(), digits.data() + digits.size(), value).ec == std::errc() && value >> 63 == 0;
    if (!fits || (digits.size() > 1 && digits[0] == '0')) {
      const std::string what = digits.empty() ? found() : shown(digits);
      refuse("a size must be plain digits, below 2^63", begin, what);
    }
    if (has_long_ && at_ < text_.size() && text_[at_] == 'L') ++at_;
    return value;
  }

  /// A tuple: (), (3,), (3, 4), (3, 4,).
  void parse_shape() {
    std::array<std::uint64_t, Shape::max_dim> sizes{};
    std::size_t axes = 0;
    bool comma = true;
    expect('(');
    while (!take(')')) {
      if (!comma) expect(')');
      const std::size_t place = next();
      const std::uint64_t size = whole();
      if (axes == sizes.size()) refuse("a tensor here has at most six axes", place, "one more");
      sizes[axes++] = size;
      comma = take(',');
    }
    if (axes == 1 && !comma) refuse("a shape must be a tuple", at_ - 1, "no comma, as in (3,)");
    std::uint64_t bytes = 0;
    if (!stored_bytes(sizes.data(), axes, Stored::u8, bytes))
      fail<FormatError>(op_, "a tensor must have at most 2^48 elements: ", source_, " has more");
    std::array<std::int64_t, Shape::max_dim> same{};
    for (std::size_t i = 0; i < axes; ++i) same[i] = static_cast<std::int64_t>(sizes[i]);
    header_.shape = Shape(same.data(), static_cast<int>(axes));
  }

  const char* op_;
  const std::string& source_;
  std::string_view text_;
  std::size_t first_, at_ = 0;
  bool has_long_;
  NpyHeader header_{};
};

}  // namespace

NpyHeader parse_npy_header(const char* op, const std::string& source, std::string_view literal, std::size_t first, int major) {
  return DictParser(op, source, literal, first, major < 3).parse();
}

std::string make_npy_header(const Tensor& tensor) {
  const auto* type = std::begin(described);
  while (!is_native(type->type) || dtype_of(type->type) != tensor.dtype()) ++type;
  std::string literal = std::string("{'descr': '") + (size_of(type->type) == 1 ? '|' : native_order) + std::string(type->name) +
                        "', 'fortran_order': False, 'shape': (";
  const Shape shape = tensor.shape();
  for (int i = 0; i < shape.dim(); ++i) literal += (i ? ", " : "") + std::to_string(shape[i]);
  literal += shape.dim() == 1 ? ",), }" : "), }";
  // Room for the first axis to grow to 21 digits, in place; then to a multiple of 64 with the ten bytes before and a line end.
  if (shape.dim() > 0) literal.append(21 - std::to_string(shape[0]).size(), ' ');
  literal.resize((literal.size() + 10 + 1 + 63) / 64 * 64 - 10 - 1, ' ');
  literal += '\n';
  std::string bytes(npy_magic);
  bytes += {'\1', '\0', static_cast<char>(literal.size() & 255), static_cast<char>(literal.size() >> 8)};
  return bytes + literal;
}

}  // namespace capstan::data
