#pragma once
#include <capstan/optim/wrapper.h>

namespace capstan::optim {

struct SAMOptions {
  double rho = 0.05;  // how far from w the second gradient is taken
};

/// Sharpness-aware minimisation (Foret et al., ICLR 2021, algorithm 1 with p = 2), around an optimizer that it does not own:
///   e = rho * g(w) / |g(w)|,   the optimizer steps from w along g(w + e)
/// where the norm is over all of the optimizer's parameters that have a gradient. It looks for flat minima, at the price of
/// two gradients a step. So it takes a function that computes one, on the same batch both times:
///
///     optim::SAM sam(sgd, {.rho = 0.05});
///     sam.step([&] {
///       Tape tape;
///       return tape.gradients(cross_entropy(model(x), y));
///     });
///
/// It has no state. Of a parameter with a row-sparse gradient it moves, and keeps a copy of, those rows alone.
/// Weakness: twice the cost; rho is one more number to tune; as any step with |g| in it, no element moves by itself.
class SAM final : public Wrapper {
 public:
  /// What it goes around, an Optimizer or a Wrapper, must outlive this. Throws ValueError unless rho is finite and positive.
  template <Wrappable Inner>
  explicit SAM(Inner& inner, SAMOptions options = {}) : SAM(Wrapped(inner), options) {}

  // step(F gradients) calls `gradients` twice, at w and at w + e, and returns the loss at w. It throws ValueError when |g(w)| is not
  // finite, and what `gradients` and the step inside throw. The parameters then are as they were, to the bit.

 private:
  SAM(Wrapped inside, SAMOptions options);

  const char* name() const noexcept override { return "sam"; }
  double run(const Source& source) override;
  std::string describe() const override;

  double rho_;
};

}  // namespace capstan::optim
