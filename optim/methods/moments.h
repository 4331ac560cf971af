#pragma once
#include <capstan/optim/elementwise.h>

namespace capstan::optim::detail {

/// base^exponent. The last few are kept, for each thread: all parameters of a step ask for the same ones, and for a small one
/// they would take longer than the rest.
double power(double base, double exponent) noexcept;

/// What the methods of Adam's family share: the running averages m of the gradient and v of its square, which start from 0,
/// and the factors 1 - beta^t by which they are still too small after t steps.
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
  void first(T& m, T g) const { m = keep1 * m + take1 * g; }
  void second(T& v, T x) const { v = keep2 * v + take2 * (x * x); }
};

/// For check() and formula(): both must lie in [0, 1); "m <- 0.9*m + (1 - 0.9)*g, v <- 0.999*v + (1 - 0.999)*g^2, ".
void require_betas(const char* method, double beta1, double beta2);
std::string moments(double beta1, double beta2);
/// "(m/(1 - 0.9^t))" and "(sqrt(v/(1 - 0.999^t)) + 1e-08)", for a name of either.
std::string corrected(const char* m, double beta1);
std::string corrected_root(const char* v, double beta2, double eps);

}  // namespace capstan::optim::detail
