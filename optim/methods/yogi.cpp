#include <capstan/optim/yogi.h>

#include <capstan/core/text.h>

namespace capstan::optim {

using capstan::detail::join;

std::string Yogi::formula(const YogiOptions& o) {
  return join(detail::decayed(o.weight_decay), "m <- ", o.beta1, "*m + (1 - ", o.beta1, ")*g, v <- v - (1 - ", o.beta2,
              ")*sign(v - g^2)*g^2 (both from ", o.initial_accumulator, "), w <- w - ", o.lr, "*", detail::corrected("m", o.beta1), "/",
              detail::corrected_root("v", o.beta2, o.eps));
}

template class Method<Yogi, YogiOptions>;
template class Elementwise<Yogi, YogiOptions>;

}  // namespace capstan::optim
