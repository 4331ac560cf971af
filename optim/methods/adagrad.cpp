#include <capstan/optim/adagrad.h>

#include <capstan/core/text.h>

namespace capstan::optim {

using capstan::detail::join;

std::string Adagrad::formula(const AdagradOptions& o) {
  const std::string rate = o.lr_decay == 0 ? join(o.lr) : join(o.lr, "/(1 + (t - 1)*", o.lr_decay, ")");
  const std::string root = o.eps_inside_root ? join("sqrt(s + ", o.eps, ")") : join("(sqrt(s) + ", o.eps, ")");
  return join(detail::decayed(o.weight_decay), "s <- s + g^2 (from ", o.initial_accumulator, "), w <- w - ", rate, "*g/", root);
}

template class Method<Adagrad, AdagradOptions>;
template class Elementwise<Adagrad, AdagradOptions>;

}  // namespace capstan::optim
