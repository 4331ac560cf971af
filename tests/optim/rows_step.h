#pragma once
#include <capstan/optim/make.h>

#include <array>
#include <functional>
#include <limits>
#include <memory>
#include <random>

#include "support.h"

// What tests of steps along row-sparse gradients share.

namespace rows_step {

using namespace capstan;

using Making = std::function<std::unique_ptr<optim::Optimizer>(const Parameters&)>;

struct Case {
  std::string name;
  Making make;
};

/// A few rows, with what numbers can be in them: now and then 0, -0, the smallest and the largest.
inline RowSparse draw(std::mt19937_64& bits, const Shape& shape, DType dtype, bool extremes) {
  const std::int64_t n = static_cast<std::int64_t>(bits() % 6);
  const Tensor rows = empty({n}, DType::i64), values = empty(shape.with(0, n), DType::f64);
  for (std::int64_t k = 0; k < n; ++k)  // the last of them goes on where the first was
    rows.data<std::int64_t>()[k] = static_cast<std::int64_t>(bits() % (k % 2 == 0 ? 4 : 64)) % shape[0];
  const double most = dtype == DType::f32 ? std::numeric_limits<float>::max() : std::numeric_limits<double>::max();
  for (std::int64_t i = 0; i < values.numel(); ++i) {
    const double x = static_cast<double>(bits() >> 11) * 0x1p-52 - 1;
    values.data<double>()[i] = x;
    if (extremes && bits() % 4 == 0) values.data<double>()[i] = std::array{0.0, -0.0, 1e-40, most, -1e20}[bits() % 5];
  }
  return {rows, values.to(dtype), shape};
}

inline Tensor start(const Shape& shape, DType dtype) {
  const Tensor w = wobbles(shape, 3, DType::f64);
  for (std::int64_t i = 0; i < w.numel(); i += 5) w.data<double>()[i] = i % 2 == 0 ? -0.0 : 0.0;
  return w.to(dtype);
}

inline std::string moves_alone(const optim::Optimizer& o) {
  return o.explain().find("its rows alone") != std::string::npos ? "" : o.explain();
}

}  // namespace rows_step
