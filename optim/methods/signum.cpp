#include <capstan/optim/signum.h>

#include <capstan/core/text.h>

namespace capstan::optim {

using capstan::detail::join;

std::string Signum::formula(const SignumOptions& o) {
  if (o.momentum == 0) return join(detail::decayed(o.weight_decay), "w <- w - ", o.lr, "*sign(g)");
  return join(detail::decayed(o.weight_decay), "m <- ", o.momentum, "*m + (1 - ", o.momentum, ")*g, w <- w - ", o.lr, "*sign(m)");
}

template class Method<Signum, SignumOptions>;
template class Elementwise<Signum, SignumOptions>;

}  // namespace capstan::optim
