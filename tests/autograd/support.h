#pragma once
#include <capstan/autograd/ops.h>
#include <capstan/autograd/record.h>
#include <capstan/autograd/tape.h>
#include <capstan/core/create.h>
#include <capstan/core/error.h>

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "../common.h"

/// An f64 tensor of the given numbers, and the same as a parameter.
inline capstan::Tensor d(const capstan::NestedList& list) { return capstan::tensor(list, capstan::DType::f64); }
inline capstan::Tensor p(const capstan::NestedList& list) { return capstan::parameter(d(list)); }

/// Shape, and every element within tolerance * max(1, |expected|); NaN equals NaN, infinity itself. Dtypes may differ.
inline testing::AssertionResult near(const capstan::Tensor& actual, const capstan::Tensor& expected, double tolerance) {
  if (!(actual.shape() == expected.shape()))
    return testing::AssertionFailure() << "shape " << to_string(actual.shape()) << ", expected " << to_string(expected.shape());
  const Values a = values(actual), e = values(expected);
  for (std::size_t i = 0; i < a.size(); ++i) {
    const bool same = a[i] == e[i] || (std::isnan(a[i]) && std::isnan(e[i]));
    if (!same && !(std::abs(a[i] - e[i]) <= tolerance * std::max(1.0, std::abs(e[i]))))
      return testing::AssertionFailure() << "element " << i << " of " << to_string(actual.shape()) << ": " << a[i] << ", expected " << e[i];
  }
  return testing::AssertionSuccess();
}

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
