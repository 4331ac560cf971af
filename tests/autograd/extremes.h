#pragma once
#include <limits>

#include "support.h"

// For tests of arguments at the ends of the range.

constexpr double inf = std::numeric_limits<double>::infinity(), no_number = std::numeric_limits<double>::quiet_NaN();
constexpr capstan::DType floating[] = {capstan::DType::f32, capstan::DType::f64};

/// The slope of the sum of f, at a copy of that point.
template <class F>
Values slope(F f, const capstan::Tensor& at, bool higher_order = false) {
  const capstan::Tensor x = parameter(at.clone());
  capstan::Tape tape({.higher_order = higher_order});
  return values(tape.gradient(sum(f(x)), x));
}
/// The second derivatives of the sum of f times `weights`, or times 1.
template <class F>
Values second_slope(F f, const capstan::Tensor& at, const capstan::Tensor& weights = {}) {
  const capstan::Tensor x = parameter(at.clone());
  capstan::Tape tape({.higher_order = true});
  const capstan::Tensor g = tape.gradient(sum(f(x)), x);
  return values(tape.gradient(sum(weights.defined() ? g * weights : g), x));
}

/// Within a few units in the last place of the dtype, relative to the number itself.
inline void expect_close(const Values& a, const Values& expected, capstan::DType dtype, double ulps = 8) {
  const double unit =
      dtype == capstan::DType::f32 ? static_cast<double>(std::numeric_limits<float>::epsilon()) : std::numeric_limits<double>::epsilon();
  ASSERT_EQ(a.size(), expected.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    const bool same = a[i] == expected[i] || (std::isnan(a[i]) && std::isnan(expected[i]));
    EXPECT_TRUE(same || std::abs(a[i] - expected[i]) <= ulps * unit * std::abs(expected[i]))
        << i << ": " << a[i] << ", not " << expected[i];
  }
}
inline void expect_close(const capstan::Tensor& actual, const Values& expected, double ulps = 8) {
  expect_close(values(actual), expected, actual.dtype(), ulps);
}
