#include <capstan/nn/linear.h>

#include <capstan/autograd/ops.h>
#include <capstan/autograd/tape.h>
#include <capstan/core/create.h>
#include <capstan/core/text.h>
#include <capstan/nn/init.h>

#include <cmath>

// Weight and bias around the operation linear(), drawn as PyTorch draws them.

namespace capstan::nn {

using capstan::detail::join;

Linear::Linear(std::int64_t in, std::int64_t out, LinearOptions options) {
  if (in < 1 || out < 1) capstan::detail::fail<ValueError>("Linear", "in and out must be positive: ", in, ", ", out);
  if (!is_floating(options.dtype)) capstan::detail::fail<ValueError>("Linear", "a layer is f32 or f64: ", options.dtype);
  const double bound = 1 / std::sqrt(static_cast<double>(in));
  weight = parameter(empty({out, in}, options.dtype));
  init::uniform(weight, -bound, bound);
  if (!options.bias) return;
  bias = parameter(empty({out}, options.dtype));
  init::uniform(bias, -bound, bound);
}

Tensor Linear::forward(const Tensor& x) { return bias.defined() ? linear(x, weight, bias) : linear(x, weight); }

void Linear::members(Visitor& visit) {
  visit("weight", weight);
  visit("bias", bias);
}

std::string Linear::describe() const { return join("Linear(", weight.size(1), ", ", weight.size(0), bias.defined() ? ")" : ", no bias)"); }

Linear Linear::clone() const {
  Linear copy;
  copy.weight = parameter(weight.clone()).set_requires_grad(weight.requires_grad());
  if (bias.defined()) copy.bias = parameter(bias.clone()).set_requires_grad(bias.requires_grad());
  copy.train(training());
  return copy;
}

}  // namespace capstan::nn
