// Several optimizers on three problems, each at every rate of a grid, so that each is judged by its best: a network for the
// handwritten digits, linear regression on the airfoil data, and the chapter's valley 0.1 x1^2 + 2 x2^2 from (-5, -2).
// Run:       ./run example compare_optimizers        (--optimizer adds one, at its lr= if it has one; --lr takes the grid's place)
// Last line: least loss: digits by [a-z.=0-9 ]+, synthetic by [a-z.=0-9 ]+, valley by rmsprop at lr 3
// Test:      --data synthetic --seed 1
// Last line: least loss: digits by [a-z.=0-9 ]+ at lr 0\.1, synthetic by [a-z.=0-9 ]+, valley by [a-z.=0-9 ]+ at lr 0\.1
// Test:      --data synthetic --epochs 1 --lr 0.1
// Last line: least loss: digits by [a-z.=0-9 ]+ at lr 1e\+38, synthetic by [a-z.=0-9 ]+ at lr 1e\+38, valley by [a-z]+ at lr 1e\+38
// Test:      --data synthetic --epochs 1 --lr 1e38
// Last line: least loss: digits by
// Test:      --data synthetic --epochs 1 --lr 0.1 --optimizer "sgd  momentum=0.90"
#include "airfoil_table.h"
#include "cli.h"

#include <capstan/train/compare.h>

#include <algorithm>
#include <cmath>

using namespace capstan;

namespace {

/// The mean training loss of each epoch.
std::vector<double> digits(const MakeOptimizer& make, const data::Dataset& training, const cli::Flags& flags) {
  manual_seed(static_cast<std::uint64_t>(flags.seed));
  nn::Sequential model{nn::Linear(64, 64), nn::ReLU(), nn::Linear(64, 10)};
  const auto optimizer = make(model.parameters());
  const data::Batches batches(training, {.batch_size = 32, .shuffle = true});
  std::vector<double> losses;
  for (std::int64_t epoch = 0; epoch < flags.epochs; ++epoch) {
    double total = 0;
    for (auto [x, y] : batches) {
      Tape tape;
      const Tensor loss = cross_entropy(model(x), y);
      optimizer->step(tape.gradients(loss));
      total += loss.item();
    }
    losses.push_back(total / static_cast<double>(batches.size()));
  }
  return losses;
}

/// The loss over all examples after each epoch.
std::vector<double> airfoil_loss(const MakeOptimizer& make, const data::Dataset& examples, const cli::Flags& flags) {
  manual_seed(static_cast<std::uint64_t>(flags.seed));
  nn::Linear model(5, 1);
  const auto optimizer = make(model.parameters());
  std::vector<double> losses;
  for (std::int64_t epoch = 0; epoch < flags.epochs; ++epoch) {
    for (auto [x, y] : data::Batches(examples, {.batch_size = 10, .shuffle = true})) {
      Tape tape;
      optimizer->step(tape.gradients(mse_loss(model(x), y) / 2));
    }
    losses.push_back((mse_loss(model(examples.x), examples.y) / 2).item());
  }
  return losses;
}

/// The value of the function after each of 20 steps.
std::vector<double> valley(const MakeOptimizer& make) {
  Tensor x1 = parameter(tensor(-5, DType::f64)), x2 = parameter(tensor(-2, DType::f64));
  const auto optimizer = make({{"x1", x1}, {"x2", x2}});
  const auto f = [&] { return 0.1 * square(x1) + 2 * square(x2); };
  std::vector<double> values;
  for (int step = 0; step < 20; ++step) {
    {
      Tape tape;
      optimizer->step(tape.gradients(f()));
    }
    values.push_back(f().item());
  }
  return values;
}

std::string show(const cli::Flags& flags, const std::string& name, const Comparison& result) {
  std::printf("\n%s\n%s\n", result.options.title.c_str(), result.table().c_str());
  const auto& winner = result.winner();
  if (!std::isfinite(winner.attempts[winner.best].last())) {
    std::printf("no picture: all diverged\n");
    return name + " by none";
  }
  flags.save(result.curves(), "compare_" + name + ".svg");
  flags.save(result.sweep(), "compare_" + name + "_lr.svg");
  return name + " by " + cli::with_rate(winner.spec, winner.attempts[winner.best].lr, " at lr ");
}

int run(const cli::Flags& flags) {
  std::vector<std::string> specs = {"sgd", "sgd momentum=0.9", "adagrad", "rmsprop", "adam"};
  const auto is_there = [&](const std::string& spec) { return cli::are_same({spec, 0}, {*flags.optimizer, 0}); };
  if (flags.optimizer && (flags.lr_is_optimizers || std::none_of(specs.begin(), specs.end(), is_there))) specs.push_back(*flags.optimizer);
  const auto options = [&](const char* title, const char* score, const char* progress) {
    CompareOptions o{.title = title, .score = score, .progress = progress};
    if (flags.others_lr()) o.rates = {*flags.others_lr()};
    return o;
  };
  const std::filesystem::path path = airfoil::path_of(flags.data);
  const bool named = flags.data || std::getenv("CAPSTAN_DATA"),
             real = flags.data != "synthetic" && (named || std::filesystem::exists(path));
  for (const std::string name : {"digits", real ? "airfoil" : "synthetic", "valley"})
    flags.check_targets({"compare_" + name + ".svg", "compare_" + name + "_lr.svg"});
  if (real) airfoil::require_there(path);  // else what was not asked for and is not there has a stand-in
  const data::Dataset training = data::digits().split(5).first;
  const data::Dataset examples = real ? airfoil::read_examples(path) : airfoil::examples_of(airfoil::synthetic_table(), "synthetic data");

  const std::string a = show(
      flags, "digits",
      compare(
          specs, [&](const MakeOptimizer& make) { return digits(make, training, flags); }, options("Handwritten digits", "loss", "epoch")));
  const std::string b =
      show(flags, real ? "airfoil" : "synthetic",
           compare(
               specs, [&](const MakeOptimizer& make) { return airfoil_loss(make, examples, flags); },
               options(real ? "Airfoil" : "A linear function with noise, in place of the airfoil data", "loss", "epoch")));
  const std::string c = show(flags, "valley", compare(specs, valley, options("0.1 x1² + 2 x2²", "value", "step")));
  std::printf("\nleast loss: %s, %s, %s\n", a.c_str(), b.c_str(), c.c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run(argc, argv, {.description = "Several optimizers, each at its best rate", .epochs = 10, .has_data = true}, run);
}
