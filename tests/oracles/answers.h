#pragma once
#include <capstan/capstan.h>

#include <string>
#include <vector>

/// What the comparison with PyTorch (operations.py) can ask this library.
using Tensors = std::vector<capstan::Tensor>;
/// An operation's other arguments: numbers, axes, flags.
using Args = std::vector<double>;

struct Answer {
  const char* name;
  Tensors (*call)(const Tensors& x, const Args& a);
};

// Parts of the table, one file each.
const std::vector<Answer>& elementwise_answers();
const std::vector<Answer>& other_answers();
