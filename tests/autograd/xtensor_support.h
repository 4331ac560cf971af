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

/// An f64 tensor as an xtensor expression of any number of axes, which does not keep it alive.
inline auto x_of(const capstan::Tensor& t) {
  const std::vector<std::size_t> shape(t.header()->sizes, t.header()->sizes + t.dim());
  return xt::adapt<xt::layout_type::row_major>(t.data<double>(), static_cast<std::size_t>(t.numel()), xt::no_ownership(), shape);
}

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
