#include <capstan/data/libsvm_text.h>

#include <capstan/core/text.h>
#include <capstan/data/plain_number.h>
#include <capstan/data/quoted.h>
#include <capstan/data/table_parts.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <system_error>

// Reads rows of LIBSVM's text. What is as usual is read by digits in one loop; whatever is not goes to a function of its own, which takes
// it or finds out what to say. A line ends with '\n', so that no loop looks for the end of memory.

namespace capstan::data {

using capstan::detail::fail;

namespace {

constexpr std::int64_t largest_index = std::int64_t{1} << 48;

bool is_gap(char c) { return c == ' ' || c == '\t'; }
bool ends_field(char c) { return is_gap(c) || c == '\n' || c == '\r' || c == '#'; }
const char* behind_gap(const char* p) {
  while (is_gap(*p)) ++p;
  return p;
}

/// A number of at most 2^48 in digits alone; -1 for what is none.
std::int64_t whole(std::string_view digits) {
  std::int64_t n = 0;
  for (const char c : digits) {
    if (!is_digit(c)) return -1;
    n = std::min(10 * n + (c - '0'), largest_index + 1);
  }
  return digits.empty() ? -1 : n;
}

}  // namespace

void check_options(const char* op, const LibsvmOptions& options) {
  if (options.features < 0 || options.features > largest_index) fail<ValueError>(op, "features must lie in [0, 2^48]: ", options.features);
  if (options.base < -1 || options.base > 1) fail<ValueError>(op, "base must be 0, 1, or -1 for either: ", options.base);
  if (!is_floating(options.dtype)) fail<ValueError>(op, "the dtype must be f32 or f64: ", options.dtype);
}

template <class T>
LibsvmRows<T>::LibsvmRows(const char* op, const RegularFile& file, const LibsvmOptions& options)
    : op_(op),
      lines_(op, file),
      labels_(options.labels),
      base_(options.base),
      least_(options.base == 0 ? 0 : 1),
      most_(options.features == 0 ? largest_index : options.features - 1 + (options.base == 1)) {}

template <class T>
bool LibsvmRows<T>::next() {
  const char* p;
  do {
    line_ = lines_.next();
    if (!line_) return false;
    p = behind_gap(line_);
    if (ends_field(*p)) take_end(p);
  } while (ends_field(*p));
  p = behind_gap(take_label(p));
  has_query = *p == 'q';
  if (has_query) p = behind_gap(take_query(p));
  std::int64_t last = least_ - 1;
  const std::int64_t most = most_;
  std::int64_t* to_index = index.get();
  T* to_value = values.get();
  std::size_t n = 0, room = room_;
  size = 0;
  while (!ends_field(*p)) {
    const char* const field = p;
    std::uint64_t digits = 0;
    for (unsigned d; (d = static_cast<unsigned>(*p) - '0') < 10; ++p) digits = 10 * digits + d;
    auto i = static_cast<std::int64_t>(digits);
    if (*p != ':' || i <= last || i > most || static_cast<std::size_t>(p - field - 1) > 14) [[unlikely]] {
      size = n;
      p = take_index(field, last, i);
    }
    if (n == room) [[unlikely]] {
      grow(n);
      to_index = index.get();
      to_value = values.get();
      room = room_;
    }
    to_index[n] = last = i;
    const char* const behind = plain_number(++p, to_value[n]);
    p = behind && ends_field(*behind) ? behind : unusual_number(field, p, to_value[n], "a value");
    ++n;
    p = behind_gap(p);
  }
  size = n;
  take_end(p);
  if (size > 0) largest_ = std::max(largest_, last);
  ++rows_;
  return true;
}

template <class T>
const char* LibsvmRows<T>::take_label(const char* p) {
  if (labels_ == Labels::real) {
    T number_of_dtype;
    const char* const end = number(p, p, number_of_dtype, "a label");
    label = static_cast<double>(number_of_dtype);
    return end;
  }
  const char* const end = number(p, p, label, "a label");
  if (labels_ == Labels::binary) {
    if (label != 1 && label != -1) refuse("a label must be -1 or +1", p, label == 0 ? " (.labels = Labels::real takes 0 and 1)" : "");
    label = label > 0 ? 1 : 0;
  } else if (label != std::floor(label) || std::abs(label) > 0x1p53) {
    refuse("a class must be a whole number of at most 2^53", p);
  }
  return end;
}

template <class T>
const char* LibsvmRows<T>::take_query(const char* p) {
  const std::string_view field = field_at(p);
  if (!field.starts_with("qid:")) refuse("a feature must be index:value", p);
  const auto [end, error] = std::from_chars(field.data() + 4, field.data() + field.size(), query);
  if (error != std::errc() || end != field.data() + field.size()) refuse("a qid must be a whole number of 64 bits", p);
  return end;
}

/// An index that is not as usual, up to its colon.
template <class T>
const char* LibsvmRows<T>::take_index(const char* field, std::int64_t last, std::int64_t& i) {
  const std::string_view text = field_at(field);
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) refuse("a feature must be index:value", field);
  const std::string_view digits = text.substr(0, colon);
  if (digits == "qid") refuse("a qid must stand once, behind the label", field);
  if (digits.empty()) refuse("a feature must be index:value", field);
  i = whole(digits);
  if (i < 0)
    refuse(digits[0] == '-' && whole(digits.substr(1)) >= 0 ? "an index must not be negative" : "an index must have digits alone", field);
  if (i == 0 && base_ < 0 && size == 0) {
    zero_seen_ = true;
    least_ = 0;
    if (!edge_.empty())
      fail<FormatError>(op_, too_large(), ": ", edge_, ", where the index 0 of line ", lines_.number(), " makes 0 the base");
  } else if (i < least_) {
    refuse(base_ == 1 ? "an index must be 1 or more" : "the indices of a row must ascend, each once", field,
           base_ == 1 && i == 0 ? " (set .base = 0)" : "");
  } else if (i <= last) {
    refuse("the indices of a row must ascend, each once", field);
  } else if (base_ < 0 && !zero_seen_ && most_ < largest_index && i == most_ + 1) {
    if (edge_.empty()) edge_ = quoted(text) + " at " + place(field);
  } else if (i > most_) {
    refuse(too_large().c_str(), field);
  }
  return field + colon;
}

