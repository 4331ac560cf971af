#pragma once
#include <capstan/optim/whole_tensor.h>

namespace capstan::optim {

/// Adagrad's names and defaults; eps is the paper's delta.
struct FullMatrixAdagradOptions {
  double lr = 1e-2;
  double eps = 1e-10;
  double weight_decay = 0;  // L2: g + weight_decay * w takes the place of g
};

/// Adagrad with the whole matrix (Duchi, Hazan & Singer, JMLR 12, 2011, figure 1, "full"), for small parameters: with g and w
/// as columns of n elements,
///   G <- G + g g^T,   w <- w - lr * (eps*I + G^(1/2))^-1 g
/// by eigenvectors in double precision; in f32, G is a sum of two, because the root of a small eigenvalue is all rounding
/// otherwise. It sees which coordinates move together, where Adagrad's diagonal sees each alone: a rotation of the coordinates
/// changes nothing. It leaves directions alone in which no gradient has gone: an eigenvalue within n rounding units of the largest. There
/// the paper takes the pseudo-inverse for eps = 0. Zero gradients change nothing; a lazy step over rows is not exact, since all elements
/// of a tensor hang together.
///
/// Throws ValueError for:
///   - a parameter of more than 1,024 elements;
///   - lr, eps and weight_decay unless they are >= 0.
///
/// Scales down a G that is too large for the dtype (from |g| = 9e18 on in f32, 6e153 in f64). The direction
/// of a step is right then, its length lr until smaller gradients follow.
/// Weakness: 2 n^2 numbers of state and of the order of n^3 operations a step; one matrix for each parameter, not for all.
struct FullMatrixAdagrad : WholeTensor<FullMatrixAdagrad, FullMatrixAdagradOptions> {
  using WholeTensor::WholeTensor;
  static constexpr auto name = "full_matrix_adagrad";
  static constexpr auto source = "Duchi, Hazan & Singer, JMLR 12, 2011, figure 1, full form";
  static constexpr auto formula = "G <- G + g g', w <- w - {lr}*({eps}*I + G^(1/2))^-1 g";
  static constexpr Field fields[] = {{"lr", &FullMatrixAdagradOptions::lr},
                                     {"eps", &FullMatrixAdagradOptions::eps},
                                     {"weight_decay", &FullMatrixAdagradOptions::weight_decay}};
  static constexpr std::array states = {"outer_sum", "outer_rest"};  // G, and what rounding leaves of it
  static constexpr std::int64_t most_elements = 1024;

  static std::array<Tensor, 3> plan(const FullMatrixAdagradOptions& o, StepInfo step, const Tensor& w, const Tensor& g, const Tensor& outer,
                                    const Tensor& rest);
  static Shape slot_shape(std::size_t, const Shape& w) { return {w.numel(), w.numel()}; }
  static void accept(const std::string& parameter, const Tensor& w);
};

extern template class Method<FullMatrixAdagrad, FullMatrixAdagradOptions>;
extern template class WholeTensor<FullMatrixAdagrad, FullMatrixAdagradOptions>;

}  // namespace capstan::optim
