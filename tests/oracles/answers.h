#pragma once
#include <functional>
#include <string>

#include "../operations/call.h"

namespace oracle {

/// What the comparison with PyTorch (operations.py) can ask this library.
using operations::Tensors;
/// An operation's other arguments: numbers, axes, flags.
using Args = std::vector<double>;

/// The sum of what has a gradient, each element times a weight that its place says.
capstan::Tensor weighted_sum(const Tensors& results);

struct Answer {
  std::string name;
  std::function<Tensors(const Tensors& x, const Args& a)> call;
};

/// All of them: those of tests/operations, and those below.
const std::vector<Answer>& all_answers();

// What tests/operations has no row of.
const std::vector<Answer>& other_answers();

}  // namespace oracle
