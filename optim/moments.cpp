#include <capstan/core/text.h>
#include <capstan/optim/moments.h>

namespace capstan::optim::detail {

using capstan::detail::cat;

void require_betas(const char* method, double beta1, double beta2) {
  require_fraction(method, "beta1", beta1);
  require_fraction(method, "beta2", beta2);
}

std::string moments(double beta1, double beta2) {
  return cat("m <- ", beta1, "*m + (1 - ", beta1, ")*g, v <- ", beta2, "*v + (1 - ", beta2, ")*g^2, ");
}

std::string corrected(const char* m, double beta1) { return cat("(", m, "/(1 - ", beta1, "^t))"); }

std::string corrected_root(const char* v, double beta2, double eps) { return cat("(sqrt(", v, "/(1 - ", beta2, "^t)) + ", eps, ")"); }

}  // namespace capstan::optim::detail
