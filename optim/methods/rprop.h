#pragma once
#include <capstan/optim/elementwise.h>

namespace capstan::optim {

/// PyTorch's defaults.
struct RpropOptions {
  double lr = 1e-2;  // what every step size starts from; later changes of it have no effect
  double etaminus = 0.5;
  double etaplus = 1.2;
  double step_size_min = 1e-6;
  double step_size_max = 50;
};

/// Rprop (Riedmiller & Braun, IEEE ICNN 1993; the form iRprop- of Igel & Huesken, Neurocomputing 50, 2003, which takes no
/// step back), as torch.optim.Rprop, with one step size h for each element, within step_size_min and step_size_max:
///   h <- etaplus*h     where g has the sign of the gradient before,
///   h <- etaminus*h    and g <- 0 where it has the opposite sign;
///   w <- w - h*sign(g)
/// Only signs of full-batch gradients count. A zero gradient moves no w, but the next one finds no sign to compare with. A row that a
/// gradient by rows did not hold forgets its signs before it is used again: a step by rows touches these alone. Throws ValueError unless lr
/// >= 0, 0 < etaminus < 1 < etaplus and 0 < step_size_min <= step_size_max. Weakness: with minibatches nine small steps one way and one
/// large step back count as nine to one; RMSProp is the answer.
struct Rprop : Elementwise<Rprop, RpropOptions> {
  using Elementwise::Elementwise;
  static constexpr auto name = "rprop";
  static constexpr auto source = "Riedmiller & Braun, IEEE ICNN 1993; Igel & Huesken, Neurocomputing 50, 2003";
  static constexpr auto formula =
      "h <- h*({etaplus} if g has its last sign, {etaminus} and g <- 0 if the opposite one) (from {lr}, "
      "within [{step_size_min}, {step_size_max}]), w <- w - h*sign(g)";
  static constexpr Field fields[] = {{"lr", &RpropOptions::lr},
                                     {"etaminus", &RpropOptions::etaminus},
                                     {"etaplus", &RpropOptions::etaplus},
                                     {"step_size_min", &RpropOptions::step_size_min},
                                     {"step_size_max", &RpropOptions::step_size_max}};
  static constexpr std::array states = {"prev", "step_size"};

  template <class T>
  struct Rule {
    T etaminus, etaplus, least, most;
    Rule(const RpropOptions& o, StepInfo)
        : etaminus(T(o.etaminus)), etaplus(T(o.etaplus)), least(T(o.step_size_min)), most(T(o.step_size_max)) {}
    void operator()(T& w, T g, T& prev, T& h) const {
      // All that depends on the turn is chosen at once: with a store between, loops would store under a mask, slowly.
      const T now = sign(g), turn = now * prev;  // of prev only the sign counts
      const bool back = turn < T(0);
      const T grow = turn > T(0) ? etaplus : T(1), factor = back ? etaminus : grow;
      const T direction = back ? T(0) : now, kept = back ? T(0) : g;
      const T wish = h * factor, enough = wish < least ? least : wish;
      h = enough > most ? most : enough;
      w -= direction * h;
      prev = kept;
    }

    struct Idle {
      T least, most;
      Idle after(std::int64_t) const { return *this; }  // one step or many
      void operator()(T& prev, T& h) const {
        prev = T(0);
        h = h < least ? least : h > most ? most : h;
      }
    };
    Idle idle() const { return {least, most}; }
  };

  static double initial(const RpropOptions& o, std::size_t slot) { return slot == 1 ? o.lr : 0; }
  static void check(const RpropOptions& o);
};

extern template class Method<Rprop, RpropOptions>;
extern template class Elementwise<Rprop, RpropOptions>;

}  // namespace capstan::optim
