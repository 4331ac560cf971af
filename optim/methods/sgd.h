#pragma once
#include <capstan/optim/elementwise.h>

namespace capstan::optim {

struct SGDOptions {
  double lr = 1e-3;
  double momentum = 0;
  double dampening = 0;
  bool nesterov = false;
  double weight_decay = 0;  // L2: g + weight_decay * w takes the place of g
};

/// Stochastic gradient descent, as torch.optim.SGD:
///   w <- w - lr*g                                              without momentum, no state;
///   m <- momentum*m + (1 - dampening)*g,  w <- w - lr*m        with momentum (Polyak, 1964); m <- g at the first step;
///   m as before,  w <- w - lr*(g + momentum*m)                 with nesterov (Sutskever et al., ICML 2013, eq. 3-4).
/// Without momentum a zero gradient changes nothing, so that a sparse step is exact unless there is weight decay. With
/// momentum, or decay, a zero gradient still moves w.
/// Throws ValueError unless lr, momentum and weight_decay are >= 0, and for nesterov without momentum or with dampening.
/// An element whose m or w would be infinite is left alone in that step, m too.
/// Weakness: one rate for all coordinates, which must compromise between steep and flat, frequent and rare ones.
struct SGD : Elementwise<SGD, SGDOptions> {
  using Elementwise::Elementwise;
  static constexpr auto name = "sgd";
  static constexpr auto source = "Robbins & Monro, 1951; momentum: Polyak, 1964; nesterov: Sutskever et al., ICML 2013, eq. 3-4";
  static constexpr Field fields[] = {{"lr", &SGDOptions::lr},
                                     {"momentum", &SGDOptions::momentum, Range::not_negative},
                                     {"dampening", &SGDOptions::dampening},
                                     {"nesterov", &SGDOptions::nesterov},
                                     {"weight_decay", &SGDOptions::weight_decay}};

  template <class T>
  struct Plain {
    static constexpr std::array<const char*, 0> states = {};
    static constexpr bool rests = true;
    T lr;
    Plain(const SGDOptions&, StepInfo step) : lr(T(step.lr)) {}
    void operator()(T& w, T g) const { w -= lr * g; }
  };

  template <class T>
  struct Momentum {
    static constexpr std::array states = {"momentum"};
    T lr, keep, take;
    Momentum(const SGDOptions& o, StepInfo step)
        : lr(T(step.lr)), keep(T(step.t == 1 ? 0 : o.momentum)), take(T(step.t == 1 ? 1 : 1 - o.dampening)) {}
    void operator()(T& w, T g, T& m) const {
      m = keep * m + take * g;
      w -= lr * m;
    }
  };

  template <class T>
  struct Nesterov {
    static constexpr std::array states = {"momentum"};
    T lr, momentum, keep;
    Nesterov(const SGDOptions& o, StepInfo step) : lr(T(step.lr)), momentum(T(o.momentum)), keep(T(step.t == 1 ? 0 : o.momentum)) {}
    T sum(T m, T g) const { return keep * m + g; }
    T ahead(T g, T m) const { return g + momentum * m; }
    void operator()(T& w, T g, T& m) const {
      m = sum(m, g);
      w -= lr * ahead(g, m);
    }
  };

  template <class T>
  using Rules = RuleList<Plain<T>, Momentum<T>, Nesterov<T>>;
  static std::size_t rule_index(const SGDOptions& o) { return detail::equal(o.momentum, 0) ? 0 : o.nesterov ? 2 : 1; }
  static void check(const SGDOptions& o);
  static std::string formula(const SGDOptions& o);
};

extern template class Method<SGD, SGDOptions>;
extern template class Elementwise<SGD, SGDOptions>;

}  // namespace capstan::optim
