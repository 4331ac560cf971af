#include <capstan/optim/radam.h>

#include <capstan/core/text.h>

namespace capstan::optim {

using capstan::detail::join;

std::string RAdam::formula(const RAdamOptions& o) {
  const std::string decay = o.decoupled_weight_decay ? detail::shrunk(o.lr, o.weight_decay) : detail::decayed(o.weight_decay);
  return join(decay, "R = 2/(1 - ", o.beta2, ") - 1, r = R - 2*t*", o.beta2, "^t/(1 - ", o.beta2, "^t), ",
              detail::moments(o.beta1, o.beta2), "w <- w - ", o.lr, "*", detail::corrected("m", o.beta1),
              ", once r > 5 times sqrt((r - 4)*(r - 2)*R/((R - 4)*(R - 2)*r))*sqrt(1 - ", o.beta2, "^t)/(sqrt(v) + ", o.eps, ")");
}

template class Method<RAdam, RAdamOptions>;
template class Elementwise<RAdam, RAdamOptions>;

}  // namespace capstan::optim
