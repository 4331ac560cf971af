#pragma once
#include <capstan/optim/sgd.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "reference.h"
#include "support.h"

// What is wrapped around an optimizer in tests/oracles/wrappers.txt.

using namespace capstan;

inline const std::vector<double> start = {1.0, -2.0, 0.5, 3.0, -0.75, 1.5}, a = {1.0, 0.5, 2.0, 0.125, 1e-4, 3.0},
                                 b = {0.5, -1.0, 0.25, 0.3, 1e-4, -2.0};

/// The loss whose gradient at step t is a*w + b*cos(0.7*t + i).
inline Gradients gradients_at(const Tensor& w, int t) {
  std::vector<double> slope(6);
  for (std::size_t i = 0; i < 6; ++i) slope[i] = b[i] * std::cos(0.7 * t + static_cast<double>(i));
  Tape tape;
  return tape.gradients(sum(0.5 * tensor(a).to(w.dtype()) * w * w + tensor(slope).to(w.dtype()) * w));
}

struct Training {
  explicit Training(DType dtype = DType::f64) : w(parameter(tensor(start).to(dtype).clone())) {}
  Tensor w;
  optim::SGD sgd{Parameters{{"w", w}}, {.lr = 0.1, .momentum = 0.5}};
};

inline void expect_near(const Tensor& got, const std::vector<double>& want, const std::string& name) {
  const std::vector<double> v = values(got);
  ASSERT_EQ(v.size(), want.size());
  const double tolerance = got.dtype() == DType::f64 ? 1e-12 : 1e-5;
  for (std::size_t i = 0; i < v.size(); ++i) EXPECT_NEAR(v[i], want[i], tolerance * std::max(1.0, std::abs(want[i]))) << name << " " << i;
}
