#include <capstan/nn/dropout.h>

#include <capstan/autograd/ops.h>
#include <capstan/core/text.h>

namespace capstan::nn {

Dropout::Dropout(double p) : p_(p) {
  if (!(p >= 0 && p <= 1)) capstan::detail::fail<ValueError>("Dropout", "p must lie in [0, 1]: ", p);
}

Tensor Dropout::forward(const Tensor& x) { return dropout(x, p_, training()); }

std::string Dropout::describe() const { return capstan::detail::cat("Dropout(", p_, ")"); }

Dropout Dropout::clone() const {
  Dropout copy(p_);
  copy.train(training());
  return copy;
}

}  // namespace capstan::nn
