// Adagrad on f(x1, x2) = 0.1 x1^2 + 2 x2^2 from (-5, -2), which is twenty times as steep along x2 as along x1. One rate for both
// must compromise: gradient descent at 0.4 creeps along x1, and at 2 it diverges along x2. Adagrad scales each by itself.
// Its path is computed in three ways, which must agree: the bare formula, the tape, and gradients written by hand.
// Run:       ./run example trace2d        (--optimizer takes Adagrad's place; --lr, or its lr=, that of 0.4 and 2)
// Last line: epoch 20, x1: -0\.002295, x2: -0\.000000
// Picture:   trace2d_2.svg least value 0<
// Test:
// Last line: epoch 20, x1: -2\.382563, x2: -0\.158591
// Test:      --lr 0.4
// Picture:   trace2d_0.4.svg adagrad lr=0\.4 eps=1e-6 eps_inside_root=1<
// Test:      --optimizer "adagrad lr=0.4 eps=1e-6 eps_inside_root=1"
#include <capstan/train/contour.h>

#include "cli.h"

#include <algorithm>

using namespace capstan;

namespace {

double f(double x1, double x2) { return 0.1 * x1 * x1 + 2 * x2 * x2; }
double df_dx1(double x1) { return 0.2 * x1; }
double df_dx2(double x2) { return 4 * x2; }

struct Path {
  std::vector<double> x1 = {-5}, x2 = {-2};
};

Path gradient_descent(double lr, std::int64_t epochs) {
  Path path;
  for (std::int64_t i = 0; i < epochs; ++i) {
    path.x1.push_back(path.x1.back() - lr * df_dx1(path.x1.back()));
    path.x2.push_back(path.x2.back() - lr * df_dx2(path.x2.back()));
  }
  return path;
}

/// 1. The bare formula, as the chapter writes it.
Path bare_adagrad(double lr, std::int64_t epochs) {
  Path path;
  double s1 = 0, s2 = 0;
  for (std::int64_t i = 0; i < epochs; ++i) {
    const double x1 = path.x1.back(), x2 = path.x2.back(), g1 = df_dx1(x1), g2 = df_dx2(x2), eps = 1e-6;
    s1 += g1 * g1;
    s2 += g2 * g2;
    path.x1.push_back(x1 - lr / std::sqrt(s1 + eps) * g1);
    path.x2.push_back(x2 - lr / std::sqrt(s2 + eps) * g2);
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
  for (std::int64_t i = 0; i < flags.epochs; ++i) {
    optimizer->step(gradients(x1, x2));
    path.x1.push_back(x1.item());
    path.x2.push_back(x2.item());
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
  double worst = 0;
  for (std::size_t i = 0; i < a.x1.size(); ++i) {
    worst = std::max(worst, std::abs(a.x1[i] - b.x1[i]) / std::max(1.0, std::abs(a.x1[i])));
    worst = std::max(worst, std::abs(a.x2[i] - b.x2[i]) / std::max(1.0, std::abs(a.x2[i])));
  }
  return worst;
}

void print_end(const Path& path) {
  std::printf("epoch %d, x1: %.6f, x2: %.6f\n", static_cast<int>(path.x1.size()) - 1, path.x1.back(), path.x2.back());
}

void trace(const cli::Flags& flags, double lr) {
  const Path descent = gradient_descent(lr, flags.epochs), path = library(flags, lr, taped), hand = library(flags, lr, by_hand);
  const double off = std::max(difference(path, hand), flags.optimizer ? 0 : difference(path, bare_adagrad(lr, flags.epochs)));
  if (!(off <= 1e-12)) throw ValueError("[trace2d] the ways must agree to 1e-12: they differ by " + std::to_string(off));

  std::printf("gradient descent, rate %g%s\n", lr, f(descent.x1.back(), descent.x2.back()) <= f(-5, -2) ? "" : ": diverges");
  print_end(descent);

  const std::string name = flags.optimizer.value_or("Adagrad");
  char rate[32];
  std::snprintf(rate, sizeof rate, "%g", lr);
  train::ContourPlot plot(f, {.title = "f = 0.1 x1² + 2 x2² at rate " + std::string(rate),
                              .x = {.label = "x1", .low = -6, .high = 2},
                              .y = {.label = "x2", .low = -3, .high = 3}});
  plot.path(name, path.x1, path.x2).path("gradient descent", descent.x1, descent.x2);
  flags.save(plot, "trace2d_" + std::string(rate) + ".svg");

  std::printf("%s, rate %g: %s agree, the largest difference is %.1e\n", name.c_str(), lr,
              flags.optimizer ? "tape and hand-written gradients" : "bare formula, tape and hand-written gradients", off);
  print_end(path);
}

int run(const cli::Flags& flags) {
  if (flags.lr)
    trace(flags, *flags.lr);
  else
    for (const double lr : {0.4, 2.0}) trace(flags, lr);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run(argc, argv, {.description = "Adagrad and gradient descent over a valley", .epochs = 20, .epoch = "steps"}, run);
}
