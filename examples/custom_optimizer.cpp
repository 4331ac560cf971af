// Two optimizers of your own: the options, their names, and the rule, for one element or for a tensor as a whole. Registered,
// they are asked for by name, here and wherever a program calls optim::make(). They are compared with Adagrad on the handwritten
// digits, each at its best rate; docs/new-optimizer.md explains each line.
// Run:       ./run example custom_optimizer        (--optimizer takes the place of the first; --lr takes the grid's place)
// Last line: least loss: powersign|adagrad|own_lamb
// Picture:   custom_optimizer.svg powersign, lr [0-9.]+<
// Test:
// Last line: least loss: [a-z_]+
// Picture:   custom_optimizer.svg powersign lr=0\.05 beta=0\.8<
// Test:      --optimizer "powersign lr=0.05 beta=0.8" --epochs 2
// Last line: least loss: [a-z_]+, lr 0\.01
// Test:      --optimizer adagrad --lr 0.01 --epochs 1
// Last line: all diverged
// Test:      --optimizer sgd --lr 1e38 --epochs 1
#include <capstan/optim/whole_tensor.h>
#include <capstan/train/problems.h>

#include <cmath>

#include "cli.h"

using namespace capstan;

struct PowerSignOptions {
  double lr = 0.01, beta = 0.9;
};

/// PowerSign (Bello et al., Neural Optimizer Search, ICML 2017):
///   m <- b*m + (1 - b)*g,  w <- w - lr * e^(sign(g)*sign(m)) * g
/// A step is e times as long where the gradient agrees with its own average, and as many times shorter where it does not.
struct PowerSign : optim::Elementwise<PowerSign, PowerSignOptions> {
  using Elementwise::Elementwise;
  static constexpr auto name = "powersign";
  static constexpr Field fields[] = {{"lr", &PowerSignOptions::lr}, {"beta", &PowerSignOptions::beta}};
  static constexpr std::array states = {"average"};
  template <class T>
  struct Rule {
    T plain, agreed, opposed, b;
    Rule(const PowerSignOptions& o, optim::StepInfo step)
        : plain(T(step.lr)), agreed(T(step.lr * std::exp(1))), opposed(T(step.lr / std::exp(1))), b(T(o.beta)) {}
    void operator()(T& w, T g, T& m) const {
      m = b * m + (1 - b) * g;
      const T both = sign(g) * sign(m);
      w -= (both > 0 ? agreed : both < 0 ? opposed : plain) * g;
    }
  };
};

struct OwnLAMBOptions {
  double lr = 0.01, beta1 = 0.9, beta2 = 0.999, eps = 1e-6, weight_decay = 0;
};

/// LAMB (You et al., ICLR 2020, algorithm 2): Adam's direction u, plus weight decay, made as long as the weights are. The norms
/// are those of a whole tensor, so it is no rule for one element. (optim/lamb.h is the library's own.)
struct OwnLAMB : optim::WholeTensor<OwnLAMB, OwnLAMBOptions> {
  using O = OwnLAMBOptions;
  using WholeTensor::WholeTensor;
  static constexpr auto name = "own_lamb";
  static constexpr Field fields[] = {
      {"lr", &O::lr}, {"beta1", &O::beta1}, {"beta2", &O::beta2}, {"eps", &O::eps}, {"weight_decay", &O::weight_decay}};
  static constexpr std::array states = {"exp_avg", "exp_avg_sq"};
  static optim::Decay decay(const O&) { return optim::Decay::own; }
  static void move(const O& o, optim::StepInfo step, Tensor& w, const Tensor& g, Tensor& m, Tensor& v) {
    m.assign(o.beta1 * m + (1 - o.beta1) * g);
    v.assign(o.beta2 * v + (1 - o.beta2) * square(g));
    const double t = static_cast<double>(step.t), of_m = 1 - std::pow(o.beta1, t), of_v = 1 - std::pow(o.beta2, t);
    const Tensor u = m / of_m / (sqrt(v / of_v) + o.eps) + o.weight_decay * w;
    const double size = norm(w).item(), length = norm(u).item();
    w -= u * (step.lr * (size > 0 && length > 0 ? size / length : 1));
  }
};

namespace {

int run(const cli::Flags& flags) {
  flags.check_targets({"custom_optimizer.svg"});
  Problem digits = problems::digits();
  digits.epochs = flags.epochs;
  digits.seed = static_cast<std::uint64_t>(flags.seed);
  digits.options.rates = flags.rates(digits.options.rates);
  const Comparison result = compare(flags.methods({OwnLAMB::name, "adagrad"}, PowerSign::name), digits);
  std::printf("%s\n", result.table().c_str());
  const auto& winner = result.winner();
  const auto& best = winner.attempts[winner.best];
  if (!std::isfinite(best.last())) return std::printf("all diverged\n"), 0;
  flags.save(result.curves(), "custom_optimizer.svg");
  std::printf("least loss: %s, %s\n", cli::with_rate(winner.spec, best.lr).c_str(), cli::decimals(best.last(), 4).c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  optim::register_optimizer<PowerSign>();
  optim::register_optimizer<OwnLAMB>();
  return cli::run(argc, argv, {.description = "An optimizer of one's own on handwritten digits", .epochs = 20}, run);
}
