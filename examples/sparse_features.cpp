// Online linear regression in which 50 features are in every example and 200 in one of 1,000 each: what Adagrad was made
// for. SGD has one rate for all weights, which the common features bound; Adagrad's rate for a weight falls only with the
// gradients of that weight. Both get a grid of eight rates, over five seeds; the best rate of each is compared.
// Run:       ./run example sparse_features        (--optimizer takes Adagrad's place, with an lr= its grid's too; --lr that of both grids)
// Last line: rare weights: adagrad's error is at least ([3-9]|[1-9][0-9]+)\.[0-9] times smaller than sgd's
// Picture:   sparse_features.svg Rare features: adagrad, lr [0-9.]+, and sgd, lr [0-9.]+<
// Test:
// Last line: rare weights: adagrad lr=0\.0001's error is at least [0-9]+\.[0-9]+ times larger than sgd's
// Picture:   sparse_features.svg Rare features: adagrad lr=0\.0001, and sgd, lr [0-9.]+<
// Test:      --epochs 2 --optimizer "adagrad lr=0.0001"
// Last line: rare weights: diverged: adagrad at lr 50, and sgd at lr 50
// Test:      --epochs 1 --lr 50
// Last line: rare weights: sgd's error is [0-9.]+ at lr [0-9.]+, with nothing to compare it with
// Picture:   sparse_features.svg Rare features: sgd, lr [0-9.]+<
// Test:      --epochs 1 --optimizer sgd
// Last line: rare weights: sgd lr=0\.004's error is
// Picture:   sparse_features.svg Rare features: sgd lr=0\.004, and sgd, lr [0-9.]+<
// Test:      --epochs 1 --optimizer "sgd lr=0.004"
#include "cli.h"

#include <algorithm>
#include <limits>

using namespace capstan;

namespace {

constexpr std::int64_t common = 50, rare = 200, features = common + rare, seeds = 5;
constexpr double presence = 0.001, noise = 0.1;
const std::vector<double> rates = {0.2, 0.3, 0.45, 0.7, 1, 1.4, 2, 3};  // Adagrad's; SGD's are 1/100 of them

struct Problem {
  Tensor weights;
  data::Dataset examples;
};

/// A common feature is normal, a rare one is 1 when it is there; so are the true weights normal, and the noise.
Problem draw(std::int64_t count) {
  const Tensor x = zeros({count, features}), values = randn({count, common}), chance = uniform({count, rare});
  for (std::int64_t i = 0; i < count; ++i) {
    float* row = x.data<float>() + i * features;
    std::copy_n(values.data<float>() + i * common, common, row);
    for (std::int64_t j = 0; j < rare; ++j) row[common + j] = chance.data<float>()[i * rare + j] < presence ? 1 : 0;
  }
  const Tensor weights = randn({features});
  return {weights, {x, matmul(x, weights) + noise * randn({count})}};
}

double root_mean_square(const Tensor& x) { return std::sqrt(mean(square(x)).item()); }

/// The errors of the weights after every 1,000 examples; infinite when the method diverged.
struct Curve {
  std::vector<double> rare, common;
};

/// One pass over the examples, one step for each.
Curve learn(const Problem& problem, const std::string& method, double lr) {
  Tensor w = parameter(zeros({features}));
  const auto optimizer = optim::make(method, {{"w", w}});
  optimizer->set_lr(lr);
  const std::int64_t count = problem.examples.size();
  Curve curve;
  std::int64_t i = 0;
  for (auto [x, y] : data::Batches(problem.examples, {.batch_size = 1})) {
    Tape tape;
    const Tensor loss = mse_loss(matmul(x, w), y);
    if (!(loss.item() < 1e6)) break;
    optimizer->step(tape.gradients(loss));
    if (++i % 1000 != 0) continue;
    const Tensor error = w.detach() - problem.weights;
    curve.rare.push_back(root_mean_square(error.rows(common, features)));
    curve.common.push_back(root_mean_square(error.rows(0, common)));
  }
  curve.rare.resize(static_cast<std::size_t>(count / 1000), std::numeric_limits<double>::infinity());
  curve.common.resize(curve.rare.size(), std::numeric_limits<double>::infinity());
  return curve;
}

/// A method at one rate, with a curve for each seed.
struct Run {
  std::string method;
  double lr;
  std::vector<Curve> curves = {};

