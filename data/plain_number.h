#pragma once
#include <bit>
#include <cstdint>
#include <type_traits>

// Private: decimal numbers of few digits, faster than std::from_chars and rounded as it rounds.
namespace capstan::data {

/// Powers of ten that a double holds exactly.
inline constexpr double exact_tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,
                                        1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19};

/// Reads a number [-]digits[.digits] and returns where it ends; null when that is for std::from_chars. Something that is no digit must
/// stand behind the text.
///
/// An integer below 2^53 is divided by a power of ten. Both are exact in f64, so that the quotient is the nearest number (Clinger, PLDI
/// 1990). Rounded once more to f32 it still is, unless it lies halfway between two of them. It is 0 or at least 1e-19.
template <class T>
inline const char* plain_number(const char* p, T& x) noexcept {
  const auto digit = [](char c) { return static_cast<unsigned>(c) - '0'; };
  const bool negative = *p == '-';
  p += negative;
  std::uint64_t m = 0;
  const char* const begin = p;
  for (unsigned d; (d = digit(*p)) < 10; ++p) m = 10 * m + d;
  auto digits = p - begin, fraction = std::ptrdiff_t{0};
  if (*p == '.') {
    const char* const behind = ++p;
    for (unsigned d; (d = digit(*p)) < 10; ++p) m = 10 * m + d;
    fraction = p - behind;
    digits += fraction;
  }
  if (digits == 0 || digits > 19 || m >= std::uint64_t{1} << 53 || (*p | 0x20) == 'e') [[unlikely]]
    return nullptr;
  double v = static_cast<double>(m) / exact_tens[fraction];
  if constexpr (std::is_same_v<T, float>) {
    constexpr std::uint64_t below = (std::uint64_t{1} << 29) - 1;
    const bool halfway = (std::bit_cast<std::uint64_t>(v) & below) == (below + 1) / 2;
    if (halfway) [[unlikely]]
      return nullptr;
  }
  x = static_cast<T>(negative ? -v : v);
  return p;
}

}  // namespace capstan::data
