#include <capstan/core/text.h>
#include <capstan/optim/lion.h>

namespace capstan::optim {

using capstan::detail::cat;

void Lion::check(const LionOptions& o) {
  detail::require_fraction(name, "beta1", o.beta1);
  detail::require_fraction(name, "beta2", o.beta2);
}

std::string Lion::formula(const LionOptions& o) {
  return cat(detail::shrunk(o.lr, o.weight_decay), "w <- w - ", o.lr, "*sign(", o.beta1, "*m + (1 - ", o.beta1, ")*g), m <- ", o.beta2,
             "*m + (1 - ", o.beta2, ")*g");
}

template class Method<Lion, LionOptions>;
template class Elementwise<Lion, LionOptions>;

}  // namespace capstan::optim
