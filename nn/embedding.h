#pragma once
#include <capstan/autograd/ops/embedding.h>
#include <capstan/nn/module.h>

namespace capstan::nn {

struct EmbeddingOptions {
  std::int64_t padding_idx = -1;  ///< This row starts at 0 and gets no gradient; -1: none.
  bool sparse = false;            ///< Keeps the gradient by rows, however many are looked up.
  DType dtype = DType::f32;
};

/// Row i of weight [count, size] for each index i of x, in i64 of any shape: [...] -> [..., size]. The weight starts standard normal,
/// PyTorch's default. Its gradient is row-sparse when at most a quarter of the rows is looked up (Gradients::is_sparse), else dense with 0
/// in all others. An optimizer whose elements rest at g = 0, such as Adagrad without weight decay, then touches these rows alone.
///
///     nn::Embedding users(1'000'000, 16, {.padding_idx = 0});
///
/// Throws:
///   - ValueError unless count and size are positive, the dtype is f32 or f64, and padding_idx is -1 or a row;
///   - ValueError from forward(), naming the first index outside [0, count).
class Embedding final : public Module {
 public:
  Embedding(std::int64_t count, std::int64_t size, EmbeddingOptions options = {});
  Tensor forward(const Tensor& x) override;
  void members(Visitor& visit) override;
  std::string describe() const override;
  /// A deep copy with a weight of its own.
  Embedding clone() const;

  Tensor weight;

 private:
  Embedding() = default;
  EmbeddingOptions options_;
};

struct EmbeddingBagOptions {
  BagMode mode = BagMode::sum;    ///< PyTorch's default is mean.
  std::int64_t padding_idx = -1;  ///< This row starts at 0, is left out of each bag and gets no gradient; -1: none.
  bool sparse = false;            ///< Keeps the gradient by rows, however many are looked up.
  DType dtype = DType::f32;
};

/// The sum, mean or largest elements of the rows in each bag, by embedding_bag(); its weight is that of an Embedding. Throws as these do.
///
///     nn::EmbeddingBag words(1 << 20, 64, {.mode = BagMode::mean});
///     Tensor a = words(index, offsets);  // i64 [n], i64 [bags] -> [bags, 64]; bag b begins at offsets[b]
///     Tensor b = words(index);           // i64 [bags, n]
class EmbeddingBag final : public Module {
 public:
  EmbeddingBag(std::int64_t count, std::int64_t size, EmbeddingBagOptions options = {});
  Tensor forward(const Tensor& index) override;
  Tensor forward(const Tensor& index, const Tensor& offsets, const Tensor& per_sample_weights = {});
  using Module::operator();
  Tensor operator()(const Tensor& index, const Tensor& offsets, const Tensor& per_sample_weights = {}) {
    return forward(index, offsets, per_sample_weights);
  }
  void members(Visitor& visit) override;
  std::string describe() const override;
  /// A deep copy with a weight of its own.
  EmbeddingBag clone() const;

  Tensor weight;

 private:
  EmbeddingBag() = default;
  BagOptions bag_options() const;
  EmbeddingBagOptions options_;
};

}  // namespace capstan::nn
