#pragma once
#include <capstan/optim/whole_tensor.h>

namespace capstan::optim {

/// PyTorch's names, order and defaults. Its three coefficients are a, b and c here.
struct MuonOptions {
  double lr = 1e-3;
  double weight_decay = 0.1;  // decoupled: w shrinks by lr * weight_decay * w before each step
  double momentum = 0.95;     // how much of the average of gradients is kept
  bool nesterov = true;       // step along (1 - momentum)*g + momentum*m instead of m
  double a = 3.4445, b = -4.7750, c = 2.0315;
  double eps = 1e-7;             // floor of the norm that is divided by
  double ns_steps = 5;           // how often the polynomial is applied, 0 to 99
  bool match_rms_adamw = false;  // lr * 0.2 sqrt(max(n, m)) instead of lr * sqrt(max(1, n/m)), for w [n, m]
};

/// Muon (Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024; rates for AdamW's: Liu et al.,
/// arXiv:2502.16982, section 2.2), as torch.optim.Muon, for matrices w [n, m]:
///   m <- momentum*m + (1 - momentum)*g,   X = m, or (1 - momentum)*g + momentum*m with nesterov,   X <- X / max(|X|, eps)
///   ns_steps times: A = X X^T,  X <- a*X + (b*A + c*A A) X     (Newton-Schulz: pushes every singular value towards 1)
///   w <- w - lr*weight_decay*w - lr*sqrt(max(1, n/m))*X
/// so that all directions of a gradient count, not the few with large singular values. PyTorch computes X in bfloat16, this
/// in w's own dtype. With a zero gradient m still moves w: a lazy sparse step is not exact.
///
/// Throws ValueError:
///   - for a parameter that is no matrix (give biases and embeddings to AdamW);
///   - unless lr, weight_decay and eps are >= 0, momentum lies in [0, 1) and ns_steps is a whole number from 0 to 99.
///
/// Weakness: three products of matrices a round, and singular values end anywhere in 0.7 to 1.2, not at 1.
struct Muon : WholeTensor<Muon, MuonOptions> {
  using WholeTensor::WholeTensor;
  static constexpr auto name = "muon";
  static constexpr auto source = "Jordan et al., 2024; Liu et al., arXiv:2502.16982, section 2.2";
  static constexpr Field fields[] = {{"lr", &MuonOptions::lr},
                                     {"weight_decay", &MuonOptions::weight_decay},
                                     {"momentum", &MuonOptions::momentum, Range::fraction},
                                     {"nesterov", &MuonOptions::nesterov},
                                     {"a", &MuonOptions::a},
                                     {"b", &MuonOptions::b},
                                     {"c", &MuonOptions::c},
                                     {"eps", &MuonOptions::eps},
                                     {"ns_steps", &MuonOptions::ns_steps},
                                     {"match_rms_adamw", &MuonOptions::match_rms_adamw}};
  static constexpr std::array states = {"momentum_buffer"};

  static std::array<Tensor, 2> plan(const MuonOptions& o, StepInfo step, const Tensor& w, const Tensor& g, const Tensor& m);
  static void accept(const std::string& parameter, const Tensor& w);
  static Decay decay(const MuonOptions&) { return Decay::decoupled; }
  static void check(const MuonOptions& o);
  static std::string formula(const MuonOptions& o);
};

extern template class Method<Muon, MuonOptions>;
extern template class WholeTensor<Muon, MuonOptions>;

}  // namespace capstan::optim
