// Adagrad's sum of squared gradients only grows, so its effective rate dies, and it loses what moves; RMSProp's forgets, and it keeps
// following. Shown twice: online linear regression whose true weights go round a circle, once in 500 examples, and a network on data
// that drift, where the loss is not convex: the chapter's own claim.
// Each method's rate is the best of a grid over the first epochs, as one would choose it; then the run goes on. (A larger rate only
// puts Adagrad's end off.)
// Run:       ./run example vanishing_rate        (--optimizer takes RMSProp's place; --lr takes the grid's place)
// Last line: adagrad's loss at the end, times that of rmsprop: [1-9][0-9]\.[0-9]+ to .* that go round, [2-9]\.[0-9]+ to
#include <capstan/train/compare.h>
#include <capstan/train/rate_microscope.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <numeric>

#include "cli.h"

using namespace capstan;

namespace {

/// What there is to learn, and the loss on the next examples, which no method has seen.
struct World {
  Parameters parameters;
  std::function<Tensor()> next_loss;
};

/// A unit vector, as it stands after that share of a turn.
Tensor direction(double turns) { return tensor({std::cos(2 * std::numbers::pi * turns), std::sin(2 * std::numbers::pi * turns)}); }

/// y = x w* + noise, one example at a time; w* goes round the unit circle once in 500 of them.
World line() {
  const Tensor w = parameter(zeros({2}));
  return {{{"w", w}}, [w, step = 0]() mutable {
            const Tensor x = randn({1, 2}), y = matmul(x, direction(step++ / 500.0)) + 0.1 * randn({1});
            return mse_loss(matmul(x, w), y);
          }};
}

/// y = tanh(3 x w*), one example at a time, for a network 2-32-1; w* goes round as before.
World network() {
  const auto model = std::make_shared<nn::Sequential>(nn::Linear(2, 32), nn::Tanh(), nn::Linear(32, 1));
  return {model->parameters(), [model, step = 0]() mutable {
            const Tensor x = randn({1, 2}), y = tanh(3 * matmul(x, direction(step++ / 500.0)));
            return mse_loss((*model)(x), y.reshape({1, 1}));
          }};
}

/// By epoch of 1,000 steps.
struct Run {
  std::unique_ptr<optim::Optimizer> optimizer;
  std::vector<double> losses = {};  // the mean of an epoch; infinite from where the method diverged
  std::vector<double> rates = {};   // the median effective rate at its end; NaN for a method without
  std::optional<RateMicroscope> microscope = {};
};

Run follow(World world, const MakeOptimizer& make, std::int64_t epochs) {
  Run run{make(world.parameters)};
  if (!run.optimizer->effective_rates().empty()) run.microscope.emplace(*run.optimizer, RateMicroscopeOptions{.frozen_below = 0.1});
  for (std::int64_t epoch = 0; epoch < epochs; ++epoch) {
    double loss = 0;
    try {
      for (int step = 0; step < 1000; ++step) {
        Tape tape;
        const Tensor next = world.next_loss();
        run.optimizer->step(tape.gradients(next));
        loss += next.item() / 1000;
      }
    } catch (const NotFiniteError&) {
      loss = INFINITY;
    }
    run.losses.push_back(loss);
    if (run.microscope && std::isfinite(loss)) run.microscope->observe();
    run.rates.push_back(run.microscope && std::isfinite(loss) ? run.microscope->all().median() : std::nan(""));
  }
  return run;
}

constexpr std::int64_t seeds = 3, tried_epochs = 2;
const std::vector<double> grid = {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5};

/// A method at its rate, with a run for each seed.
struct Method {
  std::string spec, name;
  std::vector<Run> runs = {};

