#include <capstan/core/create.h>
#include <capstan/core/random.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "support.h"

// That random numbers are distributed as their names say; which numbers they are is random_test.cpp's.

using namespace capstan;

namespace {

double kolmogorov(Values x, double (*cdf)(double)) {
  std::sort(x.begin(), x.end());
  const auto n = static_cast<double>(x.size());
  double d = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    d = std::max({d, cdf(x[i]) - static_cast<double>(i) / n, static_cast<double>(i + 1) / n - cdf(x[i])});
  return d * std::sqrt(n);
}

struct Moments {
  double mean = 0, variance = 0, skew = 0, kurtosis = 0;
  explicit Moments(const Values& x) {
    const auto n = static_cast<double>(x.size());
    for (const double v : x) mean += v / n;
    for (const double v : x) {
      const double d = v - mean;
      variance += d * d / n;
      skew += d * d * d / n;
      kurtosis += d * d * d * d / n;
    }
    skew /= std::pow(variance, 1.5);
    kurtosis /= variance * variance;
  }
};

}  // namespace

TEST(Random, UniformIsUniform) {
  for (const DType dtype : {DType::f32, DType::f64}) {
    Generator g{11, 0, 0};
    const Values x = values(uniform({200000}, 0, 1, dtype, g));
    const Moments m(x);
    EXPECT_NEAR(m.mean, 0.5, 0.002);  // three standard errors
    EXPECT_NEAR(m.variance, 1.0 / 12, 0.0006);
    EXPECT_LT(kolmogorov(x, [](double v) { return std::clamp(v, 0.0, 1.0); }), 1.63);  // 1 % of all samples are above
    double neighbours = 0;
    for (std::size_t i = 1; i < x.size(); ++i) neighbours += (x[i] - 0.5) * (x[i - 1] - 0.5) * 12;
    EXPECT_LT(std::abs(neighbours) / std::sqrt(static_cast<double>(x.size())), 3);
    const Values y = values(uniform({1000}, -3, 5, dtype, g));
    EXPECT_GE(*std::min_element(y.begin(), y.end()), -3);
    EXPECT_LT(*std::max_element(y.begin(), y.end()), 5);
    EXPECT_NEAR(Moments(y).mean, 1, 0.25);
  }
}

TEST(Random, NormalIsNormal) {
  for (const DType dtype : {DType::f32, DType::f64}) {
    Generator g{12, 0, 0};
    const Values x = values(randn({200000}, dtype, g));
    const Moments m(x);
    EXPECT_NEAR(m.mean, 0, 0.0067);
    EXPECT_NEAR(m.variance, 1, 0.0095);
    EXPECT_NEAR(m.skew, 0, 0.0165);
    EXPECT_NEAR(m.kurtosis, 3, 0.033);
    EXPECT_LT(kolmogorov(x, [](double v) { return std::erfc(-v / std::sqrt(2.0)) / 2; }), 1.63);
    for (const double v : x) ASSERT_TRUE(std::isfinite(v));
    const Moments shifted(values(normal({100000}, 10, 0.5, dtype, g)));
    EXPECT_NEAR(shifted.mean, 10, 0.005);
    EXPECT_NEAR(shifted.variance, 0.25, 0.0035);
    EXPECT_EQ(values(normal({3}, 4, 0, dtype, g)), (Values{4, 4, 4}));
  }
}

TEST(Random, PermutationsAreUniform) {
  Generator g{13, 0, 0};
  std::map<std::vector<double>, int> counts;
  const int rounds = 24000;
  for (int i = 0; i < rounds; ++i) ++counts[values(permutation(4, g))];
  EXPECT_EQ(counts.size(), 24u);
  double chi = 0;
  for (const auto& [order, count] : counts) chi += (count - rounds / 24.0) * (count - rounds / 24.0) / (rounds / 24.0);
  EXPECT_LT(chi, 41.6);  // 23 degrees of freedom: 1 % are above
  for (const std::int64_t n : {0, 1, 2, 1000}) {
    const Tensor p = permutation(n, g);
    EXPECT_EQ(p.dtype(), DType::i64);
    Values sorted = values(p);
    std::sort(sorted.begin(), sorted.end());
    EXPECT_EQ(sorted, values(arange(static_cast<double>(n), DType::f64)));
  }
}
