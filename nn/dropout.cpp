#include <capstan/nn/dropout.h>

#include <capstan/autograd/checkpoint.h>
#include <capstan/autograd/ops.h>
#include <capstan/core/text.h>

// The module around the operation dropout(), with the generator and the mode that it needs.

namespace capstan::nn {

Dropout::Dropout(double p, std::optional<Generator> own) : generator(own), p_(p) {
  if (!(p >= 0 && p <= 1)) capstan::detail::fail<ValueError>("Dropout", "p must lie in [0, 1]: ", p);
}

Tensor Dropout::forward(const Tensor& x) {
  if (!generator) return dropout(x, p_, training());
  if (training() && capstan::detail::Probe::runs())
    capstan::detail::fail<ValueError>(
        "Dropout", "a checkpoint can draw the same numbers again from the default generator only: ", describe(), " has its own");
  return dropout(x, p_, training(), *generator);
}

std::string Dropout::describe() const { return capstan::detail::join("Dropout(", p_, ")"); }

Dropout Dropout::clone() const {
  Dropout copy(p_, generator);
  copy.train(training());
  return copy;
}

}  // namespace capstan::nn
