#pragma once
#include <capstan/core/tensor.h>

#include <vector>

// Private: the arithmetic of L-BFGS, for which several tensors are one vector.
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

}  // namespace capstan::optim::detail
