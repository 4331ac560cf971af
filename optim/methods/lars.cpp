#include <capstan/optim/lars.h>

#include <capstan/core/text.h>

namespace capstan::optim {

using capstan::detail::fail;
using capstan::detail::join;

std::array<Tensor, 2> LARS::plan(const LARSOptions& o, StepInfo step, const Tensor& w, const Tensor& g, const Tensor& old) {
  const double size = detail::length(w);
  Tensor along = g;
  double slope = detail::length(g), eps = o.eps;
  if (slope > 0x1p1000) {  // maybe more than a double holds
    constexpr double unit = 0x1p-1000;
    along = g * unit;
    slope = detail::length(along);
    eps *= unit;
  }
  const Tensor u = size == 0 || slope == 0 ? g * step.lr : detail::times(along, step.lr * o.trust_coefficient * size, slope + eps);
  const Tensor m = detail::kept_finite(o.momentum * old + u, old);
  return {o.nesterov ? u + o.momentum * m : m, m};
}

void LARS::check(const LARSOptions& o) {
  if (o.nesterov && o.momentum == 0) fail<ValueError>(name, "nesterov needs momentum: momentum ", o.momentum);
}

std::string LARS::formula(const LARSOptions& o) {
  return join(detail::decayed(o.weight_decay), "u = ", o.lr, "*", o.trust_coefficient, "*|w|/",
              o.eps == 0 ? std::string("|g|") : join("(|g| + ", o.eps, ")"), "*g, m <- ", o.momentum, "*m + u, w <- w - ",
              o.nesterov ? join("(u + ", o.momentum, "*m)") : std::string("m"));
}

template class Method<LARS, LARSOptions>;
template class WholeTensor<LARS, LARSOptions>;

}  // namespace capstan::optim
