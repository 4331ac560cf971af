#pragma once
#include <capstan/optim/adam.h>

namespace capstan::optim {

/// PyTorch's names and defaults.
struct AdamWOptions {
  double lr = 1e-3;
  double beta1 = 0.9;    // how much of the average of gradients is kept
  double beta2 = 0.999;  // how much of the average of squares is kept
  double eps = 1e-8;
  double weight_decay = 1e-2;  // decoupled: w shrinks by lr * weight_decay * w before each step
  bool amsgrad = false;        // divide by the largest average of squares so far
};

/// AdamW (Loshchilov & Hutter, ICLR 2019, algorithm 2), as torch.optim.AdamW:
///   w <- w - lr*weight_decay*w,  then Adam's step (optim/adam.h), whose averages do not see the decay.
/// The paper multiplies weight_decay by the schedule alone; PyTorch's also by lr. Throws what Adam throws. A lazy sparse step
/// is not exact, for Adam's reasons and for the decay.
/// A square that overflows (from |g| = 1.8e19 on in f32, 1.3e154 in f64) makes v infinite and stops the element for good.
/// Weakness: Adam's; and the decay is tied to lr: who halves lr halves the regularisation.
struct AdamW : Elementwise<AdamW, AdamWOptions> {
  using Elementwise::Elementwise;
  static constexpr auto name = "adamw";
  static constexpr auto source = "Loshchilov & Hutter, ICLR 2019, algorithm 2";
  static constexpr Field fields[] = {
      {"lr", &AdamWOptions::lr},   {"beta1", &AdamWOptions::beta1, Range::fraction}, {"beta2", &AdamWOptions::beta2, Range::fraction},
      {"eps", &AdamWOptions::eps}, {"weight_decay", &AdamWOptions::weight_decay},    {"amsgrad", &AdamWOptions::amsgrad}};

  template <class T>
  using Rules = RuleList<Adam::Plain<T>, Adam::AMSGrad<T>>;
  static std::size_t rule_index(const AdamWOptions& o) { return o.amsgrad ? 1 : 0; }
  static Decay decay(const AdamWOptions&) { return Decay::decoupled; }
  static std::string formula(const AdamWOptions& o);
};

extern template class Method<AdamW, AdamWOptions>;
extern template class Elementwise<AdamW, AdamWOptions>;

}  // namespace capstan::optim
