#pragma once
#include <capstan/capstan.h>

#include <functional>
#include <string>
#include <vector>

namespace oracle {

/// What the comparison with PyTorch (operations.py) can ask this library.
using Tensors = std::vector<capstan::Tensor>;
/// An operation's other arguments: numbers, axes, flags.
using Args = std::vector<double>;

/// Those of operations without other arguments.
template <capstan::Tensor (*f)(const capstan::Tensor&)>
Tensors one(const Tensors& x, const Args&) {
  return {f(x[0])};
}
template <capstan::Tensor (*f)(const capstan::Tensor&, const capstan::Tensor&)>
Tensors two(const Tensors& x, const Args&) {
  return {f(x[0], x[1])};
}

/// The sum of what has a gradient, each element times a weight that its place says.
capstan::Tensor weighted_sum(const Tensors& results);

struct Answer {
  std::string name;
  std::function<Tensors(const Tensors& x, const Args& a)> call;
};

/// All of them: those of tests/operations, and the parts below.
const std::vector<Answer>& all_answers();

// Parts of the table, one file each.
const std::vector<Answer>& loss_answers();
const std::vector<Answer>& other_answers();

}  // namespace oracle
