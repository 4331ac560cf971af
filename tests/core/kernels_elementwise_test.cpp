#include <bit>

#include "rules.h"

using namespace capstan::kernels;

namespace {

// The gradients are stated as formulas of few operations: each rounds once, in the order written, on every processor.
template <class T>
T binary_formula(Binary kind, T a, T b) {
  switch (kind) {
    case Binary::add: return a + b;
    case Binary::sub: return a - b;
    case Binary::mul: return a * b;
    case Binary::div: return a / b;
    case Binary::pow: return std::pow(a, b);
    case Binary::sqrt_grad: return b / (a + a);
    case Binary::rsqrt_grad: return T(-0.5) * a * a * a * b;
    case Binary::reciprocal_grad: return -(a * a) * b;
    case Binary::square_grad: return a * b * 2;
    case Binary::abs_grad: return a > 0 ? b : a < 0 ? -b : T(0);
    case Binary::relu_grad: return a <= 0 ? T(0) : b;
    case Binary::tanh_grad: return (1 - a * a) * b;
    case Binary::sigmoid_grad: return a * (1 - a) * b;
    case Binary::maximum: return std::isnan(a) || std::isnan(b) ? a + b : std::max(a, b);
    case Binary::minimum: return std::isnan(a) || std::isnan(b) ? a + b : std::min(a, b);
    case Binary::maximum_share: return a < b ? T(0) : a == b ? T(0.5) : T(1);
    case Binary::power_slope: return b == 0 ? T(0) : b * std::pow(a, b - 1);
    case Binary::exponent_slope: return a == 0 && b >= 0 ? T(0) : std::pow(a, b) * std::log(a);
  }
  return T(0);
}

/// The same bits; within the logarithm's bound where one is a factor.
template <class T>
bool agrees(Binary kind, T actual, T expected) {
  return kind == Binary::exponent_slope ? ulps(actual, expected) <= 4 : same(actual, expected);
}

template <class T>
std::vector<T> special_values() {
  using L = std::numeric_limits<T>;
  return {T(0),     -T(0),       T(1),     T(-1),           L::infinity(),    -L::infinity(), L::quiet_NaN(),
          L::max(), L::lowest(), L::min(), L::denorm_min(), -L::denorm_min(), L::epsilon(),   T(0.5)};
}

template <class T>
void check_exp(const Table<T>& table, const std::vector<T>& x) {
  std::vector<T> y(x.size());
  table.unary[static_cast<int>(Unary::exp)](x.data(), y.data(), static_cast<std::int64_t>(x.size()));
  for (std::size_t i = 0; i < x.size(); ++i) {
    const long double exact =
        sizeof(T) == 4 ? static_cast<long double>(std::exp(static_cast<double>(x[i]))) : std::exp(static_cast<long double>(x[i]));
    ASSERT_LE(ulps(y[i], exact), 2) << "exp(" << x[i] << ") = " << y[i];
  }
}

}  // namespace

TEST(Kernels, UnaryForEveryLengthAndOffset) {
  for_each_table([]<class T>(const Table<T>& table) {
    Numbers numbers(1);
    for (const UnaryRule& rule : unary_rules()) {
      const auto kernel = table.unary[static_cast<int>(rule.kind)];
      for (std::int64_t n = 0; n <= 70; ++n)
        for (const std::int64_t offset : {0, 1, 3}) {
          Guarded<T> x(n, offset), y(n, 2 * offset);
          for (std::int64_t i = 0; i < n; ++i) {
            x[i] = static_cast<T>(numbers.real(rule.low > -1 ? rule.low : -8, 8));
          }
          kernel(x.data(), y.data(), n);
          for (std::int64_t i = 0; i < n; ++i)
            ASSERT_LE(ulps(y[i], rule.exact.of_long(x[i])), rule.ulps)
                << rule.name << "(" << x[i] << ") = " << y[i] << " at " << i << " of " << n;
          ASSERT_TRUE(y.untouched()) << rule.name << " " << n;
          kernel(x.data(), x.data(), n);  // in place
          for (std::int64_t i = 0; i < n; ++i) ASSERT_TRUE(same(x[i], y[i])) << rule.name << " in place at " << i << " of " << n;
          ASSERT_TRUE(x.untouched()) << rule.name << " " << n;
        }
    }
  });
}

TEST(Kernels, UnaryOfSpecialValues) {
  for_each_table([]<class T>(const Table<T>& table) {
    const std::vector<T> x = special_values<T>();
    for (const UnaryRule& rule : unary_rules()) {
      std::vector<T> y(x.size());
      table.unary[static_cast<int>(rule.kind)](x.data(), y.data(), static_cast<std::int64_t>(x.size()));
      for (std::size_t i = 0; i < x.size(); ++i) {
        EXPECT_LE(ulps(y[i], rule.exact.of_long(x[i])), rule.ulps) << rule.name << "(" << x[i] << ") = " << y[i];
      }
    }
    T zeros[2] = {T(0), -T(0)}, y[2];
    table.unary[static_cast<int>(Unary::neg)](zeros, y, 2);
    EXPECT_TRUE(std::signbit(y[0]) && !std::signbit(y[1]));
    table.unary[static_cast<int>(Unary::abs)](zeros, y, 2);
    EXPECT_TRUE(!std::signbit(y[0]) && !std::signbit(y[1]));
  });
}

