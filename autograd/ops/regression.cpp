#include <capstan/autograd/ops/regression.h>

#include <capstan/autograd/ops.h>
#include <capstan/autograd/ops/elementwise_loss.h>
#include <capstan/autograd/record.h>
#include <capstan/core/create.h>
#include <capstan/core/elementwise.h>
#include <capstan/core/pool.h>
#include <capstan/core/text.h>

#include <cmath>
#include <limits>

// Losses of single elements, most of them made of recorded operations. The common mse_loss() is one kernel.
namespace capstan {

using detail::fail;
using detail::Header;
using detail::reduced;
using detail::require_pair;
using detail::share;
using kernels::data_of;
using kernels::dispatch;
using kernels::parametric;
using kernels::Parametric;

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
  dispatch(target, [&]<class T>(T*) {
    const T* t = data_of<T>(target);
    for (std::int64_t i = 0; i < target.numel(); ++i)
      if (t[i] != 1 && t[i] != -1) fail<ValueError>(op, "a target must be 1 or -1: ", static_cast<double>(t[i]), " at element ", i);
  });
}

}  // namespace

Tensor mse_loss(const Tensor& input, const Tensor& target) {
  const Header *a = input.header(), *b = target.header();
  kernels::require_floating("mse_loss", input);
  kernels::require_same_dtype("mse_loss", input, target);
  if (!detail::same_sizes(a, b)) [[unlikely]]
    fail<ShapeError>("mse_loss", "input and target must have one shape: ", input.shape(), " and ", target.shape(),
                     " (reshape one of them?)");
  const std::int64_t n = a->numel;
  if (n == 0) [[unlikely]]
    fail<ShapeError>("mse_loss", "needs at least one element: ", input.shape());
  Tensor loss = Tensor::adopt(detail::new_block(a->dtype, 1)), difference = Tensor::adopt(detail::new_block_like(a));
  dispatch(input, [&]<class T>(T*) {
    const T sum = kernels::table<T>().squared_distance(static_cast<T*>(a->data), static_cast<T*>(b->data), data_of<T>(difference), n);
    *data_of<T>(loss) = sum / static_cast<T>(n);
  });
  // The difference is kept instead of both sides, whose memory can be let go; they are wanted for gradients of gradients alone.
  const bool both = detail::higher_order();
  return record("mse_loss", std::move(loss), {input, target},
                [d = saved(std::move(difference)), input = both ? saved(input) : Saved(), target = both ? saved(target) : Saved()](
                    const Tensor& dy, Inputs& dx) {
                  if (dx.recorded()) [[unlikely]] {
                    const Tensor g = (input.get() - target.get()) * (2 * dy / static_cast<double>(input.get().numel()));
                    if (dx.wants(0)) dx.add(0, g);
                    if (dx.wants(1)) dx.add(1, -g);
                    return;
                  }
                  const Header* h = d.get().header();
                  dispatch(dy, [&]<class T>(T*) {  // d input = 2 (input - target) dy / n
                    const T scale = 2 * *data_of<T>(dy) / static_cast<T>(h->numel);
                    for (int i = 0; i < 2; ++i) {
                      if (!dx.wants(i)) continue;
                      const Inputs::Place to = dx.place(i);
                      kernels::table<T>().add_scaled(static_cast<T*>(h->data), i == 0 ? scale : -scale, static_cast<T*>(to.data), h->numel,
                                                     to.accumulate);
                    }
                  });
                });
}

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
