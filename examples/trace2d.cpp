// Adagrad on f(x1, x2) = 0.1 x1^2 + 2 x2^2 from (-5, -2), which is twenty times as steep along x2 as along x1. One rate for both
// must compromise: gradient descent at 0.4 creeps along x1, and at 2 it diverges along x2. Adagrad scales each by itself.
// Its path is computed in three ways, which must agree: the bare formula, the tape, and gradients written by hand.
// Run:       ./run example trace2d        (--optimizer takes Adagrad's place; --lr, or its lr=, that of 0.4 and 2)
// Last line: step 20, x1: -0\.002295, x2: -0\.000000$
#include <capstan/train/contour.h>

#include "cli.h"

#include <algorithm>
#include <cmath>

using namespace capstan;

namespace {

double f(double x1, double x2) { return 0.1 * x1 * x1 + 2 * x2 * x2; }
double df_dx1(double x1) { return 0.2 * x1; }
double df_dx2(double x2) { return 4 * x2; }

/// The points up to the first at which f is not finite: there the path has diverged.
struct Path {
  std::vector<double> x1 = {-5}, x2 = {-2};
  bool diverged = false;

  std::int64_t steps() const { return std::ssize(x1) - 1; }
  void add(double a, double b) {
    diverged = !std::isfinite(f(a, b));
    if (diverged) return;
    x1.push_back(a);
    x2.push_back(b);
  }
};

Path gradient_descent(double lr, std::int64_t steps) {
  Path path;
  while (path.steps() < steps && !path.diverged) {
    const double x1 = path.x1.back(), x2 = path.x2.back();
    path.add(x1 - lr * df_dx1(x1), x2 - lr * df_dx2(x2));
  }
  return path;
}

/// 1. The bare formula, as the chapter writes it.
Path bare_adagrad(double lr, std::int64_t steps) {
  Path path;
  double s1 = 0, s2 = 0;
  while (path.steps() < steps && !path.diverged) {
    const double x1 = path.x1.back(), x2 = path.x2.back(), g1 = df_dx1(x1), g2 = df_dx2(x2), eps = 1e-6;
    s1 += g1 * g1;
    s2 += g2 * g2;
    path.add(x1 - lr / std::sqrt(s1 + eps) * g1, x2 - lr / std::sqrt(s2 + eps) * g2);
  }
  return path;
}

/// The library's optimizer along what `gradients` computes.
template <class F>
Path library(const cli::Flags& flags, double lr, F gradients) {
  Tensor x1 = parameter(tensor(-5, DType::f64)), x2 = parameter(tensor(-2, DType::f64));
  const auto optimizer = flags.make_optimizer<optim::Adagrad>({{"x1", x1}, {"x2", x2}}, optim::AdagradOptions::d2l(lr));
  optimizer->set_lr(lr);
  Path path;
  while (path.steps() < flags.epochs && !path.diverged) {
    optimizer->step(gradients(x1, x2));
    path.add(x1.item(), x2.item());
  }
  return path;
}

/// 2. The tape differentiates f.
Gradients taped(const Tensor& x1, const Tensor& x2) {
  Tape tape;
  return tape.gradients(0.1 * square(x1) + 2 * square(x2));
}

/// 3. Gradients by hand, brought to the optimizer as they are.
Gradients by_hand(const Tensor& x1, const Tensor& x2) {
  const double a = x1.item(), b = x2.item();
  return Gradients::from({{x1, tensor(df_dx1(a), DType::f64)}, {x2, tensor(df_dx2(b), DType::f64)}}, f(a, b));
}

/// The largest difference on the way, beside the size of what differs.
double difference(const Path& a, const Path& b) {
  if (a.x1.size() != b.x1.size()) return INFINITY;
  double worst = 0;
  for (std::size_t i = 0; i < a.x1.size(); ++i) {
    worst = std::max(worst, std::abs(a.x1[i] - b.x1[i]) / std::max(1.0, std::abs(a.x1[i])));
    worst = std::max(worst, std::abs(a.x2[i] - b.x2[i]) / std::max(1.0, std::abs(a.x2[i])));
  }
  return worst;
}

void print_end(const Path& path) {
  const auto last = static_cast<long long>(path.steps());
  std::printf("step %lld, x1: %s, x2: %s", last, cli::decimals(path.x1.back(), 6).c_str(), cli::decimals(path.x2.back(), 6).c_str());
  if (path.diverged) std::printf(", diverged at step %lld", last + 1);
  std::printf("\n");
}

std::string picture_name(double lr) { return "trace2d_" + cli::general(lr) + ".svg"; }

void trace(const cli::Flags& flags, double lr) {
  const Path descent = gradient_descent(lr, flags.epochs), path = library(flags, lr, taped), hand = library(flags, lr, by_hand);
  const double off = std::max(difference(path, hand), flags.optimizer ? 0 : difference(path, bare_adagrad(lr, flags.epochs)));
  if (!(off <= 1e-12)) throw ValueError("[trace2d] the ways must agree to 1e-12: they differ by " + std::to_string(off));

  std::printf("gradient descent, rate %g%s\n", lr,
              !descent.diverged && f(descent.x1.back(), descent.x2.back()) <= f(-5, -2) ? "" : ": diverges");
  print_end(descent);

  const std::string name = flags.optimizer.value_or("Adagrad");
  plot::ContourPlot plot(f, {.title = "f = 0.1 x1² + 2 x2² at rate " + cli::general(lr),
                             .x = {.label = "x1", .low = -6, .high = 2},
                             .y = {.label = "x2", .low = -3, .high = 3}});
  plot.path(name, path.x1, path.x2).path("gradient descent", descent.x1, descent.x2);
  flags.save(plot, picture_name(lr));

  std::printf("%s, rate %g: %s agree, the largest difference is %.1e\n", name.c_str(), lr,
              flags.optimizer ? "tape and hand-written gradients" : "bare formula, tape and hand-written gradients", off);
  print_end(path);
}

int run(const cli::Flags& flags) {
  const std::vector<double> rates = flags.lr ? std::vector{*flags.lr} : std::vector{0.4, 2.0};
  for (const double lr : rates) flags.check_targets({picture_name(lr)});
  for (const double lr : rates) trace(flags, lr);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run(argc, argv, {.description = "Adagrad and gradient descent over a valley", .epochs = 20, .epoch = "steps"}, run);
}

// How it is tested:
// Picture:   trace2d_2.svg least value 0<
// Test:
// Last line: step 20, x1: -2\.382563, x2: -0\.158591$
// Test:      --lr 0.4
// Picture:   trace2d_0.4.svg adagrad lr=0\.4 eps=1e-6 eps_inside_root=1<
// Test:      --optimizer "adagrad lr=0.4 eps=1e-6 eps_inside_root=1"
// Last line: step 14, x1: -8\.2e\+130, x2: -5\.4e\+148, diverged at step 15$
// Picture:   trace2d_1e+10.svg sgd: 14 of 15 points lie outside the frame
// Test:      --optimizer sgd --lr 1e10