// Every 797th of all floats: denormal results, overflow and the borders of the reduction among them.
TEST(Kernels, ExpOfFloatsIsWithinTwoUlps) {
  std::vector<float> x;
  for (std::uint64_t bits = 0; bits < std::uint64_t{1} << 32; bits += 797) {
    const float v = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
    if (std::isnan(v) || (std::abs(v) > 200 && bits % 4096 != 0) || (std::abs(v) < 1e-9f && bits % 64 != 0)) continue;
    x.push_back(v);
  }
  for (float v = 88.7f; v < 88.8f; v = std::nextafter(v, 100.f)) x.push_back(v);
  for (float v = -87.4f; v > -87.3f; v = std::nextafter(v, 0.f)) x.push_back(v);
  for (float v = -104.1f; v < -103.9f; v = std::nextafter(v, 0.f)) x.push_back(v);
  for_each_table([&]<class T>(const Table<T>& table) {
    if constexpr (sizeof(T) == 4) check_exp(table, x);
  });
}

TEST(Kernels, ExpOfDoublesIsWithinTwoUlps) {
  std::vector<double> x;
  Numbers numbers(2);
  for (int i = 0; i < 100000; ++i) x.push_back(numbers.real(-750, 715));
  for (int i = 0; i < 100000; ++i) x.push_back(numbers.real(-1, 1));
  for (int i = 0; i < 50000; ++i) x.push_back(numbers.real(-745.2, -708));  // denormal results
  for (int i = 0; i < 2000; ++i) x.push_back(std::ldexp(numbers.real(-1, 1), -static_cast<int>(numbers.whole(0, 1070))));
  for (int n = -1070; n <= 1023; ++n)  // beside the multiples of ln 2 / 2, where the reduction changes
    for (const double step : {-1e-15, 0.0, 1e-15}) x.push_back((n + 0.5) * 0.69314718055994530942 * (1 + step));
  for (double v = 709.78; v < 709.79; v += 1e-5) x.push_back(v);
  for_each_table([&]<class T>(const Table<T>& table) {
    if constexpr (sizeof(T) == 8) check_exp(table, x);
  });
}

TEST(Kernels, BinaryForEveryLengthOffsetAndStep) {
  for_each_table([]<class T>(const Table<T>& table) {
    Numbers numbers(3);
    for (int kind = 0; kind < binary_count; ++kind)
      for (std::int64_t n = 0; n <= 70; ++n)
        for (int steps = 0; steps < 4; ++steps) {
          const bool a_step = steps & 1, b_step = steps & 2;
          const std::int64_t offset = numbers.whole(0, 3);
          Guarded<T> a(a_step ? n : 1, offset), b(b_step ? n : 1, numbers.whole(0, 3)), y(n, numbers.whole(0, 3));
          const auto which = static_cast<Binary>(kind);
          const bool pow = which == Binary::pow || which == Binary::power_slope || which == Binary::exponent_slope;
          for (std::int64_t i = 0; i < a.size(); ++i) a[i] = static_cast<T>(numbers.real(pow ? 0.1 : -3, 3));
          for (std::int64_t i = 0; i < b.size(); ++i) b[i] = static_cast<T>(numbers.real(-3, 3));
          table.binary[kind](a.data(), b.data(), y.data(), n, a_step, b_step);
          for (std::int64_t i = 0; i < n; ++i) {
            const T expected = binary_formula(static_cast<Binary>(kind), a[a_step ? i : 0], b[b_step ? i : 0]);
            ASSERT_TRUE(agrees(which, y[i], expected))
                << "kind " << kind << " at " << i << " of " << n << ": " << y[i] << ", expected " << expected;
          }
          ASSERT_TRUE(y.untouched()) << "kind " << kind << " " << n;
          for (Guarded<T>* out : {&a, &b}) {  // in place of either operand
            if (n == 0 || out->size() != n) continue;
            Guarded<T> kept(n);
            for (std::int64_t i = 0; i < n; ++i) kept[i] = (*out)[i];
            table.binary[kind](a.data(), b.data(), out->data(), n, a_step, b_step);
            for (std::int64_t i = 0; i < n; ++i)
              ASSERT_TRUE(same((*out)[i], y[i])) << "kind " << kind << " in place at " << i << " of " << n;
            for (std::int64_t i = 0; i < n; ++i) (*out)[i] = kept[i];
          }
        }
  });
}

TEST(Kernels, BinaryOfSpecialValues) {
  for_each_table([]<class T>(const Table<T>& table) {
    const std::vector<T> x = special_values<T>();
    const auto n = static_cast<std::int64_t>(x.size());
    std::vector<T> y(x.size());
    for (int kind = 0; kind < binary_count; ++kind)
      for (const T& v : x) {
        table.binary[kind](x.data(), &v, y.data(), n, true, false);
        for (std::int64_t i = 0; i < n; ++i) {
          const auto k = static_cast<std::size_t>(i);
          EXPECT_TRUE(agrees(static_cast<Binary>(kind), y[k], binary_formula(static_cast<Binary>(kind), x[k], v)))
              << "kind " << kind << ": " << x[k] << ", " << v << " -> " << y[k];
        }
      }
  });
}
