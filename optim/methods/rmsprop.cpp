#include <capstan/core/text.h>
#include <capstan/optim/rmsprop.h>

namespace capstan::optim {

using capstan::detail::cat;

void RMSProp::check(const RMSPropOptions& o) {
  detail::require_non_negative(name, "momentum", o.momentum);
  detail::require_fraction(name, "alpha", o.alpha);
}

std::string RMSProp::formula(const RMSPropOptions& o) {
  const std::string average =
      cat("v <- ", o.alpha, "*v + (1 - ", o.alpha, ")*g^2, ", o.centered ? cat("a <- ", o.alpha, "*a + (1 - ", o.alpha, ")*g, ") : "");
  const std::string v = o.centered ? "v - a^2" : "v";
  const std::string d = o.eps_inside_root ? cat("g/sqrt(", v, " + ", o.eps, ")") : cat("g/(sqrt(", v, ") + ", o.eps, ")");
  if (o.momentum == 0) return cat(detail::decayed(o.weight_decay), average, "w <- w - ", o.lr, "*", d);
  return cat(detail::decayed(o.weight_decay), average, "m <- ", o.momentum, "*m + ", d, ", w <- w - ", o.lr, "*m");
}

template class Method<RMSProp, RMSPropOptions>;
template class Elementwise<RMSProp, RMSPropOptions>;

}  // namespace capstan::optim
