#include <capstan/optim/ftrl.h>

#include <capstan/core/text.h>

namespace capstan::optim {

using capstan::detail::join;

std::string FTRL::formula(const FTRLOptions& o) {
  return join("r = sqrt(n + g^2) - sqrt(n), n <- n + g^2 (from ", o.initial_accumulator, "), z <- z + ", o.lr, "*g - r*w, ", "w <- ",
              o.l1 == 0 ? std::string("-z") : join("0 if |z| <= ", o.lr, "*", o.l1, ", else -(z - sign(z)*", o.lr, "*", o.l1, ")"), "/(",
              o.beta, " + sqrt(n)", o.l2 == 0 ? "" : join(" + ", o.lr, "*", o.l2), ")");
}

template class Method<FTRL, FTRLOptions>;
template class Elementwise<FTRL, FTRLOptions>;

}  // namespace capstan::optim
