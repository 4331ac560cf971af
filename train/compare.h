#pragma once
#include <capstan/optim/make.h>
#include <capstan/train/chart.h>

#include <type_traits>

namespace capstan {

struct CompareOptions;
struct Comparison;
class MakeOptimizer;

namespace detail {
using AnyProblem = std::vector<double> (*)(const void*, const MakeOptimizer&);
Comparison compare(const std::vector<std::string>& specs, AnyProblem call, const void* problem, CompareOptions options);
}  // namespace detail

struct CompareOptions {
  /// What a method without an lr of its own is tried with.
  std::vector<double> rates = {0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3};
  std::string title = {};          // of the charts
  std::string score = "loss";      // what the problem returns, for tables and charts
  std::string progress = "epoch";  // what its values are counted by
};

/// Makes the optimizer of one attempt for whatever parameters the problem has. Throws what optim::make() throws.
class MakeOptimizer {
 public:
  MakeOptimizer(std::string spec, double lr) : spec_(std::move(spec)), lr_(lr) {}
  std::unique_ptr<optim::Optimizer> operator()(const Parameters& parameters) const;

 private:
  friend Comparison detail::compare(const std::vector<std::string>&, detail::AnyProblem, const void*, CompareOptions);

  std::string spec_;
  double lr_;
  const std::vector<std::string>* others_ = nullptr;  // that are to take these parameters too
};

/// What compare() found: for each method its attempts, one for each rate.
struct Comparison {
  struct Attempt {
    double lr;
    std::vector<double> scores;  // empty when the problem threw NotFiniteError
    /// The last score; infinite when it diverged.
    double last() const noexcept;
  };
  struct Method {
    std::string spec;
    std::vector<Attempt> attempts;
    std::size_t best;  // whose last score is the least
    /// Whether the best rate is the first or last of several, so that a better one may lie outside.
    bool at_edge() const noexcept { return attempts.size() > 1 && (best == 0 || best + 1 == attempts.size()); }
  };
  std::vector<Method> methods;
  CompareOptions options;

  /// The method with the least last score.
  const Method& winner() const noexcept;
  /// The best rate and the last score of each method, and its last score at every rate.
  std::string table() const;
  /// The scores of each method at its best rate. Throws ValueError when there is nothing that can be drawn.
  plot::LineChart curves() const;
  /// The last score of each method over the rate, up to ten times the worst beginning of those that curves() draws. Throws as it does.
  plot::LineChart sweep() const;
};

/// Several optimizers on one problem, each at every rate of a grid, for a fair look at their best:
///
///     const auto result = compare({"sgd momentum=0.9", "adagrad", "rmsprop lr=0.01"}, [&](const MakeOptimizer& make) {
///       manual_seed(0);                                      // each attempt starts from the same weights
///       nn::Sequential model{...};
///       const auto optimizer = make(model.parameters());
///       std::vector<double> losses;                          // one an epoch, lower is better
///       ...
///       return losses;
///     });
///     std::puts(result.table().c_str());
///
/// A spec is as optim::make() takes it; one with an lr is tried with that alone. An attempt counts as diverged when its last score is
/// not finite, and when the problem throws NotFiniteError, as step(), clip_each() or SAM do. Problems to try
/// a method on are in train/problems.h.
/// Throws, before anything is trained:
///   - ValueError for no specs, for one that is there twice, and for what optim::make() refuses, with the problem's parameters too;
///   - ValueError for rates that are none, or not finite and positive.
/// Throws later:
///   - ValueError for a problem that returns nothing;
///   - whatever else the problem throws.
template <class Problem>
requires(std::is_invocable_r_v<std::vector<double>, const Problem&, const MakeOptimizer&>) Comparison
    compare(const std::vector<std::string>& specs, Problem problem, const CompareOptions& options = {}) {
  return detail::compare(
      specs, [](const void* p, const MakeOptimizer& make) -> std::vector<double> { return (*static_cast<const Problem*>(p))(make); },
      &problem, options);
}

}  // namespace capstan
