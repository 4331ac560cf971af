#include <capstan/optim/adadelta.h>

#include <capstan/core/text.h>

namespace capstan::optim {

using capstan::detail::join;

std::string Adadelta::formula(const AdadeltaOptions& o) {
  return join(detail::decayed(o.weight_decay), "v <- ", o.rho, "*v + (1 - ", o.rho, ")*g^2, d = sqrt(a + ", o.eps, ")/sqrt(v + ", o.eps,
              ")*g, a <- ", o.rho, "*a + (1 - ", o.rho, ")*d^2, w <- w - ", o.lr, "*d");
}

template class Method<Adadelta, AdadeltaOptions>;
template class Elementwise<Adadelta, AdadeltaOptions>;

}  // namespace capstan::optim
