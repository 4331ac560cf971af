#include <capstan/optim/nadam.h>

namespace capstan::optim {

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

template class Method<NAdam, NAdamOptions>;
template class Elementwise<NAdam, NAdamOptions>;

}  // namespace capstan::optim
