#pragma once
#include <capstan/optim/elementwise.h>

namespace capstan::optim {

/// PyTorch's names and defaults.
struct SparseAdamOptions {
  double lr = 1e-3;
  double beta1 = 0.9, beta2 = 0.999;
  double eps = 1e-8;
};

/// Lazy Adam along gradients by rows, as torch.optim.SparseAdam: Adam's step (Kingma & Ba, arXiv:1412.6980) for the rows of the gradient,
///   m <- m + (1 - beta1)*(g - m),   v <- v + (1 - beta2)*(g^2 - v),
///   w <- w - lr*sqrt(1 - beta2^t)/(1 - beta1^t) * m/(sqrt(v) + eps),
/// while w, m and v of all others rest. The parameter's steps t count for every row.
/// Along the same gradient with zeros Adam would make another step: m would move w on, and m and v would forget. No other method here
/// does so. Throws ValueError, before anything is changed, for a dense gradient. Throws it unless lr and eps are >= 0, and beta1
/// and beta2 lie in [0, 1). Its eps stands beside the root of the uncorrected v: at first it weighs more than Adam's.
/// A square that overflows (from |g| = 1.8e19 on in f32, 1.3e154 in f64) makes v infinite and stops the element for good.
/// Weakness: a rare row is corrected as if it had seen all t steps. Its first steps reach lr*(1 - beta1)/sqrt(1 - beta2), or 3*lr.
struct SparseAdam : Elementwise<SparseAdam, SparseAdamOptions> {
  explicit SparseAdam(const Parameters& parameters, SparseAdamOptions options = {}) : Elementwise(parameters, options, true) {}
  explicit SparseAdam(detail::NoParameters, SparseAdamOptions options = {}) : Elementwise(Parameters(), options, true) {}
  static constexpr auto name = "sparse_adam";
  static constexpr bool only_rows = true;
  static constexpr auto source = "Kingma & Ba, arXiv:1412.6980, lazily: torch.optim.SparseAdam";
  static constexpr auto formula =
      "for the rows of g: m <- {beta1}*m + (1 - {beta1})*g, v <- {beta2}*v + (1 - {beta2})*g^2, "
      "w <- w - {lr}*sqrt(1 - {beta2}^t)/(1 - {beta1}^t)*m/(sqrt(v) + {eps})";
  static constexpr Field fields[] = {{"lr", &SparseAdamOptions::lr},
                                     {"beta1", &SparseAdamOptions::beta1, Range::fraction},
                                     {"beta2", &SparseAdamOptions::beta2, Range::fraction},
                                     {"eps", &SparseAdamOptions::eps}};
  static constexpr std::array states = {"exp_avg", "exp_avg_sq"};

  template <class T>
  struct Rule {
    static constexpr bool rests = true;  // no row comes without a gradient
    static constexpr bool forgets = true;
    T step_size, take1, take2, eps;
    Rule(const SparseAdamOptions& o, StepInfo step)
        : step_size(T(step.lr * std::sqrt(1 - std::pow(o.beta2, step.t)) / (1 - std::pow(o.beta1, step.t)))),
          take1(T(1 - o.beta1)),
          take2(T(1 - o.beta2)),
          eps(T(o.eps)) {}
    void operator()(T& w, T g, T& m, T& v) const {
      m += take1 * (g - m);
      v += take2 * (g * g - v);
      const T below = std::sqrt(v) + eps;
      w -= below == T(0) ? T(0) : step_size * (m / below);
    }
    T rate(T, T v) const { return step_size / (std::sqrt(v) + eps); }
  };

 protected:
  void prepare(double loss) override;
};

extern template class Method<SparseAdam, SparseAdamOptions>;
extern template class Elementwise<SparseAdam, SparseAdamOptions>;

}  // namespace capstan::optim
