#pragma once
#include <capstan/optim/elementwise.h>

namespace capstan::optim::detail {

/// base^exponent. Each thread keeps the last few, since all parameters of a step ask for the same ones. For a small parameter they would
/// take longer than the rest.
double power(double base, double exponent) noexcept;

/// What the methods of Adam's family share: the running averages m of the gradient and v of its square. They start from 0; after t steps
/// they are still too small, by the factors 1 - beta^t.
template <class T>
struct Moments {
  T keep1, take1, keep2, take2;
  double correction1, correction2;

  Moments(double beta1, double beta2, std::int64_t t)
      : keep1(T(beta1)),
        take1(T(1 - beta1)),
        keep2(T(beta2)),
        take2(T(1 - beta2)),
        correction1(1 - power(beta1, static_cast<double>(t))),
        correction2(1 - power(beta2, static_cast<double>(t))) {}
  T first(T m, T g) const { return keep1 * m + take1 * g; }
  T second(T v, T x) const { return keep2 * v + take2 * (x * x); }
};

/// Adam's step: w <- w - lr * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps); w stays where root and eps are 0.
template <class T>
struct AdamStep : Moments<T> {
  static constexpr bool forgets = true;
  T lr, scale, eps;
  template <class Options>
  AdamStep(const Options& o, StepInfo step)
      : Moments<T>(o.beta1, o.beta2, step.t),
        lr(T(step.lr / this->correction1)),
        scale(T(1 / std::sqrt(this->correction2))),
        eps(T(o.eps)) {}
  T root(T v) const { return std::sqrt(v) * scale + eps; }
  void move(T& w, T m, T v) const {
    const T below = root(v);
    w -= below == T(0) ? T(0) : lr * m / below;
  }
  T rate(T, T v) const { return lr * T(this->correction1) / root(v); }
};

/// For formula(): "m <- 0.9*m + (1 - 0.9)*g, v <- 0.999*v + (1 - 0.999)*g^2, ".
std::string moments(double beta1, double beta2);
/// "(m/(1 - 0.9^t))" and "(sqrt(v/(1 - 0.999^t)) + 1e-08)", for a name of either.
std::string corrected(const char* m, double beta1);
std::string corrected_root(const char* v, double beta2, double eps);

}  // namespace capstan::optim::detail
