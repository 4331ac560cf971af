#include <capstan/optim/adam.h>

#include <capstan/core/text.h>

namespace capstan::optim {

using capstan::detail::join;

std::string Adam::formula(const AdamOptions& o) {
  return join(detail::decayed(o.weight_decay), detail::moments(o.beta1, o.beta2), o.amsgrad ? "u <- max(u, v), " : "", "w <- w - ", o.lr,
              "*", detail::corrected("m", o.beta1), "/", detail::corrected_root(o.amsgrad ? "u" : "v", o.beta2, o.eps));
}

template class Method<Adam, AdamOptions>;
template class Elementwise<Adam, AdamOptions>;

}  // namespace capstan::optim
