#include <capstan/optim/adamax.h>

#include <capstan/core/text.h>

namespace capstan::optim {

using capstan::detail::join;

std::string Adamax::formula(const AdamaxOptions& o) {
  return join(detail::decayed(o.weight_decay), "m <- ", o.beta1, "*m + (1 - ", o.beta1, ")*g, u <- max(", o.beta2, "*u, |g| + ", o.eps,
              "), w <- w - ", o.lr, "*", detail::corrected("m", o.beta1), "/u");
}

template class Method<Adamax, AdamaxOptions>;
template class Elementwise<Adamax, AdamaxOptions>;

}  // namespace capstan::optim
