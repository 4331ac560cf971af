#pragma once
#include <capstan/nn/module.h>

namespace capstan::nn {

/// max(x, 0); see relu().
class ReLU final : public Module {
 public:
  Tensor forward(const Tensor& x) override;
  std::string describe() const override;
  ReLU clone() const { return {}; }
};

/// tanh(x); see tanh().
class Tanh final : public Module {
 public:
  Tensor forward(const Tensor& x) override;
  std::string describe() const override;
  Tanh clone() const { return {}; }
};

/// 1 / (1 + e^-x); see sigmoid().
class Sigmoid final : public Module {
 public:
  Tensor forward(const Tensor& x) override;
  std::string describe() const override;
  Sigmoid clone() const { return {}; }
};

}  // namespace capstan::nn
