// Losses of single elements, made of recorded operations.
#include <capstan/autograd/ops.h>
#include <capstan/autograd/ops/elementwise_loss.h>
#include <capstan/autograd/record.h>
#include <capstan/core/create.h>
#include <capstan/core/elementwise.h>
#include <capstan/core/text.h>

#include <cmath>
#include <limits>

namespace capstan {

using detail::fail;
using detail::reduced;
using detail::require_pair;
using detail::share;
using kernels::parametric;
using kernels::Parametric;

void detail::require_pair(const char* op, const Tensor& input, const Tensor& target, Reduction reduction) {
  kernels::require_floating(op, input);
  kernels::require_same_dtype(op, input, target);
  if (!(input.shape() == target.shape()))
    fail<ShapeError>(op, "input and target must have one shape: ", input.shape(), " and ", target.shape(), " (reshape one of them?)");
  if (input.numel() == 0 && reduction == Reduction::mean) fail<ShapeError>(op, "needs at least one element: ", input.shape());
}

Tensor detail::reduced(const Tensor& losses, Reduction reduction) {
  switch (reduction) {
    case Reduction::none: break;
    case Reduction::mean: return mean(losses);
    case Reduction::sum: return sum(losses);
  }
  return losses;
}

Tensor detail::share(const char* op, const Tensor& a, const Tensor& b) {
  const Shape shape = broadcast(op, a.shape(), b.shape());
  const Tensor p = a.shape() == shape ? a : expand(a, shape), q = b.shape() == shape ? b : expand(b, shape);
  return record(op, parametric(op, Parametric::share, p, q), {p, q},
                [op, p = saved_for(q, p), q = saved_for(p, q)](const Tensor& dy, Inputs& dx) {
                  if (dx.wants(0)) dx.add(0, share(op, dy, q.get()));
                  if (dx.wants(1)) dx.add(1, share(op, p.get(), dy));
                });
}

namespace {

/// Divided by `divisor`, which keeps what is as large as the difference from overflowing.
Tensor huber(const char* op, const Tensor& difference, double delta, double divisor) {
  return record(op, parametric(op, Parametric::huber, difference, difference, delta, divisor), {difference},
                [op, d = saved(difference), delta, divisor](const Tensor& dy, Inputs& dx) {
                  const bool recorded = dx.recorded();  // the difference, limited
                  dx.add(0, recorded ? clamp(d.get(), -delta, delta) / divisor * dy
                                     : parametric(op, Parametric::huber_grad, d.get(), dy, delta, divisor));
                });
}

/// x ln x.
Tensor xlogx(const char* op, const Tensor& x) {
  return record(op, parametric(op, Parametric::xlogx, x, x), {x}, [op, x = saved(x)](const Tensor& dy, Inputs& dx) {
    if (!dx.recorded()) return dx.add(0, parametric(op, Parametric::xlogx_grad, x.get(), dy));
    const Tensor at_0 = x.get() == 0.0, zero = zeros({}, dy.dtype()), one = ones({}, dy.dtype());
    dx.add(0, where(at_0, zero, log(where(at_0, one, x.get())) + 1) * dy);
  });
}

/// e^target (target - input), 0 for target -inf.
Tensor log_divergence(const char* op, const Tensor& input, const Tensor& target) {
  return record(op, parametric(op, Parametric::log_divergence, target, input), {input, target},
                [t = saved(target), x = saved(input)](const Tensor& dy, Inputs& dx) {
                  const Tensor share_of_dy = exp(t.get()) * dy;
                  if (dx.wants(0)) dx.add(0, -share_of_dy);
                  if (!dx.wants(1)) return;
                  const Tensor nothing = t.get() == -std::numeric_limits<double>::infinity();
                  dx.add(1, (where(nothing, zeros({}, dy.dtype()), t.get() - x.get()) + 1) * share_of_dy);
                });
}

void require_signs(const char* op, const Tensor& target) {
  kernels::dispatch(target, [&]<class T>(T*) {
    const T* t = kernels::data_of<T>(target);
    for (std::int64_t i = 0; i < target.numel(); ++i)
      if (t[i] != 1 && t[i] != -1) fail<ValueError>(op, "a target must be 1 or -1: ", static_cast<double>(t[i]), " at element ", i);
  });
}

}  // namespace

Tensor mse_loss(const Tensor& input, const Tensor& target, Reduction reduction) {
  if (reduction == Reduction::mean) return mse_loss(input, target);
  require_pair("mse_loss", input, target, reduction);
  return reduced(square(input - target), reduction);
}

Tensor l1_loss(const Tensor& input, const Tensor& target, Reduction reduction) {
  require_pair("l1_loss", input, target, reduction);
  return reduced(abs(input - target), reduction);
}

Tensor huber_loss(const Tensor& input, const Tensor& target, double delta, Reduction reduction) {
  require_pair("huber_loss", input, target, reduction);
  if (!(delta > 0)) fail<ValueError>("huber_loss", "delta must be positive: ", delta);
  kernels::require_fit("huber_loss", "delta", delta, input.dtype());
  return reduced(huber("huber_loss", input - target, delta, 1), reduction);
}

Tensor smooth_l1_loss(const Tensor& input, const Tensor& target, double beta, Reduction reduction) {
  require_pair("smooth_l1_loss", input, target, reduction);
  if (!(beta >= 0) || !std::isfinite(beta)) fail<ValueError>("smooth_l1_loss", "beta must be finite and not negative: ", beta);
  kernels::require_fit("smooth_l1_loss", "beta", beta, input.dtype());
  if (beta == 0) return reduced(abs(input - target), reduction);
  return reduced(huber("smooth_l1_loss", input - target, beta, beta), reduction);
}

Tensor poisson_nll_loss(const Tensor& input, const Tensor& target, PoissonNLLOptions options) {
  require_pair("poisson_nll_loss", input, target, options.reduction);
  if (!(options.eps > 0)) fail<ValueError>("poisson_nll_loss", "eps must be positive: ", options.eps);
  kernels::require_fit("poisson_nll_loss", "eps", options.eps, input.dtype());
  Tensor losses = options.log_input ? exp(input) - share("poisson_nll_loss", input, target) : input - target * log(input + options.eps);
  if (options.full) {
    const Tensor one = ones({}, target.dtype()), large = target > 1, t = where(large, target, one);  // no logarithm of 0
    const double two_pi = 6.283185307179586;
    const Tensor stirling = t * log(t) - t + 0.5 * log(two_pi * t);
    losses = losses + where(large, stirling, zeros({}, target.dtype()));
  }
  return reduced(losses, options.reduction);
}

Tensor hinge_loss(const Tensor& input, const Tensor& target, double margin, Reduction reduction) {
  require_pair("hinge_loss", input, target, reduction);
  require_signs("hinge_loss", target);
  kernels::require_fit("hinge_loss", "margin", margin, input.dtype());
  return reduced(relu(margin - target * input), reduction);
}

Tensor hinge_embedding_loss(const Tensor& input, const Tensor& target, double margin, Reduction reduction) {
  require_pair("hinge_embedding_loss", input, target, reduction);
  require_signs("hinge_embedding_loss", target);
  kernels::require_fit("hinge_embedding_loss", "margin", margin, input.dtype());
  return reduced(where(target > 0, input, relu(margin - input)), reduction);
}

Tensor kl_div(const Tensor& input, const Tensor& target, bool log_target, Reduction reduction) {
  require_pair("kl_div", input, target, reduction);
  if (log_target) return reduced(log_divergence("kl_div", input, target), reduction);
  return reduced(xlogx("kl_div", target) - share("kl_div", input, target), reduction);
}

}  // namespace capstan
