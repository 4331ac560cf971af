#pragma once
#include <capstan/optim/elementwise.h>

namespace capstan::optim {

/// PyTorch's names and defaults.
struct AdadeltaOptions {
  double lr = 1;
  double rho = 0.9;  // how much of both averages is kept
  double eps = 1e-6;
  double weight_decay = 0;  // L2: g + weight_decay * w takes the place of g
};

/// Adadelta (Zeiler, arXiv:1212.5701, algorithm 1), as torch.optim.Adadelta:
///   v <- rho*v + (1 - rho)*g^2,  d = sqrt(a + eps) / sqrt(v + eps) * g,  a <- rho*a + (1 - rho)*d^2,  w <- w - lr*d
/// The paper has no lr (lr = 1): the average a of past steps gives the step its unit, so that rescaling the loss changes
/// nothing. Where v + eps is 0, w stays. A zero gradient moves no w, but makes both averages forget. A row's catch up with that before
/// they are used: a step by rows touches these alone, unless there is weight decay.
/// Throws ValueError unless lr, eps and weight_decay are >= 0 and rho lies in [0, 1).
/// A square that overflows (from |g| = 1.8e19 on in f32, 1.3e154 in f64) makes v infinite and stops the element for good.
/// Weakness: a starts from 0, so that the first steps are as small as sqrt(eps), and it takes long until they grow. For
/// eps = 0 they never do.
struct Adadelta : Elementwise<Adadelta, AdadeltaOptions> {
  using Elementwise::Elementwise;
  static constexpr auto name = "adadelta";
  static constexpr auto source = "Zeiler, arXiv:1212.5701, algorithm 1";
  static constexpr auto formula =
      "v <- {rho}*v + (1 - {rho})*g^2, d = sqrt(a + {eps})/sqrt(v + {eps})*g, a <- {rho}*a + (1 - {rho})*d^2, w <- w - {lr}*d";
  static constexpr Field fields[] = {{"lr", &AdadeltaOptions::lr},
                                     {"rho", &AdadeltaOptions::rho, Range::fraction},
                                     {"eps", &AdadeltaOptions::eps},
                                     {"weight_decay", &AdadeltaOptions::weight_decay}};
  static constexpr std::array states = {"square_avg", "acc_delta"};

  template <class T>
  struct Rule {
    T lr, keep, take, eps;
    Rule(const AdadeltaOptions& o, StepInfo step) : lr(T(step.lr)), keep(T(o.rho)), take(T(1 - o.rho)), eps(T(o.eps)) {}
    void operator()(T& w, T g, T& v, T& a) const {
      v = keep * v + take * (g * g);
      const T root = std::sqrt(v + eps);
      const T d = root == T(0) ? T(0) : std::sqrt(a + eps) / root * g;
      a = keep * a + take * (d * d);
      w -= lr * d;
    }
    Fade<T> idle() const { return Fade<T>(keep); }
    static constexpr bool forgets = true;
    T rate(T v, T a) const { return lr * (std::sqrt(a + eps) / std::sqrt(v + eps)); }
  };
};

extern template class Method<Adadelta, AdadeltaOptions>;
extern template class Elementwise<Adadelta, AdadeltaOptions>;

}  // namespace capstan::optim
