#include <capstan/core/text.h>
#include <capstan/optim/lars.h>

namespace capstan::optim {

using capstan::detail::cat;
using capstan::detail::fail;

void LARS::move(const LARSOptions& o, StepInfo step, Tensor& w, const Tensor& g, Tensor& m) {
  const double size = norm(w).item(), slope = norm(g).item();
  const Tensor u = g * (step.lr * (size == 0 || slope == 0 ? 1 : o.trust_coefficient * size / (slope + o.eps)));
  m.assign(o.momentum * m + u);
  w -= o.nesterov ? u + o.momentum * m : m;
}

void LARS::check(const LARSOptions& o) {
  detail::require_non_negative(name, "trust_coefficient", o.trust_coefficient);
  detail::require_non_negative(name, "momentum", o.momentum);
  if (o.nesterov && o.momentum == 0) fail<ValueError>(name, "nesterov needs momentum: momentum ", o.momentum);
}

std::string LARS::formula(const LARSOptions& o) {
  return cat(detail::decayed(o.weight_decay), "u = ", o.lr, "*", o.trust_coefficient, "*|w|/",
             o.eps == 0 ? std::string("|g|") : cat("(|g| + ", o.eps, ")"), "*g, m <- ", o.momentum, "*m + u, w <- w - ",
             o.nesterov ? cat("(u + ", o.momentum, "*m)") : std::string("m"));
}

template class Method<LARS, LARSOptions>;
template class WholeTensor<LARS, LARSOptions>;

}  // namespace capstan::optim
