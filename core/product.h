#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>

// Private: products whose parts may leave the range of a type that holds the whole.
namespace capstan::kernels {

/// mantissa 2^exponent: the factors' product with the roundings of a plain one, without overflow on the way.
template <class T>
struct Product {
  T mantissa = 1;
  std::int64_t exponent = 0;

  Product& operator*=(T x) {
    mantissa = part(mantissa * part(x));
    return *this;
  }
  Product& operator*=(const Product& p) {
    *this *= p.mantissa;
    exponent += p.exponent;
    return *this;
  }
  /// The product times x.
  T value(T x = 1) const {
    Product p = *this;
    p *= x;
    constexpr std::int64_t far = 1 << 20;
    return std::ldexp(p.mantissa, static_cast<int>(std::clamp(p.exponent, -far, far)));
  }

 private:
  /// x without its power of two, which goes to the exponent.
  T part(T x) {
    if (!std::isfinite(x)) return x;
    int e = 0;
    const T m = std::frexp(x, &e);
    exponent += e;
    return m;
  }
};

}  // namespace capstan::kernels
