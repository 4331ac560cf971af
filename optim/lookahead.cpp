#include <capstan/autograd/ops.h>
#include <capstan/autograd/tape.h>
#include <capstan/core/create.h>
#include <capstan/core/text.h>
#include <capstan/optim/lookahead.h>
#include <capstan/optim/state_reader.h>

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
  state.insert("lookahead/step", detail::count(steps_));
  for (const auto& [name, s] : with_added()) state.insert("lookahead/" + name, s.clone());
  return state;
}

void Lookahead::load_state(const TensorMap& state) {
  TensorMap own, inner;
  for (const auto& [key, t] : state) (key.starts_with("lookahead/") ? own : inner).insert(key, t);
  detail::StateReader reader(own);
  const std::int64_t steps = reader.take_count("lookahead/step");
  TensorMap slow;
  for (const auto& [name, w] : optimizer_->parameters())
    if (const Tensor* s = reader.take("lookahead/" + name, w.shape(), w.dtype())) slow.insert(name, s->clone());
  reader.require_fit("lookahead", "the state does not fit:");
  optimizer_->load_state(inner);
  slow_ = std::move(slow);
  steps_ = steps;
}

}  // namespace capstan::optim
