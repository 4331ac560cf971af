#pragma once
#include <cstdint>
#include <vector>

// Private: eigenvectors, by LAPACK through xtensor-blas.
namespace capstan::kernels {

/// a [n, n] = V diag(values) V^T, for a symmetric a of finite numbers, of which the lower triangle is read.
struct Eigen {
  std::vector<double> values;   // ascending
  std::vector<double> vectors;  // V, row-major: the k-th column belongs to values[k]
};
Eigen symmetric_eigen(std::int64_t n, const double* a);

}  // namespace capstan::kernels
