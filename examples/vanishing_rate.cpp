// Online regression whose true weights go round a circle, once in 500 examples. Adagrad's sum of squared gradients only
// grows, so its effective rate dies and it loses the target; RMSProp's forgets, and it keeps following.
// Each method's rate is the best of a grid over the first 2,000 examples, as one would choose it; then the run goes on. (A
// larger rate only puts Adagrad's end off: at 7 it still follows after 100,000 examples and no more after 1,000,000.)
// Run:       ./run example vanishing_rate        (--optimizer takes RMSProp's place, with an lr= its grid's too; --lr that of both grids)
// Last line: adagrad's error at the end is at least ([5-9]|[1-9][0-9]+)\.[0-9] times that of rmsprop
// Picture:   vanishing_rate.svg rate, mean of 5 seeds<
// Test:
// Last line: adagrad's error at the end is 0\.[0-9]+ to 0\.[0-9]+ times that of rmsprop lr=1e-9
// Test:      --epochs 3 --optimizer "rmsprop lr=1e-9"
#include <capstan/train/rate_microscope.h>

#include "cli.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

using namespace capstan;

namespace {

constexpr std::int64_t seeds = 5, turn = 500, epoch_size = 1000, tried_epochs = 2, observed = 100;
constexpr double noise = 0.1;
const train::RateMicroscopeOptions microscope_options = {.frozen_below = 0.1, .title = "Adagrad's effective rates"};
const std::vector<double> rates = {0.45, 0.7, 1, 1.4, 2, 3, 4.5, 7};  // Adagrad's; RMSProp's are 1/100 of them

/// By epoch of 1,000 examples.
struct Curve {
  std::vector<double> error;  // mean distance from the true weights
  std::vector<double> rate;   // mean effective rate, the median of the two weights'; NaN for a method that has none
  std::unique_ptr<optim::Optimizer> optimizer = {};
  std::optional<train::RateMicroscope> microscope = {};  // where the method has effective rates
};

Curve follow(const std::string& method, double lr, std::int64_t seed, std::int64_t epochs) {
  manual_seed(static_cast<std::uint64_t>(seed));
  Tensor w = parameter(zeros({2}));
  Curve curve{.optimizer = optim::make(method, {{"w", w}})};
  curve.optimizer->set_lr(lr);
  if (!curve.optimizer->effective_rates().empty()) curve.microscope.emplace(*curve.optimizer, microscope_options);
  for (std::int64_t epoch = 0; epoch < epochs; ++epoch) {
    const Tensor xs = randn({epoch_size, 2}), noises = noise * randn({epoch_size});
    double distance = 0, rate = curve.microscope ? 0 : std::nan("");
    for (std::int64_t i = 0; i < epoch_size; ++i) {
      const double angle = 2 * std::numbers::pi * static_cast<double>(i % turn) / turn;
      const Tensor target = tensor({std::cos(angle), std::sin(angle)}), x = xs.rows(i, i + 1);
      const Tensor y = matmul(x, target) + noises.rows(i, i + 1);
      Tape tape;
      const Tensor loss = mse_loss(matmul(x, w), y);
      if (!(loss.item() < 1e6)) {  // diverged
        curve.error.resize(static_cast<std::size_t>(epochs), std::numeric_limits<double>::infinity());
        curve.rate.resize(curve.error.size(), std::nan(""));
        return curve;
      }
      curve.optimizer->step(tape.gradients(loss));
      distance += sqrt(sum(square(w - target))).item();
      if (!curve.microscope || (i + 1) % observed != 0) continue;
      curve.microscope->observe();
      rate += curve.microscope->all().median() * observed / epoch_size;
    }
    curve.error.push_back(distance / epoch_size);
    curve.rate.push_back(rate);
  }
  return curve;
}

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double v : values) sum += v;
  return sum / static_cast<double>(values.size());
}

/// A method at one rate, with a curve for each seed.
struct Run {
  std::string method;
  double lr;
  std::vector<Curve> curves = {};

  Run(std::string name, double rate, const cli::Flags& flags, std::int64_t epochs) : method(std::move(name)), lr(rate) {
    for (std::int64_t i = 0; i < seeds; ++i) curves.push_back(follow(method, lr, flags.seed + i, epochs));
  }
  /// The mean over the seeds.
  std::vector<double> mean(std::vector<double> Curve::*values) const {
    std::vector<double> sum((curves.front().*values).size());
    for (const Curve& curve : curves)
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += (curve.*values)[i] / static_cast<double>(curves.size());
    return sum;
  }
};

