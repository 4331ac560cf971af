#pragma once
#include <capstan/core/create.h>
#include <capstan/core/error.h>
#include <capstan/core/tensor.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "../common.h"

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
