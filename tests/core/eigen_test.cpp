#include <capstan/core/lapack.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

// Eigenvectors against what they are: orthonormal, and a = V diag(values) V^T.

using namespace capstan;

namespace {

struct Eigen {
  std::vector<double> values, vectors;
};
Eigen eigen(std::size_t n, const std::vector<double>& a) {
  Eigen e{std::vector<double>(n), std::vector<double>(n * n)};
  EXPECT_TRUE(kernels::eigh(static_cast<std::int64_t>(n), a.data(), e.values.data(), e.vectors.data()));
  return e;
}

double largest_error(std::size_t n, const std::vector<double>& a) {
  const Eigen e = eigen(n, a);
  double worst = 0;
  for (std::size_t i = 0; i + 1 < n; ++i) EXPECT_LE(e.values[i], e.values[i + 1]);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t k = 0; k < n; ++k) {
      double product = 0, unit = 0;
      for (std::size_t j = 0; j < n; ++j) {
        product += e.vectors[i * n + j] * e.values[j] * e.vectors[k * n + j];
        unit += e.vectors[j * n + i] * e.vectors[j * n + k];
      }
      const double want = a[std::max(i, k) * n + std::min(i, k)];
      worst = std::max({worst, std::abs(product - want), std::abs(unit - (i == k ? 1 : 0))});
    }
  return worst;
}

}  // namespace

TEST(Eigen, TakesAMatrixApart) {
  const Eigen e = eigen(2, {2, 0, 1, 2});  // the upper triangle is not read
  EXPECT_NEAR(e.values[0], 1, 1e-15);
  EXPECT_NEAR(e.values[1], 3, 1e-15);
  EXPECT_NEAR(std::abs(e.vectors[0]), std::sqrt(0.5), 1e-15);
  EXPECT_NEAR(e.vectors[0] * e.vectors[2], -0.5, 1e-15);
  EXPECT_NEAR(e.vectors[1] * e.vectors[3], 0.5, 1e-15);
  for (const std::size_t n : {1u, 2u, 3u, 7u, 40u}) {
    std::vector<double> a(n * n);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t k = 0; k <= i; ++k) a[i * n + k] = std::cos(static_cast<double>(3 * i + 5 * k * k));
    EXPECT_LT(largest_error(n, a), 1e-13) << n;
  }
  EXPECT_LT(largest_error(3, std::vector<double>(9, 0)), 1e-15);  // and one without directions
}
