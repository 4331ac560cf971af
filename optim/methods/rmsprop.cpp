#include <capstan/optim/rmsprop.h>

#include <capstan/core/text.h>

namespace capstan::optim {

using capstan::detail::join;

std::string RMSProp::formula(const RMSPropOptions& o) {
  const std::string average =
      join("v <- ", o.alpha, "*v + (1 - ", o.alpha, ")*g^2, ", o.centered ? join("a <- ", o.alpha, "*a + (1 - ", o.alpha, ")*g, ") : "");
  const std::string v = o.centered ? "v - a^2" : "v";
  const std::string d = o.eps_inside_root ? join("g/sqrt(", v, " + ", o.eps, ")") : join("g/(sqrt(", v, ") + ", o.eps, ")");
  if (o.momentum == 0) return join(detail::decayed(o.weight_decay), average, "w <- w - ", o.lr, "*", d);
  return join(detail::decayed(o.weight_decay), average, "m <- ", o.momentum, "*m + ", d, ", w <- w - ", o.lr, "*m");
}

template class Method<RMSProp, RMSPropOptions>;
template class Elementwise<RMSProp, RMSPropOptions>;

}  // namespace capstan::optim
