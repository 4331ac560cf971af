#include <capstan/optim/nadam.h>

#include <capstan/core/text.h>

namespace capstan::optim {

using capstan::detail::join;

double NAdam::look_ahead_product(const NAdamOptions& o, std::int64_t t) {
  // The product has no closed form; all parameters ask for the same t, and the next step for the one after it.
  struct Known {
    double beta1 = -1, momentum_decay = 0, product = 1;
    std::int64_t t = 0;
  };
  static thread_local Known known;
  if (known.beta1 != o.beta1 || known.momentum_decay != o.momentum_decay || known.t > t) known = {o.beta1, o.momentum_decay, 1, 0};
  while (known.t < t && known.product > 1e-20) known.product *= look_ahead(o, ++known.t);
  known.t = t;
  return known.product > 1e-20 ? known.product : 0;
}

std::string NAdam::formula(const NAdamOptions& o) {
  const std::string decay = o.decoupled_weight_decay ? detail::shrunk(o.lr, o.weight_decay) : detail::decayed(o.weight_decay);
  return join(decay, "mu(t) = ", o.beta1, "*(1 - 0.96^(t*", o.momentum_decay, ")/2), M(t) = mu(1)...mu(t), ",
              detail::moments(o.beta1, o.beta2), "w <- w - ", o.lr, "*((1 - mu(t))/(1 - M(t))*g + mu(t + 1)/(1 - M(t + 1))*m)/",
              detail::corrected_root("v", o.beta2, o.eps));
}

template class Method<NAdam, NAdamOptions>;
template class Elementwise<NAdam, NAdamOptions>;

}  // namespace capstan::optim
