#pragma once
#include <capstan/core/tensor.h>

#include <vector>

// Private: the line search of L-BFGS.
namespace capstan::optim::detail {

/// A point of a line: the loss there, its slope along the line, and the gradient.
struct Point {
  double t, loss, slope;
  std::vector<Tensor> gradient;
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
