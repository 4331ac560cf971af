#pragma once
#include <capstan/core/tensor.h>

// Losses of single elements. What holds for all operations: autograd/ops.h. Input and target have one shape (ShapeError). Both get
// gradients. Beside f32 tensors a number of which f32 would make infinity or 0 is a ValueError. Where an element's part in a loss is 0, an
// infinite logarithm or logit there costs nothing. That is the limit; PyTorch's 0 times infinity is NaN.
namespace capstan {

/// What becomes of the elements' losses: they stay as they are, or their mean or sum is taken. The mean of none is a ShapeError.
enum class Reduction { none, mean, sum };

/// y = mean of (input - target)^2, PyTorch's: without a half. The shapes must be equal. d input = 2 (input - target) dy / n;
/// d target is its negative. The tape keeps input - target, and the two only if it is of higher order.
Tensor mse_loss(const Tensor& input, const Tensor& target);
/// Elements (input - target)^2.
Tensor mse_loss(const Tensor& input, const Tensor& target, Reduction reduction);
/// Elements |input - target|; d input = sign(input - target) dy, 0 at 0.
Tensor l1_loss(const Tensor& input, const Tensor& target, Reduction reduction = Reduction::mean);
/// Elements d^2 / 2 for |d| <= delta, else delta (|d| - delta / 2), where d = input - target; d input = d limited to
/// [-delta, delta], times dy. Huber, "Robust estimation of a location parameter", 1964. Throws ValueError unless delta > 0.
Tensor huber_loss(const Tensor& input, const Tensor& target, double delta = 1, Reduction reduction = Reduction::mean);
/// huber_loss / beta, with beta for delta: slope 1 outside; for beta = 0 it is l1_loss. Girshick, "Fast R-CNN", ICCV 2015, eq. 3.
/// Throws ValueError unless beta >= 0 and finite.
Tensor smooth_l1_loss(const Tensor& input, const Tensor& target, double beta = 1, Reduction reduction = Reduction::mean);

struct PoissonNLLOptions {
  bool log_input = true;  // input is the logarithm of the rate
  bool full = false;      // adds Stirling's approximation of ln(target!) for target > 1
  double eps = 1e-8;      // keeps ln(input + eps) finite when input is the rate itself
  Reduction reduction = Reduction::mean;
};
/// Elements e^input - target input, or input - target ln(input + eps) without log_input: -ln of Poisson's probability of target,
/// up to ln(target!). Stirling's: t ln t - t + ln(2 pi t) / 2. Throws ValueError unless eps > 0.
Tensor poisson_nll_loss(const Tensor& input, const Tensor& target, PoissonNLLOptions options = {});

/// Elements max(0, margin - target input) for targets 1 and -1 (else ValueError). Inside the margin d input = -target dy. At its
/// end and outside it is 0. Cortes & Vapnik, "Support-vector networks", 1995. PyTorch has no such loss.
Tensor hinge_loss(const Tensor& input, const Tensor& target, double margin = 1, Reduction reduction = Reduction::mean);
/// Elements input where target is 1, max(0, margin - input) where it is -1 (else ValueError).
Tensor hinge_embedding_loss(const Tensor& input, const Tensor& target, double margin = 1, Reduction reduction = Reduction::mean);

/// Elements target (ln target - input), 0 for target 0, where input is a logarithm already. With log_target they are
/// e^target (target - input), 0 for target -inf. Kullback & Leibler, 1951. The mean is over all elements; divide the sum by the batch for
/// PyTorch's batchmean. d input = -target dy, d target = (ln target + 1 - input) dy, without the logarithm's part at 0.
Tensor kl_div(const Tensor& input, const Tensor& target, bool log_target = false, Reduction reduction = Reduction::mean);

}  // namespace capstan
