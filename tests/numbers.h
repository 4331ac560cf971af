#pragma once
#include <capstan/core/create.h>

#include <cmath>

/// f64 numbers from [low, high) that are all different and not in order, by the multiples of the golden ratio; `stream`
/// gives others. `gap` keeps them that far from 0.
inline capstan::Tensor numbers(const capstan::Shape& shape, double low = -2, double high = 2, int stream = 0, double gap = 0) {
  capstan::Tensor t = capstan::empty(shape, capstan::DType::f64);
  for (std::int64_t i = 0; i < t.numel(); ++i) {
    const double turn = 0.6180339887498949 * static_cast<double>(i + 1) + 0.29 * stream;
    double v = low + (high - low) * (turn - std::floor(turn));
    if (std::abs(v) < gap) v += v < 0 ? -gap : gap;
    t.data<double>()[i] = v;
  }
  return t;
}