  /// The mean over the seeds.
  std::vector<double> mean(std::vector<double> Curve::*errors) const {
    std::vector<double> sum((curves.front().*errors).size());
    for (const Curve& curve : curves)
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += (curve.*errors)[i] / static_cast<double>(curves.size());
    return sum;
  }
};

const Run& best_of(const std::vector<Run>& grid) {
  return *std::min_element(grid.begin(), grid.end(),
                           [](const Run& a, const Run& b) { return a.mean(&Curve::rare).back() < b.mean(&Curve::rare).back(); });
}

void print(const std::vector<Run>& grid) {
  const Run& best = best_of(grid);
  std::printf("\n%-12s     rare    common\n", grid[0].method.c_str());
  for (const Run& run : grid) {
    const double error = run.mean(&Curve::rare).back();
    if (std::isfinite(error))
      std::printf("  lr %-8g %8.4f  %8.4f%s\n", run.lr, error, run.mean(&Curve::common).back(), &run == &best ? "  best" : "");
    else
      std::printf("  lr %-8g diverges\n", run.lr);
  }
  if (grid.size() > 1 && (&best == &grid.front() || &best == &grid.back())) std::printf("  (the best rate may lie outside of this grid)\n");
}

/// One of them, or both.
void draw_chart(const cli::Flags& flags, const std::vector<const Run*>& runs) {
  std::vector<cli::Entrant> entrants;
  std::string title = "Rare features: ";
  for (const Run* run : runs) {
    title += (run == runs[0] ? "" : ", and ") + cli::with_rate(run->method, run->lr);
    entrants.push_back({run->method, run->lr});
  }
  const std::vector<std::string> names = cli::names_of(entrants);
  plot::LineChart chart({.title = title, .x = {.label = "thousands of examples"}, .y = {.label = "RMS error of the weights", .log = true}});
  for (std::size_t k = 0; k < runs.size(); ++k)
    for (const auto& [name, errors] : {std::pair{", rare", &Curve::rare}, {", common", &Curve::common}}) {
      const std::vector<double> y = runs[k]->mean(errors);
      std::vector<double> x(y.size());
      for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<double>(i + 1);
      chart.add(names[k] + name, x, y);
    }
  flags.save(chart, "sparse_features.svg");
}

std::vector<Run> grid_of(const std::string& method, const std::optional<double>& lr, double scale) {
  std::vector<Run> grid;
  if (lr) grid.push_back({method, *lr});
  for (const double rate : rates)
    if (!lr) grid.push_back({method, rate * scale});
  return grid;
}

bool learns(const std::vector<Run>& grid) { return std::isfinite(best_of(grid).mean(&Curve::rare).back()); }

/// "sgd at lr 50", with a word of the rest of its grid.
std::string diverged(const std::vector<Run>& grid) {
  return cli::with_rate(grid[0].method, grid[0].lr, " at lr ") + (grid.size() > 1 ? " and at every other rate of its grid" : "");
}

/// The errors of each seed; SGD may even take the best rate of each.
void print_seeds(const cli::Flags& flags, const std::vector<Run>& runs, const std::vector<Run>& sgd_runs) {
  const std::string method = cli::names_of({{runs[0].method, best_of(runs).lr}, {"sgd", best_of(sgd_runs).lr}})[0];
  const int width = std::max(8, static_cast<int>(method.size()));
  std::printf("\nseed  %*s  %s\n", width, method.c_str(), sgd_runs.size() > 1 ? "sgd's best" : "     sgd");
  double least = std::numeric_limits<double>::infinity(), most = 0;
  for (std::size_t i = 0; i < seeds; ++i) {
    double sgd = std::numeric_limits<double>::infinity();
    for (const Run& run : sgd_runs) sgd = std::min(sgd, run.curves[i].rare.back());
    const double error = best_of(runs).curves[i].rare.back();
    std::printf("%4lld  %*.4f  %8.4f\n", static_cast<long long>(flags.seed) + static_cast<long long>(i), width, error, sgd);
    least = std::min(least, sgd / error);
    most = std::max(most, sgd / error);
  }
  if (least >= 1)
    std::printf("rare weights: %s's error is at least %.1f times smaller than sgd's\n", method.c_str(), least);
  else if (most <= 1)
    std::printf("rare weights: %s's error is at least %.2f times larger than sgd's\n", method.c_str(), 1 / most);
  else
    std::printf("rare weights: %s's error is %.2f to %.2f times sgd's\n", method.c_str(), 1 / most, 1 / least);
}

int run(const cli::Flags& flags) {
  flags.check_targets({"sparse_features.svg"});
  const std::string method = flags.optimizer.value_or("adagrad");
  const bool is_sgd = cli::are_same({method, 0}, {"sgd", 0}) && !flags.lr_is_optimizers;  // which is tried once, at its own grid
  std::vector<Run> runs, sgd_runs = grid_of("sgd", flags.others_lr(), 0.01);
  if (!is_sgd) runs = grid_of(method, flags.lr, 1);
  for (std::int64_t seed = flags.seed; seed < flags.seed + seeds; ++seed) {
    manual_seed(static_cast<std::uint64_t>(seed));
    const Problem problem = draw(flags.epochs * 1000);
    for (auto* grid : {&runs, &sgd_runs})
      for (Run& run : *grid) run.curves.push_back(learn(problem, run.method, run.lr));
  }

  std::printf("root mean square error of the weights after %d,000 examples, mean of %d seeds\n", static_cast<int>(flags.epochs),
              static_cast<int>(seeds));
  std::vector<const Run*> drawn;
  std::string lost;
  for (const auto* grid : {&runs, &sgd_runs}) {
    if (grid->empty()) continue;
    print(*grid);
    drawn.push_back(&best_of(*grid));
    if (!learns(*grid)) lost += (lost.empty() ? "" : ", and ") + diverged(*grid);
  }
  if (std::any_of(drawn.begin(), drawn.end(), [](const Run* run) { return std::isfinite(run->mean(&Curve::rare).front()); }))
    draw_chart(flags, drawn);
  else
    std::printf("\nno picture: diverged within the first 1,000 examples\n");
  if (!lost.empty())
    std::printf("\nrare weights: diverged: %s\n", lost.c_str());
  else if (is_sgd)
    std::printf("\nrare weights: sgd's error is %.4f at lr %g, with nothing to compare it with\n", drawn[0]->mean(&Curve::rare).back(),
                drawn[0]->lr);
  else
    print_seeds(flags, runs, sgd_runs);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run(argc, argv, {.description = "Adagrad against SGD on rare features", .epochs = 20, .epoch = "thousands of examples"}, run);
}
