#pragma once
#include <capstan/optim/elementwise.h>

namespace capstan::optim {

/// The defaults are PyTorch's. The presets are the forms in which other libraries compute "Adagrad". A result can only be reproduced with
/// the right one: at |g| = 1e-6 their first steps differ by a factor of 316,000.
struct AdagradOptions {
  double lr = 1e-2;
  double eps = 1e-10;
  bool eps_inside_root = false;    // g / sqrt(s + eps) instead of g / (sqrt(s) + eps)
  double initial_accumulator = 0;  // what s starts from
  double lr_decay = 0;             // lr / (1 + (t - 1) * lr_decay)
  double weight_decay = 0;         // L2: g + weight_decay * w takes the place of g

  static AdagradOptions torch(double lr) { return {.lr = lr}; }
  /// Dive into Deep Learning, section 12.7: eps 1e-6 inside the root.
  static AdagradOptions d2l(double lr) { return {.lr = lr, .eps = 1e-6, .eps_inside_root = true}; }
  /// optax.adagrad: eps 1e-7 inside the root, accumulator from 0.1.
  static AdagradOptions optax(double lr) { return {.lr = lr, .eps = 1e-7, .eps_inside_root = true, .initial_accumulator = 0.1}; }
  /// keras.optimizers.Adagrad: the same as optax's.
  static AdagradOptions keras(double lr) { return optax(lr); }
  /// mlx.optimizers.Adagrad: eps 1e-8 outside the root.
  static AdagradOptions mlx(double lr) { return {.lr = lr, .eps = 1e-8}; }
  /// DyNet's AdagradTrainer: eps 1e-20 inside the root.
  static AdagradOptions dynet(double lr) { return {.lr = lr, .eps = 1e-20, .eps_inside_root = true}; }
};

/// Adagrad (Duchi, Hazan & Singer, JMLR 12, 2011, figure 1, diagonal form; McMahan & Streeter, COLT 2010):
///   s <- s + g^2,   w <- w - lr/(1 + (t-1)*lr_decay) * g / (sqrt(s) + eps)      [or / sqrt(s + eps)]
/// with one s for each element. Frequent features get small steps and rare ones large steps. An element with g = 0 and
/// s = 0 stays where it is, also for eps = 0. Zero gradients change nothing, so that a sparse step is exact unless there is
/// weight decay. Throws ValueError unless lr, eps, initial_accumulator, lr_decay and weight_decay are >= 0.
/// A square that overflows (from |g| = 1.8e19 on in f32, 1.3e154 in f64) makes s infinite and stops the element for good.
/// Weakness: s only grows, so the rate falls like 1/sqrt(t) at best and dies where early gradients were large; RMSProp
/// forgets them.
struct Adagrad : Elementwise<Adagrad, AdagradOptions> {
  using Elementwise::Elementwise;
  static constexpr auto name = "adagrad";
  static constexpr auto source = "Duchi, Hazan & Singer, JMLR 12, 2011, figure 1";
  static constexpr Field fields[] = {{"lr", &AdagradOptions::lr},
                                     {"eps", &AdagradOptions::eps},
                                     {"eps_inside_root", &AdagradOptions::eps_inside_root},
                                     {"initial_accumulator", &AdagradOptions::initial_accumulator, Range::not_negative},
                                     {"lr_decay", &AdagradOptions::lr_decay, Range::not_negative},
                                     {"weight_decay", &AdagradOptions::weight_decay}};
  static constexpr std::array states = {"sum"};

  static constexpr double lr_at(const AdagradOptions& o, StepInfo step) {
    return detail::equal(o.lr_decay, 0) ? step.lr : step.lr / (1 + static_cast<double>(step.t - 1) * o.lr_decay);
  }

  template <class T>
  struct Rule {
    T lr, inside, outside;
    Rule(const AdagradOptions& o, StepInfo step)
        : lr(T(lr_at(o, step))), inside(T(o.eps_inside_root ? o.eps : 0)), outside(T(o.eps_inside_root ? 0 : o.eps)) {}
    T sum(T s, T g) const { return s + g * g; }
    void operator()(T& w, T g, T& s) const {
      s = sum(s, g);
      const T below = root(s);
      w -= below == T(0) ? T(0) : lr * g / below;
    }
    T root(T s) const { return std::sqrt(s + inside) + outside; }
    static constexpr bool rests = true, forgets = false;
    T rate(T s) const { return lr / root(s); }
  };

  static double initial(const AdagradOptions& o, std::size_t) { return o.initial_accumulator; }
  static std::string formula(const AdagradOptions& o);
};

extern template class Method<Adagrad, AdagradOptions>;
extern template class Elementwise<Adagrad, AdagradOptions>;

}  // namespace capstan::optim
