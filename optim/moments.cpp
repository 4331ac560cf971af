#include <capstan/optim/moments.h>

#include <capstan/core/text.h>

namespace capstan::optim::detail {

using capstan::detail::join;

double power(double base, double exponent) noexcept {
  struct Kept {
    double base = 1, exponent = 1, value = 1;
  };
  constinit thread_local static Kept kept[8] = {};
  constinit thread_local static unsigned oldest = 0;
  for (const Kept& k : kept)
    if (k.base == base && k.exponent == exponent) return k.value;
  return (kept[oldest++ % 8] = {base, exponent, std::pow(base, exponent)}).value;
}

std::string moments(double beta1, double beta2) {
  return join("m <- ", beta1, "*m + (1 - ", beta1, ")*g, v <- ", beta2, "*v + (1 - ", beta2, ")*g^2, ");
}

std::string corrected(const char* m, double beta1) { return join("(", m, "/(1 - ", beta1, "^t))"); }

std::string corrected_root(const char* v, double beta2, double eps) { return join("(sqrt(", v, "/(1 - ", beta2, "^t)) + ", eps, ")"); }

}  // namespace capstan::optim::detail
