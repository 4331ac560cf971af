#pragma once
#include <capstan/optim/optimizer.h>

namespace capstan::optim {

struct LookaheadOptions {
  std::int64_t period = 5;  // steps of the optimizer between two of the slow weights
  double alpha = 0.5;       // how far the slow weights go towards the fast ones
};

/// Lookahead (Zhang et al., NeurIPS 2019, algorithm 1), around an optimizer that it does not own: after every `period` steps
///   slow <- slow + alpha*(w - slow),   w <- slow
/// where slow starts from the parameters as they are when this is made. The optimizer's own state goes on, as in the paper's
/// experiments. Costs a copy of the parameters. The model holds the fast weights between two periods: evaluate it after one.
///
///     optim::SGD sgd(model.parameters(), {.lr = 0.1, .momentum = 0.9});
///     optim::Lookahead optimizer(sgd);
///     optimizer.step(tape.gradients(loss));
class Lookahead {
 public:
  /// The optimizer must outlive this. Throws ValueError unless period >= 1 and alpha lies in (0, 1].
  explicit Lookahead(Optimizer& optimizer, LookaheadOptions options = {});
  Lookahead(const Lookahead&) = delete;
  Lookahead& operator=(const Lookahead&) = delete;

  /// A step of the optimizer, and one of the slow weights when it is their turn. Throws as Optimizer::step() does, and then
  /// changes nothing. A parameter that was added to the optimizer is taken in as it is before this step.
  void step(const Gradients& gradients);

  Optimizer& optimizer() const noexcept { return *optimizer_; }
  /// The optimizer's, and what is done with it.
  std::string explain() const;

  /// The optimizer's state, "lookahead/step" (i64) and "lookahead/<parameter>" for each: deep copies.
  TensorMap state() const;
  /// Throws ValueError listing every mismatch, its own or else the optimizer's, and then changes nothing.
  void load_state(const TensorMap& state);

 private:
  TensorMap with_added() const;

  Optimizer* optimizer_;
  LookaheadOptions options_;
  TensorMap slow_;
  std::int64_t steps_ = 0;
};

}  // namespace capstan::optim
