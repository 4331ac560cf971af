#pragma once
#include <capstan/autograd/ops.h>
#include <capstan/autograd/tape.h>
#include <capstan/core/create.h>
#include <capstan/core/error.h>
#include <capstan/core/random.h>
#include <capstan/nn/activations.h>
#include <capstan/nn/init.h>
#include <capstan/nn/linear.h>
#include <capstan/nn/sequential.h>

#include <string>
#include <utility>
#include <vector>

#include "../common.h"

/// Whether both are the very same tensor.
inline bool same(const capstan::Tensor& a, const capstan::Tensor& b) { return a.header() == b.header(); }

/// The module of the guide.
struct Net : capstan::nn::Module {
  capstan::nn::Linear hidden{5, 4}, out{4, 1};
  capstan::Tensor forward(const capstan::Tensor& x) override { return out(relu(hidden(x))); }
  void members(capstan::nn::Visitor& visit) override {
    visit("hidden", hidden);
    visit("out", out);
  }
};
