#include <capstan/core/random.h>
#include <capstan/optim/sgd.h>
#include <capstan/train/problems.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "support.h"

using namespace capstan;

namespace {

/// They are quick ones here.
std::vector<Problem> short_problems(std::int64_t epochs) {
  std::vector<Problem> all = problems::all();
  for (Problem& problem : all) problem.epochs = epochs;
  return all;
}

/// Gradient descent that counts its steps.
struct Counted : optim::Elementwise<Counted, optim::SGDOptions> {
  using Elementwise::Elementwise;
  static constexpr auto name = "counted";
  static constexpr Field fields[] = {{"lr", &optim::SGDOptions::lr}};
  static constexpr std::array<const char*, 0> states = {};
  static inline int steps = 0;
  template <class T>
  struct Rule {
    T lr;
    Rule(const optim::SGDOptions&, optim::StepInfo step) : lr(T(step.lr)) { ++steps; }
    void operator()(T& w, T g) const { w -= lr * g; }
  };
};

}  // namespace

TEST(Problems, EachIsLearntByAdagrad) {
  for (const Problem& problem : problems::all()) {
    const auto result = compare({"adagrad"}, problem);
    const auto& best = result.methods[0].attempts[result.methods[0].best];
    EXPECT_EQ(best.scores.size(), 20u) << problem.name;
    EXPECT_LT(best.last(), 0.9 * best.scores[0]) << problem.name;
    EXPECT_EQ(result.options.title, problem.options.title);
  }
}

TEST(Problems, EveryAttemptIsTheSameAndTheSeedsDiffer) {
  for (Problem problem : short_problems(1)) {
    const MakeOptimizer make("adagrad", 0.1);
    const auto first = problem(make);
    manual_seed(77);
    EXPECT_EQ(problem(make), first) << problem.name;
    problem.seed = 1;
    const bool is_drawn = problem.name != "valley" && problem.name != "rosenbrock";
    EXPECT_EQ(problem(make) != first, is_drawn) << problem.name;
  }
}

TEST(Problems, TheValleyIsTheChapters) {
  // w = -5 and -2; with rate 1 the first step of Adagrad is 1 along each axis.
  Problem valley = problems::valley();
  EXPECT_NEAR(valley(MakeOptimizer("adagrad eps=0", 1))[0], 0.1 * 16 + 2 * 1, 1e-12);
  EXPECT_EQ(valley(MakeOptimizer("sgd", 0)), std::vector<double>(20, 0.1 * 25 + 2 * 4));
  EXPECT_NEAR(problems::rosenbrock()(MakeOptimizer("sgd", 0))[0], 2.2 * 2.2 + 100 * 0.44 * 0.44, 1e-12);
}

TEST(Problems, AMethodThatRefusesOneIsFoundBeforeAnyIsRun) {
  optim::register_optimizer<Counted>();
  Counted::steps = 0;
  EXPECT_EQ(thrown([&] {
              compare({"counted", "full_matrix_adagrad"}, short_problems(1));
            }),
            "ValueError: [full_matrix_adagrad] a parameter may have 1024 elements: '0.weight' has 4096 (adagrad keeps the diagonal only)");
  EXPECT_EQ(Counted::steps, 0);
  EXPECT_EQ(compare({"counted"}, {problems::valley(), problems::mlp()}).size(), 2u);
  EXPECT_GT(Counted::steps, 0);
}

TEST(Problems, KnowWhichMethodsSuitThem) {
  const std::vector<std::string> specs = {"adagrad", "muon", "full_matrix_adagrad", "sgd lr=1"}, plain = {"adagrad", "sgd lr=1"};
  EXPECT_EQ(problems::digits().suited(specs), plain);
  EXPECT_EQ(problems::valley().suited(specs), (std::vector<std::string>{"adagrad", "full_matrix_adagrad", "sgd lr=1"}));
  EXPECT_EQ(problems::sparse().suited({"muon", "full_matrix_adagrad"}), std::vector<std::string>{"muon"});
  EXPECT_THROW(problems::valley().suited({"no such method"}), ValueError);
}

TEST(Problems, EveryMethodOfCapstansCanBeTried) {
  for (const Problem& problem : short_problems(1)) {
    const std::vector<std::string> suited = problem.suited(optim::methods());
    EXPECT_GE(suited.size() + 3, optim::methods().size());
    for (const std::string& spec : suited) EXPECT_EQ(problem(MakeOptimizer(spec, 1e-3)).size(), 1u) << spec << " on " << problem.name;
  }
}
