#pragma once
#include <capstan/optim/wrapper.h>

namespace capstan::optim {

struct LookaheadOptions {
  std::int64_t period = 5;  // steps of the optimizer between two of the slow weights
  double alpha = 0.5;       // how far the slow weights go towards the fast ones
};

/// Lookahead (Zhang et al., NeurIPS 2019, algorithm 1), around an optimizer that it does not own: after every `period` steps
///   slow <- slow + alpha*(w - slow),   w <- slow
/// where slow starts from the parameters as they are when this is made. The optimizer's own state goes on, as in the paper's
/// experiments. Costs a copy of the parameters. The model holds the fast weights between two periods: evaluate it after one.
/// Every `period` steps all elements move, those without a gradient too unless they have not moved since. A sparse step is dense
/// then, and no slower for it. Weakness: it holds back a method that was steady anyway, and two more numbers are to be tuned.
///
///     optim::SGD sgd(model.parameters(), {.lr = 0.1, .momentum = 0.9});
///     optim::Lookahead optimizer(sgd);
///     optimizer.step(tape.gradients(loss));
///
/// A parameter that was added to the optimizer is taken in as it is before its first step here. The state holds, beside the
/// optimizer's, "lookahead/step" (i64) and "lookahead/slow/<parameter>" for each. Inside another wrapper the names begin with its.
class Lookahead final : public Wrapper {
 public:
  /// What it goes around, an Optimizer or a Wrapper, must outlive this. Throws ValueError unless period >= 1 and alpha lies in
  /// (0, 1].
  template <Wrappable Inner>
  explicit Lookahead(Inner& inner, LookaheadOptions options = {}) : Lookahead(Wrapped(inner), options) {}

 private:
  struct Slow {
    std::string name;
    Tensor w, slow;
  };

  Lookahead(Wrapped inside, LookaheadOptions options);
  std::vector<Slow> with_added() const;

  const char* name() const noexcept override { return "lookahead"; }
  double run(const Source& source) override;
  std::string describe() const override;
  void save(TensorMap& state, const std::string& path) const override;
  void read(capstan::detail::StateReader& reader, const std::string& path) override;
  void commit() noexcept override;

  LookaheadOptions options_;
  std::vector<Slow> slow_, loaded_;
  std::int64_t steps_ = 0, loaded_steps_ = 0;
};

}  // namespace capstan::optim
