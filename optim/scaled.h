#pragma once
#include <capstan/optim/whole_tensor.h>

// Private: what methods of whole tensors need so that none of their numbers gets too large or too small for its dtype, beside
// assign_finite() and restore_non_finite().
namespace capstan::optim::detail {

/// |x| in double precision, where no square is lost: infinite for an x of finite numbers never, but at most the largest double.
double length(const Tensor& x);

/// x * (a/b), also where a/b is no number that the dtype holds: 1e-45 * (1/1e-45) is 1 in f32.
Tensor times(const Tensor& x, double a, double b);

/// w <- w - u, but for the elements where that is not finite, which stay.
void subtract_finite(Tensor& w, const Tensor& u);

}  // namespace capstan::optim::detail
