#include <capstan/nn/embedding.h>

#include <capstan/autograd/ops.h>
#include <capstan/autograd/tape.h>
#include <capstan/core/create.h>
#include <capstan/core/text.h>
#include <capstan/nn/init.h>

// A table of rows and the operation embedding(), whose gradient stays by rows.

namespace capstan::nn {

using capstan::detail::fail;
using capstan::detail::join;

Embedding::Embedding(std::int64_t count, std::int64_t size, DType dtype) {
  if (count < 1 || size < 1) fail<ValueError>("Embedding", "count and size must be positive: ", count, ", ", size);
  if (!is_floating(dtype)) fail<ValueError>("Embedding", "a layer is f32 or f64: ", dtype);
  weight = parameter(empty({count, size}, dtype));
  init::normal(weight, 0, 1);
}

Tensor Embedding::forward(const Tensor& x) {
  if (x.dim() == 1) return index_select(weight, 0, x);
  std::int64_t sizes[Shape::max_dim + 1];
  for (int i = 0; i < x.dim(); ++i) sizes[i] = x.size(i);
  sizes[x.dim()] = weight.size(1);
  const Shape shape(sizes, x.dim() + 1);
  return index_select(weight, 0, x.reshape({x.numel()})).reshape(shape);
}

void Embedding::members(Visitor& visit) { visit("weight", weight); }

std::string Embedding::describe() const { return join("Embedding(", weight.size(0), ", ", weight.size(1), ")"); }

Embedding Embedding::clone() const {
  Embedding copy;
  copy.weight = parameter(weight.clone()).set_requires_grad(weight.requires_grad());
  copy.train(training());
  return copy;
}

}  // namespace capstan::nn
