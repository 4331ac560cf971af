#include <capstan/core/text.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <system_error>

// How error texts and numbers are written, in the same way whatever the program's locale.

namespace capstan::detail {

namespace {

constexpr int most_decimals = 40;

/// With \xNN for control characters but tabs and line ends: a file's or a caller's text must not steer the terminal that shows it, nor end
/// the message.
std::string printable(const std::string& text) {
  constexpr std::string_view hex = "0123456789abcdef";
  std::string s;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte >= 0x20 && byte != 0x7f) || c == '\t' || c == '\n')
      s += c;
    else
      s.append("\\x").append({hex[byte >> 4], hex[byte & 15]});
  }
  return s;
}

/// A NaN's sign says nothing.
template <class... How>
std::string digits(double v, How... how) {
  char buffer[400];  // the largest double has 309 digits before its point
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, std::isnan(v) ? std::abs(v) : v, how...).ptr};
}

}  // namespace

std::string text(double v) { return digits(v); }
std::string fixed(double v, int decimals) { return digits(v, std::chars_format::fixed, std::min(decimals, most_decimals)); }
std::string scientific(double v, int decimals) { return digits(v, std::chars_format::scientific, std::min(decimals, most_decimals)); }
std::string general(double v, int digits_shown) { return digits(v, std::chars_format::general, std::min(digits_shown, most_decimals)); }

std::string left(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

std::string right(std::string text, std::size_t width) {
  text.insert(0, width - std::min(width, text.size()), ' ');
  return text;
}

std::string reason(int error) {
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 32)
  if (const char* words = ::strerrordesc_np(error)) return words;
#endif
  return std::generic_category().message(error);
}

void Piece::append_to(std::string& s) const {
  switch (kind_) {
    case Kind::word: s += static_cast<const char*>(pointer_); return;
    case Kind::view: s += *static_cast<const std::string_view*>(pointer_); return;
    case Kind::string: s += *static_cast<const std::string*>(pointer_); return;
    case Kind::integer: s += std::to_string(integer_); return;
    case Kind::count: s += std::to_string(count_); return;
    case Kind::number: s += text(number_); return;
    case Kind::shape: s += to_string(*static_cast<const Shape*>(pointer_)); return;
  }
}

std::string join_pieces(std::initializer_list<Piece> pieces) {
  std::string s;
  for (const Piece& piece : pieces) piece.append_to(s);
  return s;
}

template <class Kind>
void fail_with(const char* op, std::initializer_list<Piece> pieces) {
  throw Kind(printable(join("[", op, "] ", join_pieces(pieces))));
}

template void fail_with<ShapeError>(const char*, std::initializer_list<Piece>);
template void fail_with<ValueError>(const char*, std::initializer_list<Piece>);
template void fail_with<NotFiniteError>(const char*, std::initializer_list<Piece>);
template void fail_with<IoError>(const char*, std::initializer_list<Piece>);
template void fail_with<FormatError>(const char*, std::initializer_list<Piece>);

std::size_t utf8_size(std::string_view s) noexcept {
  const auto byte = [&](std::size_t i) { return i < s.size() ? static_cast<unsigned char>(s[i]) : 0u; };
  const unsigned first = byte(0), second = byte(1);
  const std::size_t size = s.empty() ? 0 : first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  for (std::size_t i = 1; i < size; ++i)
    if ((byte(i) & 0xc0) != 0x80) return 0;
  if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second >= 0xa0)) return 0;  // too long, half of a pair
  return (first == 0xf0 && second < 0x90) || (first == 0xf4 && second >= 0x90) ? 0 : size;
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  const auto small = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 2) + 1;
  for (const std::string& candidate : candidates) {
    std::vector<std::size_t> row(candidate.size() + 1);  // Levenshtein, one row at a time
    for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
    for (std::size_t i = 0; i < word.size(); ++i) {
      std::size_t diagonal = row[0];
      row[0] = i + 1;
      for (std::size_t j = 0; j < candidate.size(); ++j) {
        const std::size_t substituted = diagonal + (small(word[i]) != small(candidate[j]));
        diagonal = row[j + 1];
        row[j + 1] = std::min({substituted, row[j + 1] + 1, row[j] + 1});
      }
    }
    if (row.back() < best_distance) {
      best_distance = row.back();
      best = candidate;
    }
  }
  return best;
}

bool matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = std::string_view::npos, after = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      after = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {  // let the last star swallow one more character
      p = star + 1;
      t = ++after;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

}  // namespace capstan::detail
