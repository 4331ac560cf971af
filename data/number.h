#pragma once
#include <algorithm>
#include <cstdint>
#include <string_view>

// Private: what reading decimal numbers needs beside std::from_chars.
namespace capstan::data {

inline bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// Reads a short number without an exponent, five times as fast as std::from_chars and with the same result: digits and
/// power of ten are exact in T, so that their one quotient is the nearest value (Clinger, PLDI 1990). Returns its end, or
/// null for any other text.
template <class T>
const char* short_number(const char* p, const char* end, T& value) noexcept {
  constexpr bool single = sizeof(T) == 4;
  constexpr int max_fraction = single ? 10 : 22;
  constexpr T powers[] = {T(1e0),  T(1e1),  T(1e2),  T(1e3),  T(1e4),  T(1e5),  T(1e6),  T(1e7),  T(1e8),  T(1e9),  T(1e10), T(1e11),
                          T(1e12), T(1e13), T(1e14), T(1e15), T(1e16), T(1e17), T(1e18), T(1e19), T(1e20), T(1e21), T(1e22)};
  const bool negative = p != end && *p == '-';
  p += negative;
  const char* first = p;
  std::uint64_t digits = 0;  // wraps for more than 19 digits, which are refused below
  while (p != end && is_digit(*p)) digits = digits * 10 + static_cast<std::uint64_t>(*p++ - '0');
  std::int64_t length = p - first, fraction = 0;
  if (p != end && *p == '.') {
    const char* point = ++p;
    while (p != end && is_digit(*p)) digits = digits * 10 + static_cast<std::uint64_t>(*p++ - '0');
    fraction = p - point;
    length += fraction;
  }
  if (length == 0 || length > 19 || fraction > max_fraction || digits > (std::uint64_t{1} << (single ? 24 : 53))) return nullptr;
  if (p != end && (*p == 'e' || *p == 'E')) return nullptr;
  value = static_cast<T>(digits) / powers[fraction];
  if (negative) value = -value;
  return p;
}

/// Whether a decimal number that is not 0 is below 1: tells whether one out of range is too small or too large.
inline bool is_below_one(std::string_view number) noexcept {
  std::int64_t point = 0, exponent = 0;  // the number is 0.d1 d2 d3 ... * 10^(point + exponent) with d1 > 0
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
    if (is_digit(number[i])) exponent = std::min(exponent * 10 + (number[i] - '0'), std::int64_t{1} << 50);
  return point + (negative ? -exponent : exponent) <= 0;
}

}  // namespace capstan::data
