#pragma once
#include <capstan/core/xtensor.h>

#include <cmath>
#include <limits>

#include "row.h"

/// An f64 tensor as an xtensor expression.
inline auto x_of(const capstan::Tensor& t) { return capstan::as_xtensor<double>(t); }

/// The tensor of an xtensor expression in the tensors x (and y) and the numbers p (and q), in the orders of operations::Call. An
/// expression refers to what it is made of: numbers are taken by reference.
template <class F>
auto by_xtensor(F f) {
  return [f](const operations::Tensors& in, const operations::Numbers& n = {}) -> capstan::Tensor {
    const auto x = x_of(in[0]);
    using X = const decltype(x)&;
    if constexpr (std::is_invocable_v<F, X>) {
      return capstan::from_xtensor(f(x));
    } else if constexpr (std::is_invocable_v<F, X, X>) {
      const auto y = x_of(in[1]);
      return capstan::from_xtensor(f(x, y));
    } else if constexpr (std::is_invocable_v<F, X, const double&>) {
      return capstan::from_xtensor(f(x, n[0]));
    } else if constexpr (std::is_invocable_v<F, const double&, X>) {
      return capstan::from_xtensor(f(n[0], x));
    } else {
      return capstan::from_xtensor(f(x, n[0], n[1]));
    }
  };
}
