#pragma once
#include <capstan/autograd/csr_matrix.h>
#include <capstan/nn/module.h>

namespace capstan::nn {

struct FactorizationMachineOptions {
  double stddev = 0.01;  // of the factors at the start
  DType dtype = DType::f32;
};

/// For a matrix by rows x [n, features] -> [n]. Each pair of features in a row has a weight: the product of two vectors of `rank` factors.
/// So what is learnt of one pair serves others. `y_i = bias + sum_j w_j x_ij + sum_{j < k} (v_j . v_k) x_ij x_ik`.
///
///     nn::FactorizationMachine model(1 << 20, 8);
///     Tensor loss = binary_cross_entropy_with_logits(model(x), y);
///
/// The pairs are not gone through. By lemma 3.1 their sum is `1/2 sum_f ((sum_j v_jf x_ij)^2 - sum_j v_jf^2 x_ij^2)`. It takes
/// time for each value and factor. The gradients for w [features] and v [features, rank] stay by rows where few features occur. w and
/// the bias start at 0. The factors start normal: of factors that are all 0 the gradient is 0. Source: Rendle, Factorization Machines, ICDM
/// 2010, equations 1 and 5. Throws:
///   - ValueError unless features and rank are positive, stddev is positive and the dtype is f32 or f64.
class FactorizationMachine final : public Module {
 public:
  FactorizationMachine(std::int64_t features, std::int64_t rank, FactorizationMachineOptions options = {});
  /// Throws as matmul() does.
  Tensor forward(const CsrMatrix& x);
  Tensor operator()(const CsrMatrix& x) { return forward(x); }
  using Module::forward;
  void members(Visitor& visit) override;
  std::string describe() const override;
  /// A deep copy with parameters of its own.
  FactorizationMachine clone() const;

  Tensor bias, weight, factors;

 private:
  FactorizationMachine() = default;
};

}  // namespace capstan::nn