/// The rate of the grid with which the method errs least over the first examples.
double choose_rate(const std::string& method, std::optional<double> given, double scale, const cli::Flags& flags) {
  if (given) return *given;
  std::printf("%s, error over the first %d examples\n", method.c_str(), static_cast<int>(tried_epochs * epoch_size));
  double least = std::numeric_limits<double>::infinity(), best = 0;
  for (const double rate : rates) {
    const double error = mean_of(Run(method, rate * scale, flags, tried_epochs).mean(&Curve::error));
    if (std::isfinite(error))
      std::printf("  lr %-8g %8.4f\n", rate * scale, error);
    else
      std::printf("  lr %-8g diverges\n", rate * scale);
    if (error < least) least = error, best = rate * scale;
  }
  if (best == 0) throw ValueError("[vanishing_rate] " + method + " diverges at every rate of the grid (give it a lower one with lr=)");
  std::printf("  chosen: %g%s\n", best, best == rates.front() * scale || best == rates.back() * scale ? " (the best may lie outside)" : "");
  return best;
}

void draw_chart(const cli::Flags& flags, const std::string& file, const std::string& title, const std::string& label, const Run& a,
                const Run& b, std::vector<double> Curve::*values) {
  train::LineChart chart({.title = title, .x = {.label = "thousands of examples"}, .y = {.label = label, .log = true}});
  for (const Run* run : {&a, &b}) {
    const std::vector<double> y = run->mean(values);
    std::vector<double> x(y.size());
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<double>(i + 1);
    chart.add(run->method, x, y);
  }
  flags.save(chart, file);
}

int run(const cli::Flags& flags) {
  const std::string rival = flags.optimizer.value_or("rmsprop");
  const double lr = choose_rate("adagrad", flags.others_lr(), 1, flags), rival_lr = choose_rate(rival, flags.lr, 0.01, flags);
  const Run adagrad("adagrad", lr, flags, flags.epochs), other(rival, rival_lr, flags, flags.epochs);
  for (const Run* run : {&adagrad, &other})
    if (!std::isfinite(run->mean(&Curve::error).back()))
      throw ValueError("[vanishing_rate] " + cli::with_rate(run->method, run->lr, " at lr ") + " diverges (give it a lower rate)");

  const std::vector<double> rate = adagrad.mean(&Curve::rate), other_rate = other.mean(&Curve::rate);
  const std::vector<double> error = adagrad.mean(&Curve::error), other_error = other.mean(&Curve::error);
  std::printf("\n               effective rate             error\nexamples   %9s %9s   %8s %8s\n", "adagrad", rival.c_str(), "adagrad",
              rival.c_str());
  for (std::size_t i = 0; i < rate.size(); i = i + 1 < rate.size() ? std::min(2 * i + 1, rate.size() - 1) : i + 1)
    std::printf("%7d000   %9.5f %9.5f   %8.4f %8.4f\n", static_cast<int>(i) + 1, rate[i], other_rate[i], error[i], other_error[i]);
  std::printf("effective rate, mean of %d seeds, the first 1,000 examples and the last: adagrad's went from %.5f to %.5f",
              static_cast<int>(seeds), rate.front(), rate.back());
  if (other.curves.front().microscope) std::printf(", that of %s from %.5f to %.5f", rival.c_str(), other_rate.front(), other_rate.back());
  std::printf("\n");
  const train::RateMicroscope& microscope = *adagrad.curves.front().microscope;
  if (const std::string warning = microscope.warning(); !warning.empty())
    std::printf("seed %lld alone, from its first look on: %s\n", static_cast<long long>(flags.seed), warning.c_str());
  flags.save(microscope, "vanishing_rate_histogram.svg");
  microscope.write_csv(flags.path("vanishing_rate.csv"));
  std::printf("wrote %s\n", flags.path("vanishing_rate.csv").c_str());
  draw_chart(flags, "vanishing_rate.svg", "Effective rate", "rate, mean of 5 seeds", adagrad, other, &Curve::rate);
  draw_chart(flags, "vanishing_rate_error.svg", "Distance from the moving target", "distance, mean of 5 seeds", adagrad, other,
             &Curve::error);

  std::printf("\nerror over the last %d,000 examples\nseed  %8s  %8s\n", static_cast<int>(std::min<std::int64_t>(10, flags.epochs)),
              "adagrad", rival.c_str());
  double least = std::numeric_limits<double>::infinity(), most = 0;
  for (std::size_t i = 0; i < seeds; ++i) {
    const auto end_of = [](const std::vector<double>& v) {
      return mean_of({v.end() - std::min<std::ptrdiff_t>(10, std::ssize(v)), v.end()});
    };
    const double a = end_of(adagrad.curves[i].error), b = end_of(other.curves[i].error);
    std::printf("%4lld  %8.4f  %8.4f\n", static_cast<long long>(flags.seed) + static_cast<long long>(i), a, b);
    least = std::min(least, a / b);
    most = std::max(most, a / b);
  }
  if (least >= 1)
    std::printf("adagrad's error at the end is at least %.1f times that of %s\n", least, rival.c_str());
  else
    std::printf("adagrad's error at the end is %.2f to %.2f times that of %s\n", least, most, rival.c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run(argc, argv, {.description = "Adagrad and RMSProp after a moving target", .epochs = 100, .epoch = "thousands of examples"},
                  run);
}
