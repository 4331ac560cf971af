#pragma once
#include <capstan/core/tensor.h>

// Private: what methods of whole tensors need so that none of their numbers gets too large or too small for its dtype.
namespace capstan::optim::detail {

/// |x| in double precision, where no square is lost: infinite for an x of finite numbers never, but at most the largest double.
double length(const Tensor& x);

/// x * (a/b), also where a/b is no number that the dtype holds: 1e-45 * (1/1e-45) is 1 in f32.
Tensor times(const Tensor& x, double a, double b);

/// to <- value, but for the elements where that is not finite, which stay.
void assign_finite(Tensor& to, const Tensor& value);

/// w <- w - u, but for the elements where that is not finite, which stay.
void subtract_finite(Tensor& w, const Tensor& u);

/// w <- before, where w is not finite.
void restore_non_finite(Tensor& w, const Tensor& before);

}  // namespace capstan::optim::detail
