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
// Last line: adagrad's error at the end is [0-9.]+ at lr [0-9.]+, with nothing to compare it with
// Test:      --epochs 2 --optimizer adagrad
// Last line: adagrad, lr [0-9.]+'s error at the end is [0-9.]+ to [0-9.]+ times that of adagrad lr=0\.03
// Picture:   vanishing_rate.svg adagrad lr=0\.03<
// Picture:   vanishing_rate.svg adagrad, lr [0-9.]+<
// Test:      --epochs 2 --optimizer "adagrad lr=0.03"
// Last line: diverged: sgd lr=1e4 at step 1 of seed 0
// Picture:   vanishing_rate.svg sgd lr=1e4 tells no effective rates<
// Test:      --epochs 2 --optimizer "sgd lr=1e4"
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
const RateMicroscopeOptions microscope_options = {.frozen_below = 0.1, .title = "Adagrad's effective rates"};
const std::vector<double> rates = {0.45, 0.7, 1, 1.4, 2, 3, 4.5, 7};  // Adagrad's; RMSProp's are 1/100 of them

/// By epoch of 1,000 examples.
struct Curve {
  std::vector<double> error;  // mean distance from the true weights
  std::vector<double> rate;   // mean effective rate, the median of the two weights'; NaN for a method that has none
  std::int64_t diverged = 0;  // the step at which it did; the rest of the errors is infinite
  std::unique_ptr<optim::Optimizer> optimizer = {};
  std::optional<RateMicroscope> microscope = {};  // where the method has effective rates
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
      if (!(loss.item() < 1e6)) {
        curve.diverged = epoch * epoch_size + i;
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

/// The rate of the grid with which the method errs least over the first examples; the least one where it diverges at all.
double choose_rate(const std::string& method, std::optional<double> given, double scale, const cli::Flags& flags) {
  if (given) return *given;
  std::printf("%s, error over the first %d examples\n", method.c_str(), static_cast<int>(tried_epochs * epoch_size));
  double least = std::numeric_limits<double>::infinity(), best = 0;
  for (const double rate : rates) {
    const double error = mean_of(Run(method, rate * scale, flags, tried_epochs).mean(&Curve::error));
    if (std::isfinite(error))
      std::printf("  lr %-8g %8s\n", rate * scale, cli::decimals(error, 4).c_str());
    else
      std::printf("  lr %-8g diverges\n", rate * scale);
    if (error < least) least = error, best = rate * scale;
  }
  if (best == 0) {
    std::printf("  none can be chosen (give it a lower one with lr=)\n");
    return rates.front() * scale;
  }
  std::printf("  chosen: %g%s\n", best, best == rates.front() * scale || best == rates.back() * scale ? " (the best may lie outside)" : "");
  return best;
}

/// Adagrad and the method that it is compared with, or Adagrad alone.
struct Runs {
  std::vector<Run> runs;
  std::vector<std::string> names;
};

/// A method's values are left out where there are none, which the note says.
void draw_chart(const cli::Flags& flags, const std::string& file, const std::string& title, const std::string& label, const Runs& all,
                std::vector<double> Curve::*values) {
  std::vector<std::vector<double>> series;
  std::string note;
  bool has_point = false;
  for (std::size_t k = 0; k < all.runs.size(); ++k) {
    if (values == &Curve::rate && !all.runs[k].curves.front().microscope) note = all.names[k] + " tells no effective rates";
    series.push_back(all.runs[k].mean(values));
    has_point = has_point || std::any_of(series[k].begin(), series[k].end(), [](double v) { return v >= 1e-300 && v <= 1e300; });
  }
  if (!has_point) {
    std::printf("no %s: there is no value that can be drawn\n", file.c_str());
    return;
  }
  plot::LineChart chart({.title = title, .x = {.label = "thousands of examples"}, .y = {.label = label, .log = true}, .note = note});
  for (std::size_t k = 0; k < series.size(); ++k) {
    if (values == &Curve::rate && !all.runs[k].curves.front().microscope) continue;
    std::vector<double> x(series[k].size());
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<double>(i + 1);
    chart.add(all.names[k], x, series[k]);
  }
  flags.save(chart, file);
}

void print_table(const Runs& all) {
  std::vector<int> widths;
  int of_rates = 0;
  for (const std::string& name : all.names) {
    widths.push_back(std::max(9, static_cast<int>(name.size())));
    of_rates += widths.back() + 1;
  }
  std::printf("\n          %*s  error\nexamples  ", -of_rates, " effective rate");
  for (const char* gap : {" ", "  "})
    for (std::size_t k = 0; k < widths.size(); ++k) std::printf("%s%*s", k == 0 ? gap : " ", widths[k], all.names[k].c_str());
  const std::size_t epochs = all.runs[0].curves[0].error.size();
  for (std::size_t i = 0; i < epochs; i = i + 1 < epochs ? std::min(2 * i + 1, epochs - 1) : i + 1) {
    std::printf("\n%7d000", static_cast<int>(i) + 1);
    for (std::size_t k = 0; k < widths.size(); ++k) {
      const double rate = all.runs[k].mean(&Curve::rate)[i];
      std::printf(" %*s", widths[k], std::isfinite(rate) ? cli::decimals(rate, 5).c_str() : "-");
    }
    for (std::size_t k = 0; k < widths.size(); ++k)
      std::printf("%s%*s", k == 0 ? "  " : " ", widths[k], cli::score(all.runs[k].mean(&Curve::error)[i]).c_str());
  }
  const char* before = "\neffective rate, mean of 5 seeds, the first 1,000 examples and the last: ";
  for (std::size_t k = 0; k < widths.size(); ++k) {
    const std::vector<double> rate = all.runs[k].mean(&Curve::rate);
    if (!std::isfinite(rate.front()) || !std::isfinite(rate.back())) continue;
    std::printf("%sthat of %s went from %.5f to %.5f", before, all.names[k].c_str(), rate.front(), rate.back());
    before = ", ";
  }
  std::printf("\n");
}

/// What Adagrad's first seed shows under the microscope.
void show_microscope(const cli::Flags& flags, const RateMicroscope& microscope) {
  if (const std::string warning = microscope.warning(); !warning.empty())
    std::printf("seed %lld alone, from its first look on: %s\n", static_cast<long long>(flags.seed), warning.c_str());
  try {
    flags.save(microscope, "vanishing_rate_histogram.svg");
    microscope.write_csv(flags.path("vanishing_rate.csv"));
    std::printf("wrote %s\n", flags.path("vanishing_rate.csv").c_str());
  } catch (const ValueError& error) {  // it diverged before the first look
    std::printf("no histogram: %s\n", error.what());
  }
}

/// The mean of the last ten epochs.
double end_of(const Curve& curve) {
  return mean_of({curve.error.end() - std::min<std::ptrdiff_t>(10, std::ssize(curve.error)), curve.error.end()});
}

void print_ends(const cli::Flags& flags, const Runs& all) {
  std::printf("\nerror over the last %d,000 examples\nseed", static_cast<int>(std::min<std::int64_t>(10, flags.epochs)));
  for (const std::string& name : all.names) std::printf("  %8s", name.c_str());
  double least = std::numeric_limits<double>::infinity(), most = 0, sum = 0;
  for (std::size_t i = 0; i < seeds; ++i) {
    std::printf("\n%4lld", static_cast<long long>(flags.seed) + static_cast<long long>(i));
    for (std::size_t k = 0; k < all.runs.size(); ++k)
      std::printf("  %*s", std::max(8, static_cast<int>(all.names[k].size())), cli::decimals(end_of(all.runs[k].curves[i]), 4).c_str());
    const double times = end_of(all.runs.front().curves[i]) / end_of(all.runs.back().curves[i]);
    least = std::min(least, times);
    most = std::max(most, times);
    sum += end_of(all.runs.front().curves[i]);
  }
  const char* name = all.names[0].c_str();
  if (all.runs.size() == 1)
    std::printf("\n%s's error at the end is %.4f at lr %g, with nothing to compare it with\n", name, sum / seeds, all.runs[0].lr);
  else if (least >= 1)
    std::printf("\n%s's error at the end is at least %.1f times that of %s\n", name, least, all.names[1].c_str());
  else
    std::printf("\n%s's error at the end is %.2f to %.2f times that of %s\n", name, least, most, all.names[1].c_str());
}

/// "sgd at lr 50 at step 4 of seed 0"; empty for a run that is there to its end.
std::string divergence(const cli::Flags& flags, const Run& run) {
  for (std::size_t i = 0; i < seeds; ++i)
    if (run.curves[i].diverged > 0)
      return cli::with_rate(run.method, run.lr, " at lr ") + " at step " + std::to_string(run.curves[i].diverged) + " of seed " +
             std::to_string(flags.seed + static_cast<std::int64_t>(i));
  return "";
}

int run(const cli::Flags& flags) {
  flags.check_targets({"vanishing_rate.svg", "vanishing_rate_error.svg", "vanishing_rate_histogram.svg", "vanishing_rate.csv"});
  const std::string rival = flags.optimizer.value_or("rmsprop");
  const bool is_alone = cli::are_same({rival, 0}, {"adagrad", 0}) && !flags.lr_is_optimizers;
  std::vector<cli::Entrant> methods = {{"adagrad", choose_rate("adagrad", flags.others_lr(), 1, flags)}};
  if (!is_alone) methods.push_back({rival, choose_rate(rival, flags.lr, 0.01, flags)});
  Runs all{{}, cli::names_of(methods)};
  std::string lost;
  for (const cli::Entrant& m : methods) {
    all.runs.emplace_back(m.spec, m.lr, flags, flags.epochs);
    const std::string told = divergence(flags, all.runs.back());
    if (!told.empty()) lost += (lost.empty() ? "" : ", and ") + told;
  }
  print_table(all);
  show_microscope(flags, *all.runs[0].curves.front().microscope);
  draw_chart(flags, "vanishing_rate.svg", "Effective rate", "rate, mean of 5 seeds", all, &Curve::rate);
  draw_chart(flags, "vanishing_rate_error.svg", "Distance from the moving target", "distance, mean of 5 seeds", all, &Curve::error);
  if (lost.empty())
    print_ends(flags, all);
  else
    std::printf("diverged: %s\n", lost.c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run(argc, argv, {.description = "Adagrad and RMSProp after a moving target", .epochs = 100, .epoch = "thousands of examples"},
                  run);
}
