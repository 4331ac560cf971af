#include <capstan/nn/activations.h>

#include <capstan/autograd/ops.h>

namespace capstan::nn {

Tensor ReLU::forward(const Tensor& x) { return relu(x); }
std::string ReLU::describe() const { return "ReLU"; }
Tensor Tanh::forward(const Tensor& x) { return tanh(x); }
std::string Tanh::describe() const { return "Tanh"; }
Tensor Sigmoid::forward(const Tensor& x) { return sigmoid(x); }
std::string Sigmoid::describe() const { return "Sigmoid"; }

}  // namespace capstan::nn
