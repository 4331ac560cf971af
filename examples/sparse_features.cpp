// Online linear regression in which 50 features are in every example and 200 in one of 1,000 each: what Adagrad was made for. SGD has
// one rate for all weights, which the common features bound; Adagrad's rate for a weight falls only with the gradients of that weight.
// Each is judged at its best rate of a grid, in five draws of the data.
// Run:       ./run example sparse_features        (--optimizer takes Adagrad's place; --lr takes the grid's place)
// Last line: rare weights: sgd's error is ([3-9]|[1-9][0-9])\.[0-9]+ to [0-9.]+ times that of adagrad
#include <capstan/train/compare.h>

#include <algorithm>
#include <cmath>

#include "cli.h"

using namespace capstan;

namespace {

constexpr std::int64_t common = 50, rare = 200, seeds = 5;

struct Examples {
  Tensor weights, x, y;
};

/// A common feature is normal, a rare one is 1 when it is there; so are the true weights normal, and the noise.
Examples draw(std::int64_t count) {
  const Tensor x = concat({randn({count, common}), bernoulli(full({count, rare}, 0.001))}, 1), weights = randn({common + rare});
  return {weights, x, matmul(x, weights) + 0.1 * randn({count})};
}

double root_mean_square(const Tensor& x) { return std::sqrt(mean(square(x)).item()); }

/// The errors of the weights after every 1,000 examples.
struct Errors {
  std::vector<double> rare, common;
};

/// One pass, one step for each example.
Errors learn(const Examples& examples, const MakeOptimizer& make) {
  Tensor w = parameter(zeros_like(examples.weights));
  const auto optimizer = make({{"w", w}});
  Errors errors;
  for (auto [x, y] : data::Batches(examples.x, examples.y, {.batch_size = 1})) {
    Tape tape;
    optimizer->step(tape.gradients(mse_loss(matmul(x, w), y)));
    if (optimizer->step_count() % 1000 != 0) continue;
    const Tensor error = w - examples.weights;
    errors.common.push_back(root_mean_square(error.rows(0, common)));
    errors.rare.push_back(root_mean_square(error.rows(common, common + rare)));
  }
  return errors;
}

/// "sgd, lr 0.01": a method at its best rate.
std::string name_of(const Comparison::Method& m) { return cli::with_rate(m.spec, m.attempts[m.best].lr); }
double error_of(const Comparison::Method& m) { return m.attempts[m.best].last(); }

void draw_chart(const cli::Flags& flags, const Examples& examples, const Comparison& result) {
  std::string title;
  for (const auto& m : result.methods) title += (title.empty() ? "Rare features: " : " and ") + name_of(m);
  plot::LineChart chart({.title = title, .x = {.label = "thousands of examples"}, .y = {.label = "RMS error of the weights", .log = true}});
  for (const auto& m : result.methods) {
    if (!std::isfinite(error_of(m))) continue;
    const Errors errors = learn(examples, MakeOptimizer(m.spec, m.attempts[m.best].lr));
    std::vector<double> x;
    while (x.size() < errors.rare.size()) x.push_back(static_cast<double>(x.size() + 1));
    chart.add(m.spec + ", rare", x, errors.rare).add(m.spec + ", common", x, errors.common);
  }
  flags.save(chart, "sparse_features.svg");
}

int run(const cli::Flags& flags) {
  flags.check_targets({"sparse_features.svg"});
  const std::vector<std::string> specs = flags.methods({"sgd"}, "adagrad");
  const CompareOptions options{.rates = flags.rates({0.001, 0.002, 0.004, 0.008, 0.015, 0.03, 0.06, 0.12, 0.25, 0.5, 1, 2}),
                               .title = "Rare features",
                               .score = "error"};
  double least = INFINITY, most = 0;
  bool is_drawn = false;
  std::string lost;
  for (std::int64_t seed = flags.seed; seed < flags.seed + seeds; ++seed) {
    manual_seed(static_cast<std::uint64_t>(seed));
    const Examples examples = draw(1000 * flags.epochs);
    const Comparison result = compare(
        specs, [&](const MakeOptimizer& make) { return learn(examples, make).rare; }, options);
    std::printf("seed %lld, root mean square error of the rare weights after %lld examples\n%s\n\n", static_cast<long long>(seed),
                static_cast<long long>(1000 * flags.epochs), result.table().c_str());
    const double ours = error_of(result.methods.back()), times = specs.size() > 1 ? error_of(result.methods.front()) / ours : ours;
    for (const auto& m : result.methods)
      if (!std::isfinite(error_of(m))) lost = m.spec;
    least = std::min(least, times);
    most = std::max(most, times);
    if (!is_drawn && std::isfinite(error_of(result.winner()))) draw_chart(flags, examples, result), is_drawn = true;
  }
  if (!is_drawn)
    std::printf("rare weights: all diverged\n");
  else if (!lost.empty())
    std::printf("rare weights: %s diverged at every rate\n", lost.c_str());
  else if (specs.size() == 1)
    std::printf("rare weights: sgd's error is %.4f to %.4f, with nothing to compare it with\n", least, most);
  else
    std::printf("rare weights: sgd's error is %.2f to %.2f times that of %s\n", least, most, specs.back().c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run(argc, argv, {.description = "Adagrad against SGD on rare features", .epochs = 20, .epoch = "thousands of examples"}, run);
}

// How it is tested:
// Picture:   sparse_features.svg Rare features: sgd, lr [0-9.]+ and adagrad, lr [0-9.]+<
// Test:
// Last line: rare weights: sgd's error is 0\.[0-9]+ to 0\.[0-9]+ times that of adagrad lr=0\.0001
// Picture:   sparse_features.svg adagrad lr=0\.0001, rare<
// Test:      --epochs 2 --optimizer "adagrad lr=0.0001"
// Last line: rare weights: sgd diverged at every rate
// Test:      --epochs 1 --lr 50
// Last line: rare weights: all diverged
// Test:      --epochs 1 --lr 1e20
// Last line: rare weights: sgd's error is [0-9.]+ to [0-9.]+, with nothing to compare it with
// Picture:   sparse_features.svg Rare features: sgd, lr [0-9.]+<
// Test:      --epochs 1 --optimizer sgd