template <class T>
template <class Number>
const char* LibsvmRows<T>::number(const char* field, const char* p, Number& value, const char* what) const {
  const char* const end = plain_number(p, value);
  return end && ends_field(*end) ? end : unusual_number(field, p, value, what);
}

/// What is for std::from_chars, and what is no number.
template <class T>
template <class Number>
const char* LibsvmRows<T>::unusual_number(const char* field, const char* p, Number& value, const char* what) const {
  const std::string_view whole_field = field_at(field), text = field_at(p);
  const char* const end = text.data() + text.size();
  const bool plus = text.size() > 1 && text[0] == '+' && text[1] != '-';
  const auto [behind, error] = std::from_chars(p + plus, end, value);
  const auto rule = [what](const char* rest) { return std::string(what) + rest; };
  if (behind != end || error == std::errc::invalid_argument || text.find('(') != std::string_view::npos) {
    if (field == p && whole_field.find(':') != std::string_view::npos) refuse("a row must begin with its label", field);
    if (field == p && whole_field.find(',') != std::string_view::npos) refuse("a row must have one label", field);
    if (text.empty()) refuse("a feature must be index:value", field);
    refuse(rule(" must be a number").c_str(), field);
  }
  if (error == std::errc::result_out_of_range) {
    if (!is_below_one(text)) {
      double wide = 0;
      const bool fits_f64 = std::from_chars(p + plus, end, wide).ec == std::errc();
      refuse(rule(std::is_same_v<Number, float> ? " must lie in the range of f32" : " must lie in the range of f64").c_str(), field,
             fits_f64 ? " (set .dtype = DType::f64)" : "");
    }
    value = text[0] == '-' ? -Number(0) : Number(0);
  }
  if (!std::isfinite(value)) refuse(rule(" must be finite").c_str(), field);
  return end;
}

/// The end of a line, perhaps behind a comment.
template <class T>
void LibsvmRows<T>::take_end(const char* p) const {
  if (*p == '#')
    while (*p != '\n' && *p != '\r' && !is_control(*p)) ++p;
  if (*p == '\r' && p[1] != '\n') fail<FormatError>(op_, "lines must end with LF or CRLF: a CR at ", place(p));
  if (*p != '\n' && *p != '\r') check_text(p);
}

template <class T>
std::string LibsvmRows<T>::too_large() const {
  if (most_ == largest_index) return "an index must be at most 2^48";
  return capstan::detail::join("an index must be at most ", most_ + (base_ < 0 && !zero_seen_), ", the last of the features");
}

template <class T>
void LibsvmRows<T>::require_rows() const {
  if (rows_ == 0) fail<FormatError>(op_, "a file must have rows: ", lines_.path(), lines_.number() == 0 ? " is empty" : " has none");
}

template <class T>
void LibsvmRows<T>::grow(std::size_t filled) {
  room_ = std::max<std::size_t>(64, 2 * room_);
  auto more_index = std::make_unique_for_overwrite<std::int64_t[]>(room_);
  auto more_values = std::make_unique_for_overwrite<T[]>(room_);
  std::copy_n(index.get(), filled, more_index.get());
  std::copy_n(values.get(), filled, more_values.get());
  index = std::move(more_index);
  values = std::move(more_values);
}

template <class T>
std::string LibsvmRows<T>::place(const char* at) const {
  return capstan::detail::join(lines_.path(), ", line ", lines_.number(), ", column ", std::int64_t{at - line_ + 1});
}

/// From here on to the next blank, or to the line's end.
template <class T>
std::string_view LibsvmRows<T>::field_at(const char* p) const {
  const char* end = p;
  while (!ends_field(*end)) ++end;
  return {p, static_cast<std::size_t>(end - p)};
}

/// Refuses the first byte of a field that no such text holds.
template <class T>
void LibsvmRows<T>::check_text(const char* p) const {
  const std::string_view field = field_at(p);
  const auto found = std::find_if(field.begin(), field.end(), [](char c) { return c < ' ' || c > '~'; });  // a char may have a sign
  if (found == field.end()) return;
  const bool first = p == line_ && lines_.number() == 1;
  const bool mark = first && (field.starts_with("\xef\xbb\xbf") || field.starts_with("\xff\xfe") || field.starts_with("\xfe\xff"));
  fail<FormatError>(op_, "a text of LIBSVM's must be ASCII: byte 0x", hex(*found), " at ", place(&*found),
                    mark ? " (a byte-order mark: save the file without one)" : "");
}

template <class T>
void LibsvmRows<T>::refuse(const char* rule, const char* field, const char* hint) const {
  check_text(field);
  fail<FormatError>(op_, rule, ": ", quoted(field_at(field)), " at ", place(field), hint);
}

template class LibsvmRows<float>;
template class LibsvmRows<double>;

}  // namespace capstan::data
