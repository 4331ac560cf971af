#include <capstan/optim/sgd.h>

#include <capstan/core/text.h>

namespace capstan::optim {

using capstan::detail::fail;
using capstan::detail::join;

void SGD::check(const SGDOptions& o) {
  if (o.nesterov && (o.momentum == 0 || o.dampening != 0))
    fail<ValueError>(name, "nesterov needs momentum and no dampening: momentum ", o.momentum, ", dampening ", o.dampening);
}

std::string SGD::formula(const SGDOptions& o) {
  if (o.momentum == 0) return join(detail::decayed(o.weight_decay), "w <- w - ", o.lr, "*g");
  const std::string m = join(detail::decayed(o.weight_decay), "m <- ", o.momentum, "*m + ",
                             o.dampening == 0 ? "" : join("(1 - ", o.dampening, ")*"), "g (g at the first step), ");
  return o.nesterov ? join(m, "w <- w - ", o.lr, "*(g + ", o.momentum, "*m)") : join(m, "w <- w - ", o.lr, "*m");
}

template class Method<SGD, SGDOptions>;
template class Elementwise<SGD, SGDOptions>;

}  // namespace capstan::optim
