#include <capstan/core/text.h>
#include <capstan/optim/signum.h>

namespace capstan::optim {

using capstan::detail::cat;

void Signum::check(const SignumOptions& o) { detail::require_fraction(name, "momentum", o.momentum); }

std::string Signum::formula(const SignumOptions& o) {
  if (o.momentum == 0) return cat(detail::decayed(o.weight_decay), "w <- w - ", o.lr, "*sign(g)");
  return cat(detail::decayed(o.weight_decay), "m <- ", o.momentum, "*m + (1 - ", o.momentum, ")*g, w <- w - ", o.lr, "*sign(m)");
}

template class Method<Signum, SignumOptions>;
template class Elementwise<Signum, SignumOptions>;

}  // namespace capstan::optim
