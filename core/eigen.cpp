#include <capstan/core/eigen.h>

#include <capstan/core/blas.h>

#define HAVE_CBLAS 1
#include <algorithm>
#include <xtensor-blas/xlinalg.hpp>
#include <xtensor/xtensor.hpp>

namespace capstan::kernels {

Eigen symmetric_eigen(std::int64_t n, const double* a) {
  prepare_blas();
  const std::size_t size = static_cast<std::size_t>(n);
  xt::xtensor<double, 2, xt::layout_type::column_major> matrix({size, size});
  for (std::size_t i = 0; i < size; ++i)
    for (std::size_t k = 0; k < size; ++k) matrix(i, k) = a[std::max(i, k) * size + std::min(i, k)];
  const auto [values, vectors] = xt::linalg::eigh(matrix);
  Eigen e{std::vector<double>(values.begin(), values.end()), std::vector<double>(size * size)};
  for (std::size_t i = 0; i < size; ++i)
    for (std::size_t k = 0; k < size; ++k) e.vectors[i * size + k] = vectors(i, k);
  return e;
}

}  // namespace capstan::kernels
