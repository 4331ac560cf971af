#pragma once
#include <capstan/optim/elementwise.h>

namespace capstan::optim {

/// The paper's parameters alpha, beta, lambda1 and lambda2, which it tunes; lr is of the size it found good.
struct FTRLOptions {
  double lr = 0.1;  // alpha
  double beta = 1;
  double l1 = 0;                   // lambda1: w is exactly 0 where the evidence for it stays below
  double l2 = 0;                   // lambda2
  double initial_accumulator = 0;  // what n starts from
};

/// FTRL-Proximal (McMahan et al., Ad Click Prediction, KDD 2013, algorithm 1), for each element:
///   r = sqrt(n + g^2) - sqrt(n),  n <- n + g^2,  z <- z + lr*g - r*w
///   w <- -(z - sign(z)*lr*l1) / (beta + sqrt(n) + lr*l2), and 0 where |z| <= lr*l1
/// Here z is the paper's times lr, which is the same for a constant lr and lets lr change or be 0. The paper starts from
/// w = 0. From another w, z starts from -(beta + sqrt(n))*w, so that what pulls w towards 0 is l1 and l2 alone. Without them
/// it is Adagrad with the rate lr/(beta + sqrt(n)). A zero gradient changes
/// nothing: a lazy sparse step is exact. Throws ValueError unless all options are >= 0.
/// An element whose square overflows (from |g| = 1.8e19 on in f32, 1.3e154 in f64) is left alone in that step, n and z too.
/// Weakness: the weights follow from z: a w changed from outside is forgotten at the next step. The rate only falls.
struct FTRL : Elementwise<FTRL, FTRLOptions> {
  using Elementwise::Elementwise;
  static constexpr auto name = "ftrl";
  static constexpr auto source = "McMahan et al., KDD 2013, algorithm 1";
  static constexpr Field fields[] = {{"lr", &FTRLOptions::lr},
                                     {"beta", &FTRLOptions::beta, Range::not_negative},
                                     {"l1", &FTRLOptions::l1, Range::not_negative},
                                     {"l2", &FTRLOptions::l2, Range::not_negative},
                                     {"initial_accumulator", &FTRLOptions::initial_accumulator, Range::not_negative}};
  static constexpr std::array states = {"accumulator", "linear"};

  template <class T>
  struct Rule {
    T lr, beta, threshold, decay, first;
    Rule(const FTRLOptions& o, StepInfo step)
        : lr(T(step.lr)), beta(T(o.beta)), threshold(T(step.lr * o.l1)), decay(T(step.lr * o.l2)), first(T(o.initial_accumulator)) {}
    void operator()(T& w, T g, T& n, T& z) const {
      const T before = std::sqrt(n);
      const T fresh = -(beta + before) * w;
      const T start = ((n == first) & (z == T(0))) ? fresh : z;
      n += g * g;
      const T root = std::sqrt(n), next = start + lr * g - (root - before) * w;
      const T most = next > threshold ? threshold : next, within = most < -threshold ? -threshold : most;
      const T over = next - within, below = beta + root + decay, moved = -over / below;
      const bool rest = g == T(0);
      // Both are chosen before either is stored: loops would store under a mask otherwise, slowly.
      const T z1 = rest ? z : next, w1 = (rest | (below == T(0))) ? w : moved;
      z = z1;
      w = w1;
    }
    static constexpr bool rests = true, forgets = false;
    T rate(T n, T) const { return lr / (beta + std::sqrt(n) + decay); }
  };

  static double initial(const FTRLOptions& o, std::size_t slot) { return slot == 0 ? o.initial_accumulator : 0; }
  static std::string formula(const FTRLOptions& o);
};

extern template class Method<FTRL, FTRLOptions>;
extern template class Elementwise<FTRL, FTRLOptions>;

}  // namespace capstan::optim
