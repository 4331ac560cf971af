// Two optimizers of your own: the options, their names, and the rule, for one element or for a tensor as a whole. Registered,
// they are asked for by name, here and wherever a program calls optim::make(). They are trained on the handwritten digits
// beside Adagrad, from the same weights and in the same order; docs/new-optimizer.md explains each line.
// Run:       ./run example custom_optimizer        (--optimizer takes the place of the first, --lr is the rate of all)
// Last line: accuracy: powersign 0\.9[5-9][0-9]+, adagrad 0\.9[5-9][0-9]+
// Test:
// Last line: accuracy: powersign lr=0\.05 beta=0\.8 0\.9[5-9][0-9]+, adagrad 0\.9[5-9][0-9]+
// Picture:   custom_optimizer.svg powersign lr=0\.05 beta=0\.8<
// Test:      --optimizer "powersign lr=0.05 beta=0.8"
// Last line: accuracy: powersign lr=1e-9 0\.[01][0-9]+, adagrad 0\.[5-9][0-9]+
// Test:      --optimizer "powersign lr=1e-9" --epochs 1
// Last line: accuracy: own_lamb, lr 0\.1 0\.[0-9]+, adagrad 0\.[0-9]+, own_lamb, lr 0\.005 0\.[0-9]+$
// Picture:   custom_optimizer.svg own_lamb, lr 0\.1<
// Picture:   custom_optimizer.svg own_lamb, lr 0\.005<
// Test:      --optimizer own_lamb --epochs 1
// Last line: accuracy: adagrad 0\.[0-9]+, own_lamb 0\.[0-9]+$
// Test:      --optimizer adagrad --lr 0.01 --epochs 1
// Last line: accuracy: sgd diverged at step [0-9]+, adagrad (0|diverged)
// Test:      --optimizer sgd --lr 1e10 --epochs 1
#include <capstan/optim/whole_tensor.h>

#include "cli.h"

#include <algorithm>
#include <cmath>

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

/// What one method did, by epoch.
struct Run {
  cli::Entrant method;
  std::string name = {};
  std::vector<double> epochs = {}, losses = {};
  double accuracy = 0;
  std::int64_t diverged = 0;  // the step at which it did
};

void train_digits(Run& run, const cli::Flags& flags) {
  manual_seed(static_cast<std::uint64_t>(flags.seed));
  const auto [training, test] = data::digits().split(5);
  nn::Sequential model{nn::Linear(64, 64), nn::ReLU(), nn::Linear(64, 10)};
  const auto optimizer = optim::make(run.method.spec, model.parameters());
  optimizer->set_lr(run.method.lr);
  std::printf("%s\n", optimizer->explain().c_str());
  try {
    for (std::int64_t epoch = 1; epoch <= flags.epochs; ++epoch) {
      const data::Batches batches(training, {.batch_size = 32, .shuffle = true});
      double total = 0;
      for (auto [x, y] : batches) {
        Tape tape;
        const Tensor loss = cross_entropy(model(x), y);
        optimizer->step(tape.gradients(loss));
        total += loss.item();
      }
      run.epochs.push_back(static_cast<double>(epoch));
      run.losses.push_back(total / static_cast<double>(batches.size()));
    }
    run.accuracy = metrics::accuracy(model(test.x), test.y);
  } catch (const NotFiniteError&) {
    run.diverged = optimizer->step_count() + 1;
  }
}

void print_table(const std::vector<Run>& runs, std::int64_t epochs) {
  std::printf("\nepoch");
  for (const Run& r : runs) std::printf("  loss of %s", r.name.c_str());
  for (std::size_t i = 0; i < static_cast<std::size_t>(epochs); ++i) {
    std::printf("\n%5d", static_cast<int>(i) + 1);
    for (const Run& r : runs)
      std::printf("  %*s", static_cast<int>(r.name.size()) + 8, i < r.losses.size() ? cli::decimals(r.losses[i], 4).c_str() : "diverged");
  }
  std::printf("\n");
}

int run(const cli::Flags& flags) {
  flags.check_targets({"custom_optimizer.svg"});
  std::vector<Run> runs;
  for (const cli::Entrant& method :
       {cli::Entrant{flags.optimizer.value_or(PowerSign::name), flags.lr.value_or(0.1)},
        cli::Entrant{"adagrad", flags.others_lr().value_or(0.05)}, cli::Entrant{OwnLAMB::name, flags.others_lr().value_or(0.005)}})
    if (std::none_of(runs.begin(), runs.end(), [&](const Run& r) { return cli::are_same(r.method, method); })) runs.push_back({method});
  std::vector<cli::Entrant> methods;
  for (const Run& r : runs) methods.push_back(r.method);
  const std::vector<std::string> names = cli::names_of(methods);
  for (std::size_t i = 0; i < runs.size(); ++i) runs[i].name = names[i];
  for (Run& r : runs) train_digits(r, flags);
  print_table(runs, flags.epochs);

  std::string note;
  for (const Run& r : runs)
    if (r.diverged) note += (note.empty() ? "" : ", ") + r.name + " diverged at step " + std::to_string(r.diverged);
  plot::LineChart chart(
      {.title = "Handwritten digits, training", .x = {.label = "epoch"}, .y = {.label = "cross entropy", .log = true}, .note = note});
  bool is_empty = true;
  for (const Run& r : runs)
    if (!r.epochs.empty()) chart.add(r.name, r.epochs, r.losses), is_empty = false;
  if (is_empty)
    std::printf("no picture: all diverged in the first epoch\n");
  else
    flags.save(chart, "custom_optimizer.svg");
  const char* before = "accuracy: ";
  for (const Run& r : runs) {
    if (r.diverged)
      std::printf("%s%s diverged at step %lld", before, r.name.c_str(), static_cast<long long>(r.diverged));
    else
      std::printf("%s%s %.4f", before, r.name.c_str(), r.accuracy);
    before = ", ";
  }
  std::printf("\n");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  optim::register_optimizer<PowerSign>();
  optim::register_optimizer<OwnLAMB>();
  return cli::run(argc, argv, {.description = "An optimizer of one's own on handwritten digits", .epochs = 20}, run);
}