  /// The mean over the seeds, of values by epoch.
  std::vector<double> mean(std::vector<double> Run::*values) const {
    std::vector<double> sum((runs[0].*values).size());
    for (const Run& run : runs)
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += (run.*values)[i] / static_cast<double>(runs.size());
    return sum;
  }
};

/// Chooses the rates, and goes on with them.
std::vector<Method> follow_all(const cli::Flags& flags, const char* title, World (*world)()) {
  const auto seeded = [&](std::int64_t seed, const MakeOptimizer& make, std::int64_t epochs) {
    manual_seed(static_cast<std::uint64_t>(seed));
    return follow(world(), make, epochs);
  };
  const Comparison tried =
      compare(flags.methods({"adagrad"}, "rmsprop"),
              [&](const MakeOptimizer& make) { return seeded(flags.seed, make, tried_epochs).losses; }, {.rates = flags.rates(grid)});
  std::printf("\n%s: the rates, by the mean loss of steps 1,001 to 2,000\n%s\n", title, tried.table().c_str());
  std::vector<Method> methods;
  for (const auto& m : tried.methods) {
    const double lr = m.attempts[m.best].lr;
    methods.push_back({m.spec, cli::with_rate(m.spec, lr)});
    for (std::int64_t i = 0; i < seeds; ++i) methods.back().runs.push_back(seeded(flags.seed + i, MakeOptimizer(m.spec, lr), flags.epochs));
  }
  return methods;
}

void print_course(const std::vector<Method>& methods, std::int64_t epochs) {
  for (std::int64_t epoch = 1; epoch <= epochs; epoch = epoch < epochs ? std::min(2 * epoch, epochs) : epoch + 1) {
    std::printf("%7lld000 steps", static_cast<long long>(epoch));
    for (const Method& m : methods)
      std::printf(" | %s: rate %-8.3g loss %-8.3g", m.name.c_str(), m.mean(&Run::rates)[static_cast<std::size_t>(epoch - 1)],
                  m.mean(&Run::losses)[static_cast<std::size_t>(epoch - 1)]);
    std::printf("\n");
  }
}

/// The means over the seeds of each method that has them.
void draw(const cli::Flags& flags, const std::string& file, const std::string& title, const char* label, const std::vector<Method>& methods,
          std::vector<double> Run::*values) {
  plot::LineChartOptions options{.title = title, .x = {.label = "thousands of steps"}, .y = {.label = label, .log = true}};
  for (const Method& m : methods)
    if (!std::isfinite(m.mean(values).front())) options.note = m.name + (values == &Run::rates ? " tells no effective rates" : " diverged");
  plot::LineChart chart(options);
  for (const Method& m : methods) {
    const std::vector<double> y = m.mean(values);
    std::vector<double> x;
    while (x.size() < y.size()) x.push_back(static_cast<double>(x.size() + 1));
    if (std::isfinite(y.front())) chart.add(m.name, x, y);
  }
  try {
    flags.save(chart, file);
  } catch (const ValueError&) {
    std::printf("no %s: there is no value that can be drawn\n", file.c_str());
  }
}

/// The mean loss of the last ten epochs.
double end_of(const Run& run) {
  const std::int64_t count = std::min<std::int64_t>(10, std::ssize(run.losses));
  return std::accumulate(run.losses.end() - count, run.losses.end(), 0.0) / static_cast<double>(count);
}

/// "3.689 to 3.847": of the seeds, the mean loss at the end, as a multiple of the other method's.
std::string ends(const std::vector<Method>& methods) {
  std::vector<double> times;
  for (std::size_t i = 0; i < seeds; ++i)
    times.push_back(end_of(methods.front().runs[i]) / (methods.size() > 1 ? end_of(methods.back().runs[i]) : 1));
  const auto [least, most] = std::minmax_element(times.begin(), times.end());
  return cli::decimals(*least, 3) + " to " + cli::decimals(*most, 3);
}

/// What Adagrad's first seed shows under the microscope.
void show_microscope(const cli::Flags& flags, const RateMicroscope& microscope) {
  if (const std::string warning = microscope.warning(); !warning.empty())
    std::printf("seed %lld alone, from its first look on: %s\n", static_cast<long long>(flags.seed), warning.c_str());
  flags.save(microscope, "vanishing_rate_histogram.svg");
  microscope.write_csv(flags.path("vanishing_rate.csv"));
  std::printf("wrote %s\n", flags.path("vanishing_rate.csv").c_str());
}

int run(const cli::Flags& flags) {
  flags.check_targets({"vanishing_rate.svg", "vanishing_rate_loss.svg", "vanishing_rate_network.svg", "vanishing_rate_histogram.svg",
                       "vanishing_rate.csv"});
  const std::vector<Method> on_line = follow_all(flags, "Weights that go round", line);
  print_course(on_line, flags.epochs);
  show_microscope(flags, *on_line[0].runs[0].microscope);
  draw(flags, "vanishing_rate.svg", "Effective rate", "rate", on_line, &Run::rates);
  draw(flags, "vanishing_rate_loss.svg", "Weights that go round", "squared error", on_line, &Run::losses);
  const std::vector<Method> on_network = follow_all(flags, "A network on data that drift", network);
  print_course(on_network, flags.epochs);
  draw(flags, "vanishing_rate_network.svg", "A network on data that drift", "squared error", on_network, &Run::losses);
  std::printf("adagrad's loss at the end%s: %s on weights that go round, %s in the network\n",
              on_line.size() > 1 ? (", times that of " + on_line[1].spec).c_str() : "", ends(on_line).c_str(), ends(on_network).c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run(argc, argv, {.description = "Adagrad and RMSProp after what moves", .epochs = 100, .epoch = "thousands of steps"}, run);
}

// How it is tested:
// Picture:   vanishing_rate.svg Effective rate<
// Picture:   vanishing_rate_network.svg rmsprop, lr
// Test:
// Last line: adagrad's loss at the end, times that of rmsprop lr=1e-9: 0\.[0-9]+ to 0\.[0-9]+ on weights that go round
// Test:      --epochs 3 --optimizer "rmsprop lr=1e-9"
// Last line: adagrad's loss at the end: [0-9.]+ to [0-9.]+ on weights that go round, [0-9.]+ to [0-9.]+ in the network
// Test:      --epochs 2 --optimizer adagrad
// Last line: adagrad's loss at the end, times that of adagrad lr=0\.03: [0-9.]+ to [0-9.]+
// Picture:   vanishing_rate.svg adagrad lr=0\.03<
// Picture:   vanishing_rate.svg adagrad, lr [0-9.]+<
// Test:      --epochs 2 --optimizer "adagrad lr=0.03"
// Last line: adagrad's loss at the end, times that of sgd lr=1e4: 0\.000 to 0\.000
// Picture:   vanishing_rate.svg sgd lr=1e4 tells no effective rates<
// Test:      --epochs 2 --optimizer "sgd lr=1e4"
