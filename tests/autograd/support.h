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
#include "../numbers.h"

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
