#pragma once
#include <capstan/nn/module.h>

namespace capstan::nn {

/// What check() found. Each list is empty for a model of which every parameter is trained.
struct ModelCheck {
  std::vector<std::string> not_shown;    // "f32 [64, 5], used by linear": reached by the gradient, but no members() shows it
  std::vector<std::string> not_reached;  // "head.weight": shown, but the output does not depend on it
  std::vector<std::string> no_gradient;  // "scale": shown, but wants no gradient: frozen, or never made a parameter()

  bool ok() const noexcept { return not_shown.empty() && not_reached.empty() && no_gradient.empty(); }
};
/// A line for each, or "every parameter is shown, reached and trained\n".
std::string to_string(const ModelCheck& check);

/// Compares the parameters that members() shows with those that a gradient reaches:
///
///     std::fputs(to_string(nn::check(model, x)).c_str(), stdout);
///
/// Runs the model once, as it is (in training mode dropout draws), and takes the gradients of its output's sum. Nothing is trained.
/// Throws:
///   - ValueError for an output that is not f32 or f64;
///   - what the model throws.
/// Weakness: a gradient of 0 counts as one, so that a dead ReLU is not found.
ModelCheck check(Module& model, const Tensor& x);
/// The same for a model of other inputs; run() returns its output: `nn::check(model, [&] { return model(a, b); })`.
template <class Run>
requires std::is_invocable_r_v<Tensor, Run&> ModelCheck check(Module& model, Run run);

namespace detail {
ModelCheck check(Module& model, const Tensor* x, Tensor (*run)(void*), void* function);
}

template <class Run>
requires std::is_invocable_r_v<Tensor, Run&> ModelCheck check(Module& model, Run run) {
  return detail::check(
      model, nullptr, [](void* f) -> Tensor { return (*static_cast<Run*>(f))(); }, &run);
}

}  // namespace capstan::nn
