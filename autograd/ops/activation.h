#pragma once
#include <capstan/core/tensor.h>

// Activation functions. What holds for all operations: autograd/ops.h. Subgradients at kinks are PyTorch's. Values and slopes are
// finite for every finite x, those of elu, leaky_relu and softplus as far as their parameter lets them. A parameter of which f32 would make
// infinity or 0 is a ValueError beside an f32 tensor.
namespace capstan {

/// y = max(x, 0); dx = dy where x > 0, else 0 (0 chosen at 0). NaN stays NaN and passes dy, as in PyTorch.
Tensor relu(const Tensor& x);
/// y = 1 / (1 + e^-x), within 4 ulp, without overflow at either end; dx = y (1 - y) dy.
Tensor sigmoid(const Tensor& x);
/// y = x for x > 0, else slope x; dx = dy for x > 0, else slope dy (so at 0). Maas, Hannun & Ng, "Rectifier nonlinearities
/// improve neural network acoustic models", ICML 2013, section 2.
Tensor leaky_relu(const Tensor& x, double slope = 0.01);
/// y = x for x > 0, else alpha (e^x - 1); dx = dy for x > 0, else alpha e^x dy (alpha at 0). Clevert, Unterthiner & Hochreiter,
/// "Fast and accurate deep network learning by exponential linear units", ICLR 2016, eq. 15.
Tensor elu(const Tensor& x, double alpha = 1);
/// y = ln(1 + e^(beta x)) / beta; dx = sigmoid(beta x) dy. Computed without overflow and exactly everywhere: it has no
/// threshold as PyTorch's has, from which it differs by less than 2.1e-9 / beta. Throws ValueError unless beta > 0 and finite.
Tensor softplus(const Tensor& x, double beta = 1);
/// y = x sigmoid(x); dx = s (1 + x (1 - s)) dy with s = sigmoid(x). NaN at -inf, as in PyTorch. Elfwing, Uchibe & Doya,
/// "Sigmoid-weighted linear units", Neural Networks 107, 2018, eq. 5 and 6.
Tensor silu(const Tensor& x);
/// How gelu() computes the normal distribution: by erf, or by the tanh of a polynomial, which differs by up to 5e-4.
enum class Gelu { erf, tanh };
/// y = x P(x), where P(x) = (1 + erf(x / sqrt 2)) / 2 is the normal distribution; dx = (P(x) + x e^(-x^2 / 2) / sqrt(2 pi)) dy.
/// With Gelu::tanh, P(x) = (1 + tanh u) / 2 for u = sqrt(2 / pi) (x + 0.044715 x^3). NaN at -inf, as in PyTorch. Hendrycks &
/// Gimpel, "Gaussian error linear units", 2016, section 2.
Tensor gelu(const Tensor& x, Gelu form = Gelu::erf);
/// y = x limited to [low, high]; dx = dy where low < x < high, else 0 (0 at both ends). NaN stays NaN and passes dy. Throws
/// ValueError unless low <= high.
Tensor hardtanh(const Tensor& x, double low = -1, double high = 1);

}  // namespace capstan
