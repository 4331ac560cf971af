#include <capstan/optim/adabelief.h>

#include <capstan/core/text.h>

namespace capstan::optim {

using capstan::detail::join;

std::string AdaBelief::formula(const AdaBeliefOptions& o) {
  return join(detail::decayed(o.weight_decay), "m <- ", o.beta1, "*m + (1 - ", o.beta1, ")*g, s <- ", o.beta2, "*s + (1 - ", o.beta2,
              ")*(g - m)^2 + ", o.eps_root, ", w <- w - ", o.lr, "*", detail::corrected("m", o.beta1), "/",
              detail::corrected_root("s", o.beta2, o.eps));
}

template class Method<AdaBelief, AdaBeliefOptions>;
template class Elementwise<AdaBelief, AdaBeliefOptions>;

}  // namespace capstan::optim
