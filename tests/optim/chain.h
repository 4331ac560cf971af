#pragma once
#include "support.h"

/// Two parameters and a loss whose gradients change from step to step; some elements of it are 0 for good.
struct Pair {
  explicit Pair(capstan::DType dtype)
      : parameters{{"w", capstan::parameter(wobbles({3, 7}, 0, dtype))}, {"v", capstan::parameter(wobbles({19}, 50, dtype))}} {}

  capstan::Gradients gradients(int t) const {
    std::vector<capstan::GradientFor> of;
    for (const auto& [name, w] : parameters) {
      const capstan::Tensor g = wobbles(w.shape(), 31 * t, capstan::DType::f64);
      g.data<double>()[2] = 0;
      of.push_back({w, g.to(w.dtype())});
    }
    return capstan::Gradients::from(of);
  }

  capstan::Parameters parameters;
};
