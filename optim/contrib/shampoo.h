#pragma once
#include <capstan/optim/whole_tensor.h>

namespace capstan::optim {

/// eps is the paper's epsilon; the rate and it are those of the usual programs.
struct ShampooOptions {
  double lr = 0.1;
  double eps = 1e-4;
  double weight_decay = 0;        // L2: g + weight_decay * w takes the place of g
  std::int64_t update_freq = 10;  // so many steps go by the same roots
};

/// Shampoo (Gupta, Koren & Singer, arXiv:1802.09568, algorithm 1): Adagrad's full matrix as a product of two small ones. For a matrix w of
/// m x n, with L of m x m and R of n x n from 0,
///   L <- L + g g^T,   R <- R + g^T g,   w <- w - lr * (L + eps*I)^(-1/4) g (R + eps*I)^(-1/4)
/// by eigenvectors in double precision. The two roots are computed in every update_freq-th step and used until the next.
/// Before the first of those they are computed in steps 1, 2, 4, 8, ..., since one gradient tells of few directions. An
/// eigenvalue and eps together count for at least one rounding unit of the largest. A tensor of more axes counts as the matrix of its first
/// axis by all others. A scalar, a vector, and a matrix with an axis of more than 2,048 are moved by Adagrad: s <- s + g^2, w <- w - lr * g
/// / (sqrt(s) + eps). Zero gradients change nothing; a lazy step over rows is not exact, since all elements of a matrix hang together.
/// Throws ValueError:
///   - unless lr, eps and weight_decay are >= 0;
///   - unless update_freq is at least 1.
/// A gradient counts for as much as its squares have room for, all elements alike: from |g| = 9e18/sqrt(numel) on in f32. A sum without
/// room for more stays as it is.
/// Weakness: 2 (m^2 + n^2) numbers of state, and about m^3 + n^3 operations for the roots. That is for layers up to a few thousand rows.
struct Shampoo : WholeTensor<Shampoo, ShampooOptions> {
  using WholeTensor::WholeTensor;
  static constexpr auto name = "shampoo";
  static constexpr auto source = "Gupta, Koren & Singer, arXiv:1802.09568, algorithm 1";
  static constexpr Field fields[] = {{"lr", &ShampooOptions::lr},
                                     {"eps", &ShampooOptions::eps},
                                     {"weight_decay", &ShampooOptions::weight_decay},
                                     {"update_freq", &ShampooOptions::update_freq}};
  static constexpr auto formula =
      "L <- L + g g', R <- R + g' g, w <- w - {lr}*(L + {eps}*I)^(-1/4) g (R + {eps}*I)^(-1/4), "
      "the roots every {update_freq} steps, before in steps 1, 2, 4, ... (vectors: s <- s + g^2, w <- w - {lr}*g/(sqrt(s) + {eps}))";
  static constexpr std::array states = {"left", "right", "left_root", "right_root", "sum"};  // L and R and their roots, or s
  static constexpr std::int64_t longest_axis = 2048;

  static std::array<Tensor, 6> plan(const ShampooOptions& o, StepInfo step, const Tensor& w, const Tensor& g, const Tensor& left,
                                    const Tensor& right, const Tensor& left_root, const Tensor& right_root, const Tensor& sum);
  static Shape slot_shape(std::size_t slot, const Shape& w);
  static void check(const ShampooOptions& o);
};

extern template class Method<Shampoo, ShampooOptions>;
extern template class WholeTensor<Shampoo, ShampooOptions>;

}  // namespace capstan::optim
