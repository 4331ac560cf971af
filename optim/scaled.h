#pragma once
#include <capstan/optim/whole_tensor.h>

// Private: what methods of whole tensors need so that none of their numbers gets too large or too small for its dtype, beside
// take_from() and restore_non_finite().
namespace capstan::optim::detail {

/// |x| in double precision, where no square is lost: infinite for an x of finite numbers never, but at most the largest double.
double length(const Tensor& x);

/// x * (a/b), also where a/b is no number that the dtype holds: 1e-45 * (1/1e-45) is 1 in f32.
Tensor times(const Tensor& x, double a, double b);

/// `next`, with the elements of `old` where it is not finite.
Tensor kept_finite(Tensor next, const Tensor& old);

}  // namespace capstan::optim::detail
