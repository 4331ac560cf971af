#pragma once
#include <capstan/autograd/csr_matrix.h>
#include <capstan/nn/linear.h>

namespace capstan::nn {

/// y = x weight + bias for a matrix by rows: a linear model of many features, of which each example has few. A feature is a row of the
/// weight, whose gradient stays by rows (CsrMatrix, matmul()).
///
///     nn::SparseLinear clicks(1 << 20);         // weight [1048576], bias [1]: x [n, 1048576] -> [n]
///     nn::SparseLinear language(1 << 20, 10);   // weight [1048576, 10], bias [10]: -> [n, 10]
///     Tensor loss = binary_cross_entropy_with_logits(clicks(x), y);
///
/// Both start at 0, as in LIBLINEAR, scikit-learn and Vowpal Wabbit. The losses of such models are convex, so that no symmetry must be
/// broken; and a feature that was never seen then has no say. Throws:
///   - ValueError unless features and out are positive and the dtype is f32 or f64.
class SparseLinear final : public Module {
 public:
  explicit SparseLinear(std::int64_t features, LinearOptions options = {});
  SparseLinear(std::int64_t features, std::int64_t out, LinearOptions options = {});
  /// Throws as matmul() does.
  Tensor forward(const CsrMatrix& x);
  Tensor operator()(const CsrMatrix& x) { return forward(x); }
  using Module::forward;
  void members(Visitor& visit) override;
  std::string describe() const override;
  /// A deep copy with parameters of its own.
  SparseLinear clone() const;

  Tensor weight, bias;

 private:
  SparseLinear() = default;
};

}  // namespace capstan::nn
