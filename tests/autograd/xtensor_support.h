#pragma once
#include <capstan/core/xtensor.h>

#if __has_include(<xtensor/misc/xsort.hpp>)
#include <xtensor/misc/xsort.hpp>
#include <xtensor/views/xview.hpp>
#else
#include <xtensor/xsort.hpp>
#include <xtensor/xview.hpp>
#endif

#include "ops_table.h"

/// An f64 tensor as an xtensor expression.
inline auto x_of(const capstan::Tensor& t) { return capstan::as_xtensor<double>(t); }

/// The tensor of an xtensor expression in x (and y), the inputs: for OpRow::same_as.
template <class F>
std::function<capstan::Tensor(const Args&)> by_xtensor(F f) {
  return [f](const Args& in) {
    const auto x = x_of(in[0]);
    if constexpr (std::is_invocable_v<F, decltype(x), decltype(x)>) {
      const auto y = x_of(in[1]);
      return capstan::from_xtensor(f(x, y));
    } else {
      return capstan::from_xtensor(f(x));
    }
  };
}
