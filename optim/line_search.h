#pragma once
#include <capstan/core/tensor.h>

#include <vector>

// Private: what L-BFGS stands on: the arithmetic of several tensors as one vector, and the search along a line.
namespace capstan::optim::detail {

using Tensors = std::vector<Tensor>;
/// Of sums whose terms no f64 may hold, such as the square of a gradient of 1e300; on platforms that have such numbers.
using Wide = long double;

/// Inner product and sum of |x|, in f64 at least.
Wide dot(const Tensors& a, const Tensors& b);
Wide sum_of_sizes(const Tensors& a);
/// The largest |x|; NaN when there is one.
double largest(const Tensors& a);
/// a*factor, for any factor; a <- a + factor*b.
Tensors scaled(const Tensors& a, double factor);
void add(Tensors& a, const Tensors& b, double factor);
/// The least change of t by which w + t*d becomes another number in some element.
double resolution(const Tensors& w, const Tensors& d);

/// A point of a line: the loss there, its slope along the line, and the gradient.
struct Point {
  double t, loss, slope;
  Tensors gradient;
};

/// A point that meets the strong Wolfe conditions with c1 = 1e-4 and c2 = 0.9, or the best after `most` evaluations (at least 1) or in
/// a bracket shorter than `least`, or one that has no number between its ends. `from` is at t = 0 and its slope is negative; `t` is tried
/// first. A loss of infinity is too far.
Point strong_wolfe(Point (*evaluate)(const void* f, double t), const void* f, const Point& from, double t, double least, int most);
/// The same for a function object.
template <class F>
Point strong_wolfe(const F& evaluate, const Point& from, double t, double least, int most) {
  const auto call = [](const void* f, double at) { return (*static_cast<const F*>(f))(at); };
  return strong_wolfe(call, &evaluate, from, t, least, most);
}

}  // namespace capstan::optim::detail
