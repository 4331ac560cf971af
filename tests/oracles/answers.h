#pragma once
#include <capstan/capstan.h>

#include <string>
#include <vector>

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
  const char* name;
  Tensors (*call)(const Tensors& x, const Args& a);
};

// Parts of the table, one file each.
const std::vector<Answer>& elementwise_answers();
const std::vector<Answer>& other_answers();
