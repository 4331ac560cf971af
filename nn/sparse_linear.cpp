#include <capstan/nn/sparse_linear.h>

#include <capstan/autograd/ops.h>
#include <capstan/autograd/tape.h>
#include <capstan/core/create.h>
#include <capstan/core/text.h>

// A linear model of a matrix by rows: matmul() and a bias.

namespace capstan::nn {

using capstan::detail::fail;
using capstan::detail::join;

namespace {

void require_sizes(std::int64_t features, std::int64_t out, DType dtype) {
  if (features < 1 || out < 1) fail<ValueError>("SparseLinear", "features and out must be positive: ", features, ", ", out);
  if (!is_floating(dtype)) fail<ValueError>("SparseLinear", "a layer is f32 or f64: ", dtype);
}

}  // namespace

SparseLinear::SparseLinear(std::int64_t features, LinearOptions options) {
  require_sizes(features, 1, options.dtype);
  weight = parameter(zeros({features}, options.dtype));
  if (options.bias) bias = parameter(zeros({1}, options.dtype));
}

SparseLinear::SparseLinear(std::int64_t features, std::int64_t out, LinearOptions options) {
  require_sizes(features, out, options.dtype);
  weight = parameter(zeros({features, out}, options.dtype));
  if (options.bias) bias = parameter(zeros({out}, options.dtype));
}

Tensor SparseLinear::forward(const CsrMatrix& x) {
  const Tensor y = matmul(x, weight);
  return bias.defined() ? y + bias : y;
}

void SparseLinear::members(Visitor& visit) {
  visit("weight", weight);
  visit("bias", bias);
}

std::string SparseLinear::describe() const {
  return join("SparseLinear(", weight.size(0), weight.dim() == 1 ? "" : join(", ", weight.size(1)), bias.defined() ? ")" : ", no bias)");
}

SparseLinear SparseLinear::clone() const {
  SparseLinear copy;
  copy.weight = parameter(weight.clone()).set_requires_grad(weight.requires_grad());
  if (bias.defined()) copy.bias = parameter(bias.clone()).set_requires_grad(bias.requires_grad());
  copy.train(training());
  return copy;
}

}  // namespace capstan::nn
