#pragma once
#include <capstan/optim/lbfgs.h>

#include "support.h"

// What the tests of L-BFGS share.

/// A function of one number: the closure of its gradient.
template <class F>
auto closure(F f) {
  return [f] {
    capstan::Tape tape;
    return tape.gradients(f());
  };
}

inline capstan::Tensor rosenbrock(const capstan::Tensor& x) {
  const capstan::Tensor low = x.rows(0, x.size(0) - 1), high = x.rows(1, x.size(0));
  return sum(100 * square(high - square(low)) + square(1 - low));
}
