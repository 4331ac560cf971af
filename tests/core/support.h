#pragma once
#include <capstan/core/create.h>
#include <capstan/core/error.h>
#include <capstan/core/tensor.h>

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

/// What `body` throws, as "Kind: text"; "nothing" when it throws nothing.
template <class Body>
std::string thrown(Body body) {
  try {
    body();
  } catch (const capstan::ShapeError& e) {
    return std::string("ShapeError: ") + e.what();
  } catch (const capstan::ValueError& e) {
    return std::string("ValueError: ") + e.what();
  }
  return "nothing";
}

using Values = std::vector<double>;

/// The elements as doubles, row-major.
inline Values values(const capstan::Tensor& t) {
  const capstan::Tensor wide = t.to(capstan::DType::f64);
  return {wide.data<double>(), wide.data<double>() + wide.numel()};
}

/// Shape, dtype and every bit.
inline bool same_bits(const capstan::Tensor& a, const capstan::Tensor& b) {
  return a.shape() == b.shape() && a.dtype() == b.dtype() &&
         std::memcmp(a.header()->data, b.header()->data, static_cast<std::size_t>(a.numel()) * size_of(a.dtype())) == 0;
}

constexpr capstan::DType all_dtypes[] = {capstan::DType::f32, capstan::DType::f64, capstan::DType::i64, capstan::DType::boolean};

/// A stream of numbers that does not depend on the library: SplitMix64 (Steele, Lea & Flood, OOPSLA 2014).
class Numbers {
 public:
  explicit Numbers(std::uint64_t seed) : state_(seed) {}
  std::uint64_t bits() {
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }
  /// In [low, high).
  double real(double low, double high) { return low + (high - low) * (static_cast<double>(bits() >> 11) * 0x1p-53); }
  /// In [low, high].
  std::int64_t whole(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(bits() % static_cast<std::uint64_t>(high - low + 1));
  }

 private:
  std::uint64_t state_;
};
