#include <capstan/optim/schedule_free_adamw.h>

#include <capstan/autograd/tape.h>
#include <capstan/core/create.h>

#include <capstan/core/text.h>

#include <algorithm>

namespace capstan::optim {

using capstan::detail::join;

std::array<Tensor, 4> ScheduleFreeAdamW::plan(const ScheduleFreeAdamWOptions& o, StepInfo step, const Tensor& w, const Tensor& g,
                                              const Tensor& old_z, const Tensor& old_v, const Tensor& weights) {
  const Tensor& z = step.t == 1 ? w : old_z;
  const Tensor old = weights.to(DType::f64);
  const double most = std::max(old.data<double>()[1], step.lr), weight = std::pow(most, o.weight_lr_power);
  const double sum = old.data<double>()[0] + weight, c = sum == 0 ? 0 : weight / sum;
  // v may be infinite, and 0 times that is NaN.
  const Tensor v = o.beta2 == 0 ? square(g) : o.beta2 * old_v + (1 - o.beta2) * square(g);
  Tensor u = g / (sqrt(v * (1 / (1 - std::pow(o.beta2, static_cast<double>(step.t))))) + o.eps);
  if (o.weight_decay != 0) u += o.weight_decay * w;
  return {u * (step.lr * (1 - o.beta1 * (1 - c))) - c * (z - w), detail::kept_finite(z - step.lr * u, z), v,
          tensor({sum, most}, weights.dtype())};
}

TensorMap ScheduleFreeAdamW::averaged() const {
  const NoGrad pause;
  TensorMap result;
  for (const Entry& e : entries()) {
    const double beta1 = options(e.group).beta1;
    result.insert(e.name, e.steps == 0 ? e.parameter.clone() : (e.parameter - (1 - beta1) * e.state[0]) * (1 / beta1));
  }
  return result;
}

bool ScheduleFreeAdamW::rates(const Entry& entry, double* out) const {  // of z, which makes the steps
  if (!out) return true;
  const ScheduleFreeAdamWOptions& o = options(entry.group);
  const Tensor v = entry.state[1].to(DType::f64);
  const double correction = 1 - std::pow(o.beta2, static_cast<double>(entry.steps));
  for (std::int64_t i = 0; i < v.numel(); ++i)
    if (const double x = v.data<double>()[i]; x != 0) out[i] = o.lr / (std::sqrt(x / correction) + o.eps);
  return true;
}

void ScheduleFreeAdamW::check(const ScheduleFreeAdamWOptions& o) {
  if (!(o.beta1 > 0 && o.beta1 < 1)) detail::bad_option(name, "beta1", "must lie in (0, 1)", o.beta1);
  detail::require_positive(name, "eps", o.eps);
}

std::string ScheduleFreeAdamW::formula(const ScheduleFreeAdamWOptions& o) {
  return join("v <- ", o.beta2, "*v + (1 - ", o.beta2, ")*g^2, u = g/(sqrt(v/(1 - ", o.beta2, "^t)) + ", o.eps, ")",
              o.weight_decay == 0 ? "" : join(" + ", o.weight_decay, "*w"), ", c = L^", o.weight_lr_power, "/sum(L^", o.weight_lr_power,
              "), L = max(lr), w <- w + c*(z - w) - ", o.lr, "*(1 - ", o.beta1, "*(1 - c))*u, z <- z - ", o.lr, "*u");
}

template class Method<ScheduleFreeAdamW, ScheduleFreeAdamWOptions>;
template class WholeTensor<ScheduleFreeAdamW, ScheduleFreeAdamWOptions>;

}  // namespace capstan::optim
