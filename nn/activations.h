#pragma once
#include <capstan/autograd/ops/activation.h>
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

/// x for x > 0, else slope x; see leaky_relu().
class LeakyReLU final : public Module {
 public:
  explicit LeakyReLU(double slope = 0.01) noexcept : slope_(slope) {}
  Tensor forward(const Tensor& x) override;
  std::string describe() const override;
  LeakyReLU clone() const { return LeakyReLU(slope_); }

 private:
  double slope_;
};

/// x for x > 0, else alpha (e^x - 1); see elu().
class ELU final : public Module {
 public:
  explicit ELU(double alpha = 1) noexcept : alpha_(alpha) {}
  Tensor forward(const Tensor& x) override;
  std::string describe() const override;
  ELU clone() const { return ELU(alpha_); }

 private:
  double alpha_;
};

/// x times the normal distribution at x; see gelu().
class GELU final : public Module {
 public:
  explicit GELU(Gelu form = Gelu::erf) noexcept : form_(form) {}
  Tensor forward(const Tensor& x) override;
  std::string describe() const override;
  GELU clone() const { return GELU(form_); }

 private:
  Gelu form_;
};

/// x sigmoid(x); see silu().
class SiLU final : public Module {
 public:
  Tensor forward(const Tensor& x) override;
  std::string describe() const override;
  SiLU clone() const { return {}; }
};

/// ln(1 + e^(beta x)) / beta; see softplus(). Throws ValueError unless beta is positive and finite.
class Softplus final : public Module {
 public:
  explicit Softplus(double beta = 1);
  Tensor forward(const Tensor& x) override;
  std::string describe() const override;
  Softplus clone() const { return Softplus(beta_); }

 private:
  double beta_;
};

}  // namespace capstan::nn
