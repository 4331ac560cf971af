#include <capstan/optim/lion.h>

#include <capstan/core/text.h>

namespace capstan::optim {

using capstan::detail::join;

std::string Lion::formula(const LionOptions& o) {
  return join(detail::shrunk(o.lr, o.weight_decay), "w <- w - ", o.lr, "*sign(", o.beta1, "*m + (1 - ", o.beta1, ")*g), m <- ", o.beta2,
              "*m + (1 - ", o.beta2, ")*g");
}

template class Method<Lion, LionOptions>;
template class Elementwise<Lion, LionOptions>;

}  // namespace capstan::optim
