#pragma once
#include <capstan/optim/moments.h>

namespace capstan::optim {

/// PyTorch's names and defaults.
struct AdamOptions {
  double lr = 1e-3;
  double beta1 = 0.9;    // how much of the average of gradients is kept
  double beta2 = 0.999;  // how much of the average of squares is kept
  double eps = 1e-8;
  double weight_decay = 0;  // L2: g + weight_decay * w takes the place of g
  bool amsgrad = false;     // divide by the largest average of squares so far
};

/// Adam (Kingma & Ba, ICLR 2015, algorithm 1), as torch.optim.Adam:
///   m <- beta1*m + (1 - beta1)*g,  v <- beta2*v + (1 - beta2)*g^2
///   w <- w - lr * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)
/// With amsgrad (Reddi, Kale & Kumar, ICLR 2018, algorithm 2), u <- max(u, v) takes the place of v in the root; the
/// correction of u is PyTorch's, the paper has none. Where the root and eps are 0, w stays. Once m is not 0, a zero gradient
/// still moves w, and both averages forget: a lazy sparse step is not exact. Throws ValueError unless lr, eps and
/// weight_decay are >= 0 and beta1 and beta2 lie in [0, 1).
/// A square that overflows (from |g| = 1.8e19 on in f32, 1.3e154 in f64) makes v infinite and stops the element for good.
/// Weakness: a coordinate that was quiet moves by up to lr*(1 - beta1)/sqrt(1 - beta2) at its first large gradient. The rate need not
/// fall, so that there are convex problems on which it does not converge; amsgrad is the answer to those.
struct Adam : Elementwise<Adam, AdamOptions> {
  using Elementwise::Elementwise;
  static constexpr auto name = "adam";
  static constexpr auto source = "Kingma & Ba, ICLR 2015, algorithm 1";
  static constexpr Field fields[] = {
      {"lr", &AdamOptions::lr},   {"beta1", &AdamOptions::beta1, Range::fraction}, {"beta2", &AdamOptions::beta2, Range::fraction},
      {"eps", &AdamOptions::eps}, {"weight_decay", &AdamOptions::weight_decay},    {"amsgrad", &AdamOptions::amsgrad}};

  /// Both rules serve AdamW too, whose options have the same names.
  template <class T>
  struct Plain : detail::AdamStep<T> {
    using detail::AdamStep<T>::AdamStep;
    static constexpr std::array states = {"exp_avg", "exp_avg_sq"};
    void operator()(T& w, T g, T& m, T& v) const {
      m = this->first(m, g);
      v = this->second(v, g);
      this->move(w, m, v);
    }
  };

  template <class T>
  struct AMSGrad : detail::AdamStep<T> {
    using detail::AdamStep<T>::AdamStep;
    static constexpr std::array states = {"exp_avg", "exp_avg_sq", "max_exp_avg_sq"};
    void operator()(T& w, T g, T& m, T& v, T& u) const {
      m = this->first(m, g);
      v = this->second(v, g);
      const T most = u, now = v;  // a choice between references would be no vector operation
      u = most >= now ? most : now;
      this->move(w, m, u);
    }
    static constexpr bool forgets = false;
    T rate(T m, T, T u) const { return detail::AdamStep<T>::rate(m, u); }
  };

  template <class T>
  using Rules = RuleList<Plain<T>, AMSGrad<T>>;
  static std::size_t rule_index(const AdamOptions& o) { return o.amsgrad ? 1 : 0; }
  static std::string formula(const AdamOptions& o);
};

extern template class Method<Adam, AdamOptions>;
extern template class Elementwise<Adam, AdamOptions>;

}  // namespace capstan::optim
