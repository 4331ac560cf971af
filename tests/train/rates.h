#pragma once
#include <capstan/autograd/ops.h>
#include <capstan/autograd/tape.h>
#include <capstan/core/create.h>
#include <capstan/optim/adagrad.h>
#include <capstan/train/rate_microscope.h>

#include <sstream>

#include "support.h"

// What the tests of the rate microscope share.

using namespace capstan;

/// One step along g, which is as long as w.
inline void step(optim::Optimizer& optimizer, const Tensor& w, const Values& g) {
  optimizer.step(Gradients::from({{w, tensor(g).to(w.dtype()).reshape(w.shape())}}));
}

/// Adagrad whose rates are lr/sqrt(s), and 1 for a first gradient of 1 and lr = 1.
inline optim::AdagradOptions plain() { return {.lr = 1, .eps = 0}; }

inline std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> out;
  std::stringstream stream(text);
  for (std::string line; std::getline(stream, line);) out.push_back(line);
  return out;
}
