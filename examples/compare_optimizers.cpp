// Several optimizers on six problems, each at every rate of a grid, so that each is judged by its best. The problems are those of
// train/problems.h: the chapter's valley, Rosenbrock's, handwritten digits, rare features, a moving target and a network.
// Run:       ./run example compare_optimizers        (--optimizer adds one, at its lr= if it has one; --lr takes the grid's place)
// Last line: least score: valley by rmsprop at lr 3, rosenbrock by [a-z.=0-9 ]+, digits by .*, sparse by .*, moving_target by .*, mlp by
// Picture:   compare_sparse.svg Rare features<
// Test:      --seed 1
// Last line: least score: valley by [a-z.=0-9 ]+ at lr 0\.1, .* mlp by [a-z.=0-9 ]+ at lr 0\.1$
// Test:      --epochs 1 --lr 0.1
// Last line: least score: valley by [a-z]+ at lr 1e\+38,
// Test:      --epochs 1 --lr 1e38
// Last line: least score: valley by
// Test:      --epochs 1 --lr 0.1 --optimizer "sgd  momentum=0.90"
#include <capstan/train/problems.h>

#include <cmath>

#include "cli.h"

using namespace capstan;

namespace {

/// Prints a comparison and draws it; "valley by rmsprop at lr 3".
std::string show(const cli::Flags& flags, const Problem& problem, const Comparison& result) {
  std::printf("\n%s\n%s\n", problem.options.title.c_str(), result.table().c_str());
  const auto& winner = result.winner();
  if (!std::isfinite(winner.attempts[winner.best].last())) {
    std::printf("no picture: all diverged\n");
    return problem.name + " by none";
  }
  flags.save(result.curves(), "compare_" + problem.name + ".svg");
  flags.save(result.sweep(), "compare_" + problem.name + "_lr.svg");
  return problem.name + " by " + cli::with_rate(winner.spec, winner.attempts[winner.best].lr, " at lr ");
}

int run(const cli::Flags& flags) {
  std::vector<Problem> all = problems::all();
  for (Problem& problem : all) {
    problem.epochs = flags.epochs;
    problem.seed = static_cast<std::uint64_t>(flags.seed);
    problem.options.rates = flags.rates(problem.options.rates);
    flags.check_targets({"compare_" + problem.name + ".svg", "compare_" + problem.name + "_lr.svg"});
  }
  const std::vector<Comparison> results = compare(flags.methods({"sgd", "sgd momentum=0.9", "adagrad", "rmsprop", "adam"}), all);
  std::string least;
  for (std::size_t i = 0; i < all.size(); ++i) least += (i == 0 ? "" : ", ") + show(flags, all[i], results[i]);
  std::printf("\nleast score: %s\n", least.c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run(argc, argv, {.description = "Several optimizers, each at its best rate", .epochs = 20, .epoch = "scores of each"}, run);
}
