#pragma once
#include <capstan/optim/elementwise.h>

namespace capstan::optim {

struct RMSPropOptions {
  double lr = 1e-2;
  double alpha = 0.99;  // how much of the average of squares is kept
  double eps = 1e-8;
  bool eps_inside_root = false;  // g / sqrt(v + eps) instead of g / (sqrt(v) + eps)
  double weight_decay = 0;       // L2: g + weight_decay * w takes the place of g
  double momentum = 0;
  bool centered = false;  // divide by the standard deviation instead of the root mean square

  /// Dive into Deep Learning, section 12.8: eps 1e-6 inside the root.
  static RMSPropOptions d2l(double lr, double gamma = 0.9) { return {.lr = lr, .alpha = gamma, .eps = 1e-6, .eps_inside_root = true}; }
};

/// RMSProp (Hinton, Neural Networks for Machine Learning, lecture 6e, 2012; centred form: Graves, arXiv:1308.0850, eq. 38-41),
/// as torch.optim.RMSprop:
///   v <- alpha*v + (1 - alpha)*g^2,  d = g / (sqrt(v) + eps)      [or / sqrt(v + eps)],  w <- w - lr*d
/// With momentum, m <- momentum*m + d and w <- w - lr*m. Centred, v - a^2 takes the place of v in d, where
/// a <- alpha*a + (1 - alpha)*g. It is Adagrad with a sum that forgets: the rate recovers when gradients become small.
/// A zero gradient makes the averages forget (and with momentum moves w). Without momentum and weight decay a step by rows touches these
/// alone; a row's averages catch up before they are used.
/// Throws ValueError unless lr, eps, weight_decay and momentum are >= 0 and alpha lies in [0, 1).
/// A square that overflows (from |g| = 1.8e19 on in f32, 1.3e154 in f64) makes v infinite and stops the element for good.
/// Weakness: the average starts from 0 without correction, so that first steps are up to 1/sqrt(1 - alpha) times lr. Centred,
/// a steady gradient makes v - a^2 vanish, rounding may leave it below 0 (it counts as 0 then) and the step reaches lr*g/eps.
struct RMSProp : Elementwise<RMSProp, RMSPropOptions> {
  using Elementwise::Elementwise;
  static constexpr auto name = "rmsprop";
  static constexpr auto source = "Hinton, Neural Networks for Machine Learning, lecture 6e, 2012";
  static constexpr Field fields[] = {{"lr", &RMSPropOptions::lr},
                                     {"alpha", &RMSPropOptions::alpha, Range::fraction},
                                     {"eps", &RMSPropOptions::eps},
                                     {"eps_inside_root", &RMSPropOptions::eps_inside_root},
                                     {"weight_decay", &RMSPropOptions::weight_decay},
                                     {"momentum", &RMSPropOptions::momentum, Range::not_negative},
                                     {"centered", &RMSPropOptions::centered}};

  /// What all four rules share: the averages' factors and the division.
  template <class T>
  struct Base {
    static constexpr bool forgets = true;
    T lr, keep, take, eps_in, eps_out;
    Base(const RMSPropOptions& o, StepInfo step)
        : lr(T(step.lr)),
          keep(T(o.alpha)),
          take(T(1 - o.alpha)),
          eps_in(T(o.eps_inside_root ? o.eps : 0)),
          eps_out(T(o.eps_inside_root ? 0 : o.eps)) {}
    T average(T v, T x) const { return keep * v + take * x; }
    T root(T v) const { return std::sqrt((v < T(0) ? T(0) : v) + eps_in) + eps_out; }
    T rate_of(T v, T a) const { return is_finite(v) ? lr / root(v - a * a) : T(0); }
    T divide(T g, T v) const {
      const T below = root(v);
      return below == T(0) ? T(0) : g / below;
    }
  };

  template <class T>
  struct Plain : Base<T> {
    using Base<T>::Base;
    static constexpr std::array states = {"square_avg"};
    Fade<T> idle() const { return Fade<T>(this->keep); }
    void operator()(T& w, T g, T& v) const {
      v = this->average(v, g * g);
      w -= this->lr * this->divide(g, v);
    }
    T rate(T v) const { return this->lr / this->root(v); }
  };

  template <class T>
  struct Momentum : Base<T> {
    static constexpr std::array states = {"square_avg", "momentum"};
    T momentum;
    Momentum(const RMSPropOptions& o, StepInfo step) : Base<T>(o, step), momentum(T(o.momentum)) {}
    void operator()(T& w, T g, T& v, T& m) const {
      v = this->average(v, g * g);
      m = momentum * m + this->divide(g, v);
      w -= this->lr * m;
    }
    T rate(T v, T) const { return this->lr / this->root(v); }
  };

  template <class T>
  struct Centered : Base<T> {
    using Base<T>::Base;
    static constexpr std::array states = {"square_avg", "grad_avg"};
    Fade<T> idle() const { return Fade<T>(this->keep); }
    void operator()(T& w, T g, T& v, T& a) const {
      v = this->average(v, g * g);
      a = this->average(a, g);
      w -= this->lr * this->divide(g, v - a * a);
    }
    T rate(T v, T a) const { return this->rate_of(v, a); }
  };

  template <class T>
  struct CenteredMomentum : Base<T> {
    static constexpr std::array states = {"square_avg", "grad_avg", "momentum"};
    T momentum;
    CenteredMomentum(const RMSPropOptions& o, StepInfo step) : Base<T>(o, step), momentum(T(o.momentum)) {}
    void operator()(T& w, T g, T& v, T& a, T& m) const {
      v = this->average(v, g * g);
      a = this->average(a, g);
      m = momentum * m + this->divide(g, v - a * a);
      w -= this->lr * m;
    }
    T rate(T v, T a, T) const { return this->rate_of(v, a); }
  };

  template <class T>
  using Rules = RuleList<Plain<T>, Momentum<T>, Centered<T>, CenteredMomentum<T>>;
  static std::size_t rule_index(const RMSPropOptions& o) { return (detail::equal(o.momentum, 0) ? 0u : 1u) + (o.centered ? 2u : 0u); }
  static std::string formula(const RMSPropOptions& o);
};

extern template class Method<RMSProp, RMSPropOptions>;
extern template class Elementwise<RMSProp, RMSPropOptions>;

}  // namespace capstan::optim
