#pragma once
#include <capstan/optim/whole_tensor.h>

namespace capstan::optim {

/// Adagrad's eps; lr is what suits most models without a momentum.
struct SM3Options {
  double lr = 0.1;
  double eps = 1e-10;
  double weight_decay = 0;  // L2: g + weight_decay * w takes the place of g
};

/// SM3 (Anil, Gupta, Koren & Singer, arXiv:1901.11150, algorithm SM3-II): Adagrad whose state is one number for each row, column and
/// further slice, instead of one for each element. For a matrix, with the rows' numbers r and the columns' c from 0,
///   v[i][j] = min(r[i], c[j]) + g[i][j]^2,   w <- w - lr * g / (sqrt(v) + eps)
///   r[i] <- max over j of v[i][j],  c[j] <- max over i of v[i][j]
/// and so for any number of axes: m + n numbers for an m x n matrix. v is never less than the sum of squares that Adagrad has there. A
/// vector's numbers are its elements', so that there it is Adagrad. An element with g = 0 and v = 0 stays where it is, also for eps = 0.
/// A zero gradient leaves w. It lowers r and c to the largest v of their slice, so that a lazy sparse step is not exact.
/// Throws ValueError unless lr, eps and weight_decay are >= 0.
/// A square that overflows (from |g| = 1.8e19 on in f32, 1.3e154 in f64) stops the element for good.
/// Weakness: where large gradients are in no few rows and columns, v is far too large and the steps too short.
struct SM3 : WholeTensor<SM3, SM3Options> {
  using WholeTensor::WholeTensor;
  static constexpr auto name = "sm3";
  static constexpr auto source = "Anil, Gupta, Koren & Singer, arXiv:1901.11150, algorithm SM3-II";
  static constexpr Field fields[] = {{"lr", &SM3Options::lr}, {"eps", &SM3Options::eps}, {"weight_decay", &SM3Options::weight_decay}};
  static constexpr auto formula = "v = min(s of each slice) + g^2, s <- max(v over the slice), w <- w - {lr}*g/(sqrt(v) + {eps})";
  static constexpr std::array states = {"sum"};  // the numbers of the first axis, then those of the second, ...

  static std::array<Tensor, 2> plan(const SM3Options& o, StepInfo step, const Tensor& w, const Tensor& g, const Tensor& sums);
  static Shape slot_shape(std::size_t, const Shape& w);
};

extern template class Method<SM3, SM3Options>;
extern template class WholeTensor<SM3, SM3Options>;

}  // namespace capstan::optim
