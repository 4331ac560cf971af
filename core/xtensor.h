#pragma once
#include <capstan/core/create.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

// Newer releases of xtensor keep their headers in folders.
#if __has_include(<xtensor/containers/xadapt.hpp>)
#include <xtensor/containers/xadapt.hpp>
#include <xtensor/core/xmath.hpp>
#include <xtensor/core/xnoalias.hpp>
#else
#include <xtensor/xadapt.hpp>
#include <xtensor/xmath.hpp>
#include <xtensor/xnoalias.hpp>
#endif

/// The bridge to xtensor, in the only public header that names it: a Tensor as an xt:: expression without a copy, and back. An operation's
/// forward and gradient can be written in xtensor's language with it:
///
///     const auto v = as_xtensor<float>(x);                                 // of whatever number of axes
///     const Tensor y = from_xtensor(xt::log(1.f + xt::exp(v)));            // a new tensor
///     xt::noalias(as_xtensor<float>(y)) = xt::log(1.f + xt::exp(v));       // the same into a tensor that is there
///
/// Traps of xtensor itself: without xt::noalias an assignment makes a copy first. Evaluate a lazy expression (from_xtensor) before its
/// statement ends. xt::mean and other lazy reducers compute an element anew each time it is read. Axis sums are 3 to 8 times slower than
/// Capstan's (`./run bench --benchmark_filter=built_on`).
namespace capstan {

namespace detail {
[[noreturn]] void wrong_dim(int wanted, const Shape& shape);

template <class T, class Sizes>
auto adapt(const Tensor& t, Sizes shape) {
  T* data = t.data<T>();
  std::transform(t.header()->sizes, t.header()->sizes + shape.size(), shape.begin(),
                 [](std::int64_t n) { return static_cast<std::size_t>(n); });
  return xt::adapt<xt::layout_type::row_major>(data, static_cast<std::size_t>(t.numel()), xt::no_ownership(), shape);
}
}  // namespace detail

/// t's elements as a row-major xtensor expression that reads and writes t's own memory; `const T` only reads it. It does not keep the
/// tensor alive.
/// Throws:
///   - ValueError unless T is the dtype's own type.
template <class T>
auto as_xtensor(const Tensor& t) {
  return detail::adapt<T>(t, std::vector<std::size_t>(static_cast<std::size_t>(t.dim())));
}
/// The same with N axes, known when compiled: small arrays are faster so.
/// Throws also:
///   - ShapeError unless t has N axes.
template <class T, std::size_t N>
auto as_xtensor(const Tensor& t) {
  t.data<T>();
  if (t.dim() != static_cast<int>(N)) detail::wrong_dim(static_cast<int>(N), t.shape());
  return detail::adapt<T>(t, std::array<std::size_t, N>{});
}

/// A new tensor with the elements of an xtensor expression, whose value type must be float, double, std::int64_t or bool.
template <class E>
Tensor from_xtensor(const xt::xexpression<E>& expression) {
  const E& e = expression.derived_cast();
  using T = std::remove_cv_t<typename E::value_type>;
  std::int64_t sizes[Shape::max_dim] = {};
  const std::size_t dim = e.dimension();
  for (std::size_t i = 0; i < dim && i < Shape::max_dim; ++i) sizes[i] = static_cast<std::int64_t>(e.shape()[i]);
  const Tensor t = empty(Shape(sizes, static_cast<int>(dim)), dtype_of<T>);
  xt::noalias(as_xtensor<T>(t)) = e;
  return t;
}

}  // namespace capstan
