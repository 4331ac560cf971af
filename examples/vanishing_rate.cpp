// Online regression whose true weights go round a circle, once in 500 examples. Adagrad's sum of squared gradients only
// grows, so its effective rate dies and it loses the target; RMSProp's forgets, and it keeps following.
// Each method's rate is the best of a grid over the first 2,000 examples, as one would choose it; then the run goes on.
// Run:       ./run example vanishing_rate        (--optimizer takes RMSProp's place, --lr that of both grids)
// Last line: adagrad's error at the end is at least ([5-9]|[1-9][0-9]+)\.[0-9] times that of rmsprop
#include "cli.h"

#include <algorithm>
#include <limits>

using namespace capstan;

namespace {

constexpr std::int64_t seeds = 5, turn = 500, epoch_size = 1000, tried_epochs = 2;
constexpr double noise = 0.1;
const std::vector<double> rates = {0.45, 0.7, 1, 1.4, 2, 3, 4.5, 7};  // Adagrad's; RMSProp's are 1/100 of them

/// By epoch of 1,000 examples.
struct Curve {
  std::vector<double> error;  // mean distance from the true weights
  std::vector<double> rate;   // how far the weights went for each unit of gradient
};

Curve follow(const std::string& method, double lr, std::int64_t seed, std::int64_t epochs) {
  manual_seed(static_cast<std::uint64_t>(seed));
  Tensor w = parameter(zeros({2}));
  const auto optimizer = optim::make(method, {{"w", w}});
  optimizer->set_lr(lr);
  Curve curve;
  for (std::int64_t epoch = 0; epoch < epochs; ++epoch) {
    const Tensor xs = randn({epoch_size, 2}), noises = noise * randn({epoch_size});
    double distance = 0, moved = 0, pushed = 0;
    for (std::int64_t i = 0; i < epoch_size; ++i) {
      const double angle = 2 * M_PI * static_cast<double>(i % turn) / turn;
      const Tensor target = tensor({std::cos(angle), std::sin(angle)}), x = xs.rows(i, i + 1);
      const Tensor y = matmul(x, target) + noises.rows(i, i + 1), before = w.clone();
      Tape tape;
      const Gradients g = tape.gradients(mse_loss(matmul(x, w), y));
      optimizer->step(g);
      const NoGrad pause;
      distance += sqrt(sum(square(w - target))).item();
      moved += sum(abs(w - before)).item();
      pushed += sum(abs(g[w])).item();
    }
    curve.error.push_back(distance / epoch_size);
    curve.rate.push_back(moved / pushed);
  }
  return curve;
}

double mean_of(const std::vector<double>& values, std::size_t begin, std::size_t end) {
  double sum = 0;
  for (std::size_t i = begin; i < end; ++i) sum += values[i];
  return sum / static_cast<double>(end - begin);
}

int run(const cli::Flags& flags) {
  const std::string method = flags.optimizer.empty() ? "rmsprop" : flags.optimizer;
  for (auto [m, f] : {std::pair<std::string, double>{"adagrad", 1}, {method, 0.01}})
    for (double r : rates) {
      double a = 0, b = 0, c = 0, d = 0;
      for (std::int64_t s = 0; s < seeds; ++s) {
        const Curve k = follow(m, r * f, s, flags.epochs);
        a += mean_of(k.error, 0, 2) / 5, b += mean_of(k.error, k.error.size() - 10, k.error.size()) / 5, c += k.rate[0] / 5,
            d += k.rate.back() / 5;
      }
      std::printf("%s %g: early %.4f late %.4f rate %.4f %.4f\n", m.c_str(), r * f, a, b, c, d);
    }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run(argc, argv, {.description = "Adagrad and RMSProp after a moving target", .epochs = 100, .epoch = "thousands of examples"},
                  run);
}
