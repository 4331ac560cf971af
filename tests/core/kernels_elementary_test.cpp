// The bounds that tests/operations, core/kernels/elementary.inl and error_function.inl state, over the whole range of each type.
#include <capstan/core/threads.h>

#include <algorithm>
#include <bit>
#include <type_traits>

#include "rules.h"

using namespace capstan::kernels;

namespace {

/// For every instruction set; float against double, double against long double.
template <class T>
void check(const std::vector<T>& x) {
  using Wide = std::conditional_t<sizeof(T) == 4, double, long double>;
  std::vector<Wide> exact(x.size());
  std::vector<T> y(x.size());
  for (const UnaryRule& rule : unary_rules()) {
    if (rule.ulps < 1) continue;  // one rounding, or none
    std::transform(x.begin(), x.end(), exact.begin(), [&](T v) {
      if constexpr (sizeof(T) == 4)
        return rule.exact.of_double(static_cast<double>(v));
      else
        return rule.exact.of_long(static_cast<long double>(v));
    });
    for_each_table([&]<class Other>(const Table<Other>& table) {
      if constexpr (std::is_same_v<T, Other>) {
        table.unary[static_cast<int>(rule.kind)](x.data(), y.data(), static_cast<std::int64_t>(x.size()));
        for (std::size_t i = 0; i < x.size(); ++i) {
          if (y[i] == static_cast<T>(exact[i])) continue;
          ASSERT_LE(ulps(y[i], static_cast<long double>(exact[i])), rule.ulps) << rule.name << "(" << x[i] << ") = " << y[i];
        }
      }
    });
  }
}

/// Every step-th of all floats, NaN and denormals among them.
std::vector<float> floats(std::uint64_t first, std::uint64_t step) {
  std::vector<float> x;
  for (std::uint64_t bits = first; bits < std::uint64_t{1} << 32; bits += step)
    x.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
  return x;
}

}  // namespace

TEST(KernelsElementary, FloatsFromTheWholeRange) { check(floats(0, 1597)); }

// Where the reduction changes: beside 1, beside sqrt(1/2), beside tanh's 0.625, beside half of ln 2. And where log10 is worst.
TEST(KernelsElementary, FloatsBesideTheBorders) {
  std::vector<float> x;
  for (const float border : {1.f, 0.70710678f, 1.41421356f, 0.625f, -0.625f, 1.17549435e-38f, 9.01f, 0.34657359f, -0.34657359f, -1.f, 2.f,
                             3.9f, 88.72f, -17.3f, 0.98225f, 1.018f})
    for (std::int32_t k = -20000; k <= 20000; ++k) x.push_back(std::bit_cast<float>(std::bit_cast<std::int32_t>(border) + k));
  check(x);
}

TEST(KernelsElementary, DoublesFromTheWholeRange) {
  std::vector<double> x;
  Numbers numbers(11);
  for (int i = 0; i < 100000; ++i) x.push_back(std::bit_cast<double>(numbers.bits()));
  for (int i = 0; i < 100000; ++i) x.push_back(numbers.real(-2, 2));
  for (int i = 0; i < 50000; ++i) x.push_back(numbers.real(0.99, 1.01));
  for (int i = 0; i < 50000; ++i) x.push_back(numbers.real(-25, 25));
  for (int i = 0; i < 2000; ++i) x.push_back(std::ldexp(numbers.real(0, 1), -static_cast<int>(numbers.whole(1000, 1074))));
  for (const double border : {1.0, 0.70710678118654752440, 1.41421356237309504880, 0.625, -0.625, 2.2250738585072014e-308,
                              0.34657359027997264, -0.34657359027997264, -1.0, 5.9, 709.782712893384, -37.4})
    for (std::int64_t k = -200; k <= 200; ++k) x.push_back(std::bit_cast<double>(std::bit_cast<std::int64_t>(border) + k));
  check(x);
}

// All 2^32 floats, in parts; minutes, so it is `./run soak` that runs it.
TEST(KernelsElementary, DISABLED_EveryFloat) {
  constexpr std::int64_t parts = 4096;
  capstan::parallel_for(parts, 1, [](std::int64_t begin, std::int64_t end) {
    for (std::int64_t part = begin; part < end; ++part) check(floats(static_cast<std::uint64_t>(part), parts));
  });
}

// Half of a denormal number loses its last bit.
TEST(KernelsElementary, Expm1OfTheSmallestNumbersIsExact) {
  for_each_table([]<class T>(const Table<T>& table) {
    for (int k = 1; k <= 9; k += 2) {
      const T x = static_cast<T>(k) * std::numeric_limits<T>::denorm_min();
      T y;
      table.unary[static_cast<int>(Unary::expm1)](&x, &y, 1);
      EXPECT_EQ(y, x);
    }
  });
}

// gelu(x) = x erfc(-x / sqrt 2) / 2 keeps its digits far on the left: the error of x / sqrt 2 alone grows with x^2.
TEST(KernelsElementary, GeluOfSmallResults) {
  for_each_table([]<class T>(const Table<T>& table) {
    Numbers numbers(13);
    for (int i = 0; i < 20000; ++i) {
      const T x = static_cast<T>(numbers.real(sizeof(T) == 4 ? -12 : -36, 3));
      T y;
      table.parametric[static_cast<int>(Parametric::gelu)](&x, &x, T(0), T(0), &y, 1);
      const long double w = static_cast<long double>(x);
      ASSERT_LE(ulps(y, w * std::erfc(-w * std::sqrt(0.5L)) / 2), 15 + 2 * static_cast<double>(w * w)) << "gelu(" << x << ") = " << y;
    }
  });
}

// softplus of a very negative number keeps its digits.
TEST(KernelsElementary, SoftplusOfSmallResults) {
  for_each_table([]<class T>(const Table<T>& table) {
    Numbers numbers(12);
    for (int i = 0; i < 20000; ++i) {
      const T x = static_cast<T>(numbers.real(sizeof(T) == 4 ? -80 : -600, 3));
      T y;
      table.parametric[static_cast<int>(Parametric::softplus)](&x, &x, T(1), T(0), &y, 1);
      ASSERT_LE(ulps(y, std::log1p(std::exp(static_cast<long double>(x)))), 5) << "softplus(" << x << ") = " << y;
    }
  });
}
