#pragma once
#include <capstan/core/create.h>

#include <algorithm>
#include <array>
#include <cstddef>

// Newer releases of xtensor keep their headers in folders.
#if __has_include(<xtensor/containers/xadapt.hpp>)
#include <xtensor/containers/xadapt.hpp>
#include <xtensor/core/xmath.hpp>
#else
#include <xtensor/xadapt.hpp>
#include <xtensor/xmath.hpp>
#endif

/// The bridge to xtensor, the only public header that names it: a Tensor as an xt:: expression without a copy, and a Tensor
/// of any xtensor expression. An operation's forward and gradient can be written in xtensor's language with it.
/// Traps of xtensor itself: never keep a lazy expression past its statement (evaluate it with from_xtensor); xt::mean and
/// other lazy reducers compute an element anew each time it is read; axis sums are 13 to 25 times slower than Capstan's.
namespace capstan {

namespace detail {
[[noreturn]] void wrong_dim(int wanted, const Shape& shape);
}

/// t's elements as a row-major xtensor expression with N axes that reads and writes t's own memory. It does not keep the
/// tensor alive. Throws ValueError unless T is the dtype's own type, ShapeError unless t has N axes.
template <class T, std::size_t N>
auto as_xtensor(const Tensor& t) {
  T* data = t.data<T>();
  if (t.dim() != static_cast<int>(N)) detail::wrong_dim(static_cast<int>(N), t.shape());
  std::array<std::size_t, N> shape{};
  std::transform(t.header()->sizes, t.header()->sizes + N, shape.begin(), [](std::int64_t n) { return static_cast<std::size_t>(n); });
  return xt::adapt<xt::layout_type::row_major>(data, static_cast<std::size_t>(t.numel()), xt::no_ownership(), shape);
}

/// A new tensor with the elements of an xtensor expression, whose value type must be float, double, std::int64_t or bool.
template <class E>
Tensor from_xtensor(const xt::xexpression<E>& expression) {
  const E& e = expression.derived_cast();
  using T = std::remove_cv_t<typename E::value_type>;
  std::int64_t sizes[Shape::max_dim] = {};
  const std::size_t dim = e.dimension();
  for (std::size_t i = 0; i < dim && i < Shape::max_dim; ++i) sizes[i] = static_cast<std::int64_t>(e.shape()[i]);
  Tensor t = empty(Shape(sizes, static_cast<int>(dim)), dtype_of<T>);
  std::copy(e.template begin<xt::layout_type::row_major>(), e.template end<xt::layout_type::row_major>(), t.data<T>());
  return t;
}

}  // namespace capstan
