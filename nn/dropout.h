#pragma once
#include <capstan/nn/module.h>

namespace capstan::nn {

/// dropout(x, p) while training, x itself after eval(). Draws from default_generator(Purpose::dropout), so manual_seed() makes a run
/// repeatable. Throws ValueError unless 0 <= p <= 1.
class Dropout final : public Module {
 public:
  explicit Dropout(double p = 0.5);
  Tensor forward(const Tensor& x) override;
  std::string describe() const override;
  Dropout clone() const;

 private:
  double p_;
};

}  // namespace capstan::nn
