#pragma once
#include <capstan/optim/elementwise.h>

namespace capstan::optim {

/// The names and defaults of the authors' program.
struct ProdigyOptions {
  double lr = 1;         // what the rate found is multiplied by: for a schedule
  double beta1 = 0.9;    // how much of the average of gradients is kept
  double beta2 = 0.999;  // how much of the average of squares is kept; its root is how much of r and s
  double eps = 1e-8;
  double d0 = 1e-6;              // where d starts: far below the way to go
  double d_coef = 1;             // what an estimate of d is multiplied by
  double weight_decay = 0;       // decoupled: w shrinks by lr * d * weight_decay * w before each step
  bool bias_correction = false;  // lr is lr * sqrt(1 - beta2^t) / (1 - beta1^t), as in Adam
};

/// Prodigy (Mishchenko & Defazio, arXiv:2306.06101, algorithm 4), which finds its own rate: Adam with the rate d, an estimate of how
/// far all parameters together have to go. With b = sqrt(beta2) and w0 where an element was before its first step,
///   r <- b*r + (1 - b)*lr*d^2 * <g, w0 - w>,  s <- b*s + (1 - b)*lr*d^2 * g
///   m <- beta1*m + (1 - beta1)*d*g,  v <- beta2*v + (1 - beta2)*d^2*g^2
///   w <- w - lr*d*weight_decay*w - lr*d * m / (sqrt(v) + d*eps)
///   d <- max(d, d_coef * r/|s|)                                               [|s|: the sum of all |s|]
/// r and d are numbers that all parameters share; <g, w0 - w> and |s| run over all of them. Kept are m over d0, and r, s and v over d0^2,
/// so that f32 holds them. Where the root and eps are 0, w stays. Of groups, the first one's beta2, d0 and d_coef count for r and d. A zero
/// gradient still moves w once m is not 0, so that a lazy sparse step is not exact.
/// Throws ValueError:
///   - unless lr, eps and weight_decay are >= 0;
///   - unless d0 and d_coef are > 0;
///   - unless beta1 and beta2 lie in [0, 1).
/// A square that overflows (from |g| = 1.8e19*d0/d on in f32, 1.3e154*d0/d in f64) makes v infinite and stops the element for good.
/// Weakness: d never falls, so that too large an estimate stays. There are four numbers of state for each element, and two passes more
/// over all of them, on one thread.
struct Prodigy : Elementwise<Prodigy, ProdigyOptions> {
  explicit Prodigy(const Parameters& parameters, ProdigyOptions options = {});

  static constexpr auto name = "prodigy";
  static constexpr auto source = "Mishchenko & Defazio, arXiv:2306.06101, algorithm 4";
  static constexpr Field fields[] = {{"lr", &ProdigyOptions::lr},
                                     {"beta1", &ProdigyOptions::beta1, Range::fraction},
                                     {"beta2", &ProdigyOptions::beta2, Range::fraction},
                                     {"eps", &ProdigyOptions::eps},
                                     {"d0", &ProdigyOptions::d0, Range::positive},
                                     {"d_coef", &ProdigyOptions::d_coef, Range::positive},
                                     {"weight_decay", &ProdigyOptions::weight_decay},
                                     {"bias_correction", &ProdigyOptions::bias_correction}};
  static constexpr std::array states = {"exp_avg", "exp_avg_sq", "s", "start"};

  /// d as it is now.
  double d() const noexcept { return d_; }

  template <class T>
  struct Rule {
    T d, keep1, take1, keep2, take2, keep3, take3, lr, eps, shrink;  // d is divided by d0
    bool first;
    Rule(const ProdigyOptions& o, StepInfo step, const Prodigy& method);
    void operator()(T& w, T g, T& m, T& v, T& s, T& start) const {
      start = first ? w : start;
      const T x = finite_or(d * g, g);
      m = keep1 * m + take1 * x;
      v = keep2 * v + take2 * (x * x);
      s = finite_or(keep3 * s + take3 * g, s);
      const T root = std::sqrt(v) + eps;
      w = w * shrink - (root == T(0) ? T(0) : lr * m / root);
    }
  };

  static Decay decay(const ProdigyOptions&) { return Decay::own; }
  static std::string formula(const ProdigyOptions& o);

 protected:
  void prepare(double loss) override;
  void finish() override;

 private:
  double& d_;
  double& r_;
  double towards_ = 0;  // what the step adds to r
};

extern template class Method<Prodigy, ProdigyOptions>;
extern template class Elementwise<Prodigy, ProdigyOptions>;

}  // namespace capstan::optim
