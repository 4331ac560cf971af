#include <capstan/autograd/ops.h>
#include <capstan/autograd/tape.h>
#include <capstan/core/create.h>
#include <capstan/core/text.h>
#include <capstan/optim/lookahead.h>

namespace capstan::optim {

using capstan::detail::cat;
using capstan::detail::fail;

Lookahead::Lookahead(Optimizer& optimizer, LookaheadOptions options) : optimizer_(&optimizer), options_(options) {
  if (options.period < 1) fail<ValueError>("lookahead", "period must be positive: ", options.period);
  if (!(options.alpha > 0 && options.alpha <= 1)) fail<ValueError>("lookahead", "alpha must lie in (0, 1]: ", options.alpha);
  slow_ = with_added();
}

/// The slow weights, and a copy of each parameter that has none yet.
TensorMap Lookahead::with_added() const {
  TensorMap all = slow_;
  for (const auto& [name, tensor] : optimizer_->parameters())
    if (!all.contains(name)) all.insert(name, tensor.clone());
  return all;
}

void Lookahead::step(const Gradients& gradients) {
  const Parameters parameters = optimizer_->parameters();
  TensorMap slow = parameters.size() == slow_.size() ? TensorMap() : with_added();
  for (const auto& [name, w] : parameters)
    if (const Tensor* s = slow_.find(name); s && s->dtype() != w.dtype())
      fail<ValueError>("lookahead", "the slow weights must have the parameter's dtype: '", name, "' is ", w.dtype(), ", they are ",
                       s->dtype(), " (convert the model first)");
  optimizer_->step(gradients);
  if (!slow.empty()) slow_ = std::move(slow);
  if (++steps_ % options_.period != 0) return;
  const NoGrad pause;
  for (const auto& [name, w] : parameters) {
    Tensor s = slow_[name], fast = w;
    s += options_.alpha * (fast - s);
    fast.assign(s);
  }
}

std::string Lookahead::explain() const {
  return cat("lookahead: every ", options_.period, " steps slow <- slow + ", options_.alpha, "*(w - slow), w <- slow\n",
             optimizer_->explain());
}

TensorMap Lookahead::state() const {
  TensorMap state = optimizer_->state();
  state.insert("lookahead/step", tensor(std::vector<std::int64_t>{steps_}).reshape(Shape{}));
  for (const auto& [name, s] : with_added()) state.insert("lookahead/" + name, s.clone());
  return state;
}

void Lookahead::load_state(const TensorMap& state) {
  std::string wrong;
  const auto take = [&](const std::string& key, const Shape& shape, DType dtype) {
    const Tensor* t = state.find(key);
    if (!t)
      wrong += cat("\n  missing: ", key);
    else if (t->shape() != shape || t->dtype() != dtype)
      wrong += cat("\n  ", key, ": ", t->dtype(), " ", t->shape(), ", wanted ", dtype, " ", shape);
    else
      return t->clone();
    return Tensor();
  };
  const Parameters parameters = optimizer_->parameters();
  TensorMap inner, slow;
  const Tensor steps = take("lookahead/step", {}, DType::i64);
  if (steps.defined() && steps.item() < 0) wrong += cat("\n  lookahead/step: a count must not be negative: ", steps.item());
  for (const auto& [name, w] : parameters)
    if (Tensor s = take("lookahead/" + name, w.shape(), w.dtype()); s.defined()) slow.insert(name, std::move(s));
  for (const auto& [key, t] : state) {
    const std::string own = key.starts_with("lookahead/") ? key.substr(10) : "";
    if (own.empty())
      inner.insert(key, t);
    else if (own != "step" && !parameters.contains(own))
      wrong += cat("\n  unexpected: ", key);
  }
  if (!wrong.empty()) fail<ValueError>("lookahead", "the state does not fit:", wrong);
  optimizer_->load_state(inner);
  slow_ = std::move(slow);
  steps_ = *steps.data<std::int64_t>();
}

}  // namespace capstan::optim
