#pragma once
#include <capstan/data/samples.h>
#include <capstan/train/compare.h>

namespace capstan {

namespace detail {
struct Attempt;
}

/// A problem on which optimizers are compared, with its words for tables, charts and files:
///
///     optim::register_optimizer<Mine>();
///     for (const Comparison& result : compare({"mine", "adagrad", "adam"}, problems::all()))
///       std::puts(result.table().c_str());
///
/// Each attempt starts from the same weights and data: those of manual_seed(seed).
struct Problem {
  std::string name;                          // of its files: "valley"
  CompareOptions options;                    // its title, its score, what it counts as an epoch, and the rates
  detail::Attempt (*begin)(const Problem&);  // makes what an attempt trains
  data::Dataset examples = {};               // where they are not drawn
  std::int64_t epochs = 20;                  // scores of an attempt
  std::uint64_t seed = 0;

  /// One attempt: the score after each epoch, lower is better. Throws what the optimizer throws.
  std::vector<double> operator()(const MakeOptimizer& make) const;
  /// Those of the specs whose methods take these parameters. Muon takes matrices only; of Capstan's own methods
  /// `suited(optim::methods())` leaves out such as cannot be tried here.
  std::vector<std::string> suited(const std::vector<std::string>& specs) const;
};

/// compare() with the problem's own options.
Comparison compare(const std::vector<std::string>& specs, const Problem& problem);
/// The same for each of several problems. A method that refuses the parameters of one is found before any of them is run.
std::vector<Comparison> compare(const std::vector<std::string>& specs, const std::vector<Problem>& problems);

namespace problems {

/// 0.1 x1^2 + 2 x2^2 from (-5, -2) in f64: the valley of the Adagrad chapter. An epoch is a step, the score the function's value.
Problem valley();
/// (1 - x1)^2 + 100 (x2 - x1^2)^2 from (-1.2, 1) in f64 (Rosenbrock 1960). An epoch is 50 steps, the score the function's value.
Problem rosenbrock();
/// A network 64-64-10 for the digits that are shipped, four fifths of them. An epoch is a pass in batches of 32, the score its mean
/// cross entropy. Throws as data::digits() does.
Problem digits(const std::string& share = CAPSTAN_SHARE);
/// Rare features: y is the sum of the values of an example's 10 words, plus noise. Of the 2,000 words the k-th comes with a frequency
/// like 1/k. The gradient is row-sparse. An epoch is a pass over 2,000 examples in batches of 10, the score its mean squared error.
Problem sparse();
/// Linear regression with two weights that go round the unit circle once an epoch, of 500 examples, one by one, with noise. The
/// score is the mean distance from them.
Problem moving_target();
/// A network 8-40-40-1 with tanh learns what another one with 8-16-1 computes, from 1,000 examples. An epoch is a pass in batches of
/// 20, the score its mean squared error.
Problem mlp();
/// All of them, in this order.
std::vector<Problem> all(const std::string& share = CAPSTAN_SHARE);

}  // namespace problems
}  // namespace capstan
