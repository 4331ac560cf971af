#pragma once
#include <bit>
#include <cstdint>
#include <type_traits>

namespace capstan::optim {

namespace detail {
template <class T>
using BitsOf = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
template <class T>
inline constexpr BitsOf<T> exponent_bits = sizeof(T) == 4 ? static_cast<BitsOf<T>>(0x7f800000) : static_cast<BitsOf<T>>(0x7ff0000000000000);
}  // namespace detail

/// Whether x is neither infinite nor NaN, for the rules of optimizers. Looks at the bits, since under -ffast-math, or
/// -ffinite-math-only, a compiler takes std::isfinite(x) and x == x for true.
template <class T>
requires std::is_floating_point_v<T>
constexpr bool is_finite(T x) noexcept {
  static_assert(sizeof(T) == 4 || sizeof(T) == 8, "f32 or f64");
  return (std::bit_cast<detail::BitsOf<T>>(x) & detail::exponent_bits<T>) != detail::exponent_bits<T>;
}

/// `next` where it is finite, else `old`: what a state keeps when its next value would overflow.
template <class T>
requires std::is_floating_point_v<T>
constexpr T finite_or(T next, T old) noexcept { return is_finite(next) ? next : old; }

namespace detail {

/// All ones where x is finite, else 0; `compares`: whether the processor compares vectors of so many bits, which takes two
/// instructions less. The first x86-64 does not for 64 bits, and a loop of such comparisons would stay one of single numbers.
template <bool compares, class T>
constexpr BitsOf<T> finite_mask(T x) noexcept {
  using Bits = BitsOf<T>;
  if constexpr (compares) return static_cast<Bits>(Bits{0} - static_cast<Bits>(is_finite(x)));
  constexpr Bits one = exponent_bits<T> & (~exponent_bits<T> + 1);  // of the exponent: from all ones it runs over into the sign
  return static_cast<Bits>((((std::bit_cast<Bits>(x) & exponent_bits<T>)+one) >> (8 * sizeof(T) - 1)) - 1);
}

/// 0 where x is finite, else not: to be joined by | over an array. The difference is NaN then; a compiler that takes every number
/// for finite would take it for 0. A product with 0 would do too, but a denormal number makes some processors slow.
template <bool compares, class T>
constexpr BitsOf<T> trace_of_not_finite(T x) noexcept {
#if defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__
  return static_cast<BitsOf<T>>(~finite_mask<compares>(x));
#else
  return std::bit_cast<BitsOf<T>>(x - x);
#endif
}

/// `next` under a mask of ones, `old` under 0. A choice by `?:` of what is stored again may become a store under a mask.
template <class T>
constexpr T masked(BitsOf<T> mask, T next, T old) noexcept {
  using Bits = BitsOf<T>;
  return std::bit_cast<T>(static_cast<Bits>((std::bit_cast<Bits>(next) & mask) | (std::bit_cast<Bits>(old) & ~mask)));
}

}  // namespace detail

}  // namespace capstan::optim
