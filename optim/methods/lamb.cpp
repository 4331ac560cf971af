#include <capstan/optim/lamb.h>

#include <capstan/core/text.h>

namespace capstan::optim {

using capstan::detail::join;

std::array<Tensor, 3> LAMB::plan(const LAMBOptions& o, StepInfo step, const Tensor& w, const Tensor& g, const Tensor& old_m,
                                 const Tensor& old_v) {
  const detail::Moments<double> moments(o.beta1, o.beta2, step.t);
  const Tensor m = detail::kept_finite(o.beta1 * old_m + (1 - o.beta1) * g, old_m);
  // v may be infinite, and 0 times that is NaN.
  const Tensor v = o.beta2 == 0 ? square(g) : o.beta2 * old_v + (1 - o.beta2) * square(g);
  // The corrections behind the root and the quotient: before them they could be too large for the dtype.
  Tensor u = m / (sqrt(v) * (1 / std::sqrt(moments.correction2)) + o.eps) * (1 / moments.correction1);
  if (o.weight_decay != 0) u += o.weight_decay * w;
  const double size = detail::length(w), length = detail::length(u);
  return {size == 0 || length == 0 ? u * step.lr : detail::times(u, step.lr * size, length), m, v};
}

void LAMB::check(const LAMBOptions& o) { detail::require_positive(name, "eps", o.eps); }

std::string LAMB::formula(const LAMBOptions& o) {
  return join(detail::moments(o.beta1, o.beta2), "u = ", detail::corrected("m", o.beta1), "/", detail::corrected_root("v", o.beta2, o.eps),
              o.weight_decay == 0 ? "" : join(" + ", o.weight_decay, "*w"), ", w <- w - ", o.lr, "*|w|/|u|*u");
}

template class Method<LAMB, LAMBOptions>;
template class WholeTensor<LAMB, LAMBOptions>;

}  // namespace capstan::optim
