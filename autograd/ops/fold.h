#pragma once
#include <capstan/autograd/ops/axes.h>
#include <capstan/core/axes.h>
#include <capstan/core/compute.h>

// Private: how reductions see their axes.
namespace capstan::detail {

/// The axes named, as a bit each. Throws ShapeError for one that is not there or stands twice.
unsigned axis_bits(const char* op, const Axes& axes, int dim);

/// A tensor with the axes to reduce joined to one: element (o, k, i) of [outer, size, inner] is the k-th of line (o, i).
struct Fold {
  kernels::Split split;
  Shape shape;  // of the result, outer x inner elements
  Axes order;   // what brings the axes together when they are not neighbours
  bool neighbours;
  /// x itself or, recorded, with its axes in that order.
  Tensor of(const Tensor& x) const;
};
Fold fold(const char* op, const Shape& shape, const Axes& axes, bool keepdim);

/// t's elements as [outer, size, inner], or with one element for each line as [outer, 1, inner]; without a copy.
inline Tensor as_lines(const Tensor& t, const kernels::Split& s) { return kernels::view(t, Shape{s.outer, s.size, s.inner}); }
inline Tensor one_a_line(const Tensor& t, const kernels::Split& s) { return kernels::view(t, Shape{s.outer, 1, s.inner}); }

/// Calls f(first element, line number) for each line.
template <class F>
void for_lines(const kernels::Split& s, F f) {
  for (std::int64_t o = 0; o < s.outer; ++o)
    for (std::int64_t i = 0; i < s.inner; ++i) f(o * s.size * s.inner + i, o * s.inner + i);
}

/// y[line] = f(x of the line, step from one element to the next).
template <class T, class F>
void each_line(const Tensor& x, Tensor& y, const kernels::Split& s, F f) {
  for_lines(s, [&](std::int64_t first, std::int64_t line) { kernels::data_of<T>(y)[line] = f(kernels::data_of<T>(x) + first, s.inner); });
}

/// For each line a power of two whose square brings the largest |x| near 1, as [outer, 1, inner]. It is 1 for a line of zeros, and for one
/// that is not finite. (The square itself may leave the range: multiply twice.)
Tensor root_scales(const Tensor& x, const kernels::Split& s);

/// Throws ShapeError when n, how many elements of x go into one result, is 0.
void require_elements(const char* op, const Tensor& x, std::int64_t n);

}  // namespace capstan::detail
