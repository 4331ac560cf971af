#pragma once
#include <capstan/nn/module.h>

namespace capstan::nn {

struct LinearOptions {
  bool bias = true;
  DType dtype = DType::f32;
};

/// y = x weight^T + bias, for x [..., in]; weight [out, in], bias [out]. Both start uniform on +-1/sqrt(in), PyTorch's
/// default (kaiming_uniform with a = sqrt(5)). Throws:
///   - ValueError unless in and out are positive and the dtype is f32 or f64.
class Linear final : public Module {
 public:
  Linear(std::int64_t in, std::int64_t out, LinearOptions options = {});
  Tensor forward(const Tensor& x) override;
  void members(Visitor& visit) override;
  std::string describe() const override;
  /// A deep copy with parameters of its own.
  Linear clone() const;

  Tensor weight, bias;

 private:
  Linear() = default;
};

}  // namespace capstan::nn
