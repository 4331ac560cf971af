#include <capstan/data/json.h>

#include <capstan/core/text.h>
#include <capstan/data/quoted.h>

#include <charconv>

// A strict reader of JSON's tokens, and the writer of its strings. Called by the reader and the writer of safetensors.

namespace capstan::data {

namespace {

void append_utf8(std::string& out, unsigned code) {
  const auto more = [&](unsigned shift) { out += static_cast<char>(0x80 | (code >> shift & 63)); };
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | code >> 6);
    more(0);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0 | code >> 12);
    more(6), more(0);
  } else {
    out += static_cast<char>(0xf0 | code >> 18);
    more(12), more(6), more(0);
  }
}

}  // namespace

void JsonReader::skip_blanks() noexcept {
  while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) ++at_;
}

std::uint64_t JsonReader::place() noexcept {
  skip_blanks();
  return first_ + at_;
}

/// What stands here, for an error text.
std::string JsonReader::found() const {
  if (at_ >= text_.size()) return "the end of the header";
  const char c = text_[at_];
  return c > ' ' && c <= '~' ? quoted({&c, 1}) : "byte 0x" + hex(c);
}

void JsonReader::fail(const char* rule, std::uint64_t place, const std::string& found) const {
  detail::fail<FormatError>(op_, rule, ": ", source_, ", byte ", std::size_t{place}, ": ", found);
}

bool JsonReader::take(char c) noexcept {
  skip_blanks();
  if (at_ >= text_.size() || text_[at_] != c) return false;
  ++at_;
  return true;
}

void JsonReader::expect(char c) {
  if (take(c)) return;
  const std::string rule = std::string("the header must have a '") + c + "' here";
  fail(rule.c_str());
}

std::string JsonReader::string() {
  expect('"');
  std::string out;
  for (;;) {
    if (at_ >= text_.size()) fail("a text must end in a quote");
    const char c = text_[at_];
    if (c == '"') break;
    if (c == '\\') {
      append_escape(out);
      continue;
    }
    const std::size_t size = detail::utf8_size(text_.substr(at_));
    if (size == 0) fail("the header must be UTF-8");
    if (static_cast<unsigned char>(c) < ' ') fail("a control character must be escaped");
    out.append(text_, at_, size);
    at_ += size;
  }
  ++at_;
  return out;
}

unsigned JsonReader::hex4() {
  unsigned code = 0;
  const std::string_view digits = text_.substr(at_, 4);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
  if (digits.size() != 4 || error != std::errc() || end != digits.data() + 4) fail("\\u must be followed by four hexadecimal digits");
  at_ += 4;
  return code;
}

void JsonReader::append_escape(std::string& out) {
  const std::uint64_t start = first_ + at_;
  ++at_;
  constexpr std::string_view escapes = "\"\\/bfnrt", meant = "\"\\/\b\f\n\r\t";
  const char c = at_ < text_.size() ? text_[at_] : '\0';
  if (const std::size_t k = escapes.find(c); c != '\0' && k != std::string_view::npos) {
    out += meant[k];
    ++at_;
    return;
  }
  if (c != 'u') fail("an escape must be one of JSON's: \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u");
  ++at_;
  unsigned code = hex4();
  if (code >= 0xd800 && code < 0xdc00 && text_.substr(at_, 2) == "\\u") {
    at_ += 2;
    const unsigned low = hex4();
    if (low >= 0xdc00 && low < 0xe000) code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
  }
  if (code >= 0xd800 && code < 0xe000) fail("surrogates must come in pairs", start, std::string(text_.substr(start - first_, 6)));
  append_utf8(out, code);
}

std::uint64_t JsonReader::whole() {
  const std::uint64_t start = place();
  std::uint64_t value = 0;
  const char* const begin = text_.data() + at_;
  const char* const last = text_.data() + text_.size();
  const auto [end, error] = std::from_chars(begin, last, value);
  const bool is_plain = end != begin && (*begin != '0' || end == begin + 1);
  const bool goes_on = end != last && (*end == '.' || *end == 'e' || *end == 'E');
  if (!is_plain || goes_on || error != std::errc()) {
    const char* stop = begin;
    while (stop != last && stop - begin < 24 &&
           ((*stop >= 'a' && *stop <= 'z') || std::string_view("0123456789+-.EN").find(*stop) != std::string_view::npos))
      ++stop;
    fail("a whole number of plain digits, at most 2^64 - 1, must stand here", start, stop == begin ? found() : std::string(begin, stop));
  }
  at_ += static_cast<std::size_t>(end - begin);
  return value;
}

void JsonReader::end() {
  while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  if (at_ != text_.size()) fail("the header must end after its object, but for spaces");
}

void append_json(std::string& out, std::string_view text) {
  constexpr std::string_view special = "\"\\\b\f\n\r\t", escapes = "\"\\bfnrt";
  out += '"';
  for (const char c : text) {
    if (const std::size_t k = special.find(c); k != std::string_view::npos) {
      out += '\\';
      out += escapes[k];
    } else if (static_cast<unsigned char>(c) < ' ') {
      out += "\\u00" + hex(c);
    } else {
      out += c;
    }
  }
  out += '"';
}

}  // namespace capstan::data
