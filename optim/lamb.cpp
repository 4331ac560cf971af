#include <capstan/core/text.h>
#include <capstan/optim/lamb.h>

namespace capstan::optim {

using capstan::detail::cat;

void LAMB::move(const LAMBOptions& o, StepInfo step, Tensor& w, const Tensor& g, Tensor& m, Tensor& v) {
  const detail::Moments<double> moments(o.beta1, o.beta2, step.t);
  m.assign(o.beta1 * m + (1 - o.beta1) * g);
  v.assign(o.beta2 * v + (1 - o.beta2) * square(g));
  Tensor u = m * (1 / moments.correction1) / (sqrt(v * (1 / moments.correction2)) + detail::kept_positive(o.eps, w.dtype()));
  if (o.weight_decay != 0) u += o.weight_decay * w;
  const double size = norm(w).item(), length = norm(u).item();
  w -= u * (step.lr * (size == 0 || length == 0 ? 1 : size / length));
}

void LAMB::check(const LAMBOptions& o) {
  detail::require_betas(name, o.beta1, o.beta2);
  detail::require_positive(name, "eps", o.eps);
}

std::string LAMB::formula(const LAMBOptions& o) {
  return cat(detail::moments(o.beta1, o.beta2), "u = ", detail::corrected("m", o.beta1), "/", detail::corrected_root("v", o.beta2, o.eps),
             o.weight_decay == 0 ? "" : cat(" + ", o.weight_decay, "*w"), ", w <- w - ", o.lr, "*|w|/|u|*u");
}

template class Method<LAMB, LAMBOptions>;
template class WholeTensor<LAMB, LAMBOptions>;

}  // namespace capstan::optim
