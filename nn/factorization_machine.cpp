#include <capstan/nn/factorization_machine.h>

#include <capstan/autograd/ops.h>
#include <capstan/autograd/tape.h>
#include <capstan/core/create.h>
#include <capstan/core/text.h>
#include <capstan/nn/init.h>

// A linear model with a weight for each pair of features, of products of their factors.

namespace capstan::nn {

using capstan::detail::fail;
using capstan::detail::join;

FactorizationMachine::FactorizationMachine(std::int64_t features, std::int64_t rank, FactorizationMachineOptions options) {
  constexpr const char* op = "FactorizationMachine";
  if (features < 1 || rank < 1) fail<ValueError>(op, "features and rank must be positive: ", features, ", ", rank);
  if (!(options.stddev > 0)) fail<ValueError>(op, "stddev must be positive: ", options.stddev, " (factors of 0 stay there)");
  if (!is_floating(options.dtype)) fail<ValueError>(op, "a model is f32 or f64: ", options.dtype);
  bias = parameter(zeros({1}, options.dtype));
  weight = parameter(zeros({features}, options.dtype));
  factors = parameter(empty({features, rank}, options.dtype));
  init::normal(factors, 0, options.stddev);
}

Tensor FactorizationMachine::forward(const CsrMatrix& x) {
  const Tensor linear = matmul(x, weight) + bias;
  // One row v_j x_ij for each value, and a matrix that adds up those of an example.
  const std::int64_t n = x.nnz();
  const Tensor terms = index_select(factors, 0, x.col()) * x.values().reshape({n, 1});
  const Tensor each = arange(static_cast<double>(n), DType::i64);
  const CsrMatrix rows = CsrMatrix::known(x.crow(), each, ones({n}, factors.dtype()), x.rows(), n);
  return linear + 0.5 * (sum(square(matmul(rows, terms)), 1) - matmul(rows, sum(square(terms), 1)));
}

void FactorizationMachine::members(Visitor& visit) {
  visit("bias", bias);
  visit("weight", weight);
  visit("factors", factors);
}

std::string FactorizationMachine::describe() const { return join("FactorizationMachine(", factors.size(0), ", ", factors.size(1), ")"); }

FactorizationMachine FactorizationMachine::clone() const {
  FactorizationMachine copy;
  copy.bias = parameter(bias.clone()).set_requires_grad(bias.requires_grad());
  copy.weight = parameter(weight.clone()).set_requires_grad(weight.requires_grad());
  copy.factors = parameter(factors.clone()).set_requires_grad(factors.requires_grad());
  copy.train(training());
  return copy;
}

}  // namespace capstan::nn
