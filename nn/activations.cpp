#include <capstan/nn/activations.h>

#include <capstan/autograd/ops.h>
#include <capstan/core/text.h>

#include <cmath>

// Modules without parameters, each one operation of autograd/ops.

namespace capstan::nn {

using capstan::detail::join;

Tensor ReLU::forward(const Tensor& x) { return relu(x); }
std::string ReLU::describe() const { return "ReLU"; }
Tensor Tanh::forward(const Tensor& x) { return tanh(x); }
std::string Tanh::describe() const { return "Tanh"; }
Tensor Sigmoid::forward(const Tensor& x) { return sigmoid(x); }
std::string Sigmoid::describe() const { return "Sigmoid"; }
Tensor LeakyReLU::forward(const Tensor& x) { return leaky_relu(x, slope_); }
std::string LeakyReLU::describe() const { return join("LeakyReLU(", slope_, ")"); }
Tensor ELU::forward(const Tensor& x) { return elu(x, alpha_); }
std::string ELU::describe() const { return join("ELU(", alpha_, ")"); }
Tensor GELU::forward(const Tensor& x) { return gelu(x, form_); }
std::string GELU::describe() const { return form_ == Gelu::tanh ? "GELU(tanh)" : "GELU"; }
Tensor SiLU::forward(const Tensor& x) { return silu(x); }
std::string SiLU::describe() const { return "SiLU"; }
Softplus::Softplus(double beta) : beta_(beta) {
  if (!(beta > 0) || !std::isfinite(beta)) capstan::detail::fail<ValueError>("Softplus", "beta must be positive and finite: ", beta);
}
Tensor Softplus::forward(const Tensor& x) { return softplus(x, beta_); }
std::string Softplus::describe() const { return beta_ == 1 ? "Softplus" : join("Softplus(", beta_, ")"); }

}  // namespace capstan::nn
