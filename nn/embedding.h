#pragma once
#include <capstan/nn/module.h>

namespace capstan::nn {

/// Row i of weight [count, size] for each index i of x, in i64 of any shape: [...] -> [..., size]. The weight starts standard normal,
/// PyTorch's default. Its gradient is row-sparse when at most a quarter of the rows is looked up (Gradients::is_sparse), else dense with 0
/// in all others. An optimizer whose elements rest at g = 0, such as Adagrad without weight decay, then touches these rows alone. Throws:
///   - ValueError unless count and size are positive and the dtype is f32 or f64;
///   - ValueError from forward(), naming the first index outside [0, count).
class Embedding final : public Module {
 public:
  Embedding(std::int64_t count, std::int64_t size, DType dtype = DType::f32);
  Tensor forward(const Tensor& x) override;
  void members(Visitor& visit) override;
  std::string describe() const override;
  /// A deep copy with a weight of its own.
  Embedding clone() const;

  Tensor weight;

 private:
  Embedding() = default;
};

}  // namespace capstan::nn
