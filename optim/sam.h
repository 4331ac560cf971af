#pragma once
#include <capstan/optim/optimizer.h>

#include <type_traits>

namespace capstan::optim {

struct SAMOptions {
  double rho = 0.05;  // how far from w the second gradient is taken
};

/// Sharpness-aware minimisation (Foret et al., ICLR 2021, algorithm 1 with p = 2), around an optimizer that it does not own:
///   e = rho * g(w) / |g(w)|,   the optimizer steps from w along g(w + e)
/// where the norm is over all of the optimizer's parameters that have a gradient. It looks for flat minima, at the price of
/// two gradients a step, so it takes a function that computes one, and must compute it on the same batch both times:
///
///     optim::SAM sam(sgd, {.rho = 0.05});
///     sam.step([&] {
///       Tape tape;
///       return tape.gradients(cross_entropy(model(x), y));
///     });
///
/// It has no state: save the optimizer's. Weakness: twice the cost; rho is one more number to tune.
class SAM {
 public:
  /// The optimizer must outlive this. Throws ValueError unless rho is finite and positive.
  explicit SAM(Optimizer& optimizer, SAMOptions options = {});

  /// Calls `gradients` twice, at w and at w + e, and steps; returns the loss at w. Throws ValueError when |g(w)| is not
  /// finite, what `gradients` throws, and what the optimizer's step() throws; the parameters then are as they were, to the bit.
  template <class F>
  requires std::is_invocable_r_v<Gradients, F&>
  double step(F gradients) {
    return step([](void* f) -> Gradients { return (*static_cast<F*>(f))(); }, &gradients);
  }

  Optimizer& optimizer() const noexcept { return *optimizer_; }

 private:
  double step(Gradients (*call)(void*), void* gradients);

  Optimizer* optimizer_;
  double rho_;
};

}  // namespace capstan::optim
