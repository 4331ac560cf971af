// Functions with parameters, their gradients, comparisons and choices, against plain formulas in a wider type.
#include <algorithm>

#include "tables.h"

using namespace capstan::kernels;

namespace {

using Wide = long double;

Wide sigmoid(Wide x) { return 1 / (1 + std::exp(-x)); }
Wide normal(Wide x) { return std::erfc(-x / std::sqrt(2.0L)) / 2; }
Wide density(Wide x) { return std::exp(-x * x / 2) / std::sqrt(2 * 3.14159265358979323846L); }
Wide inner(Wide x) { return std::sqrt(2 / 3.14159265358979323846L) * (x + 0.044715L * x * x * x); }

/// A kernel's formula, and how far it may be off in units of the last place of 1 or of the result, whichever is larger.
struct ParametricRule {
  Parametric kind;
  const char* name;
  Wide (*exact)(Wide a, Wide b, Wide p, Wide q);
  double ulps;
};
const ParametricRule rules[] = {
    {Parametric::clamp, "clamp", [](Wide a, Wide, Wide p, Wide q) { return a < p   ? p
                                                                           : a > q ? q
                                                                                   : a; }, 0},
    {Parametric::clamp_grad, "clamp_grad", [](Wide a, Wide b, Wide p, Wide q) { return a >= p && a <= q ? b : 0; }, 0},
    {Parametric::hardtanh_grad, "hardtanh_grad", [](Wide a, Wide b, Wide p, Wide q) { return a <= p || a >= q ? 0 : b; }, 0},
    {Parametric::leaky_relu, "leaky_relu", [](Wide a, Wide, Wide p, Wide) { return a > 0 ? a : p * a; }, 0.5},
    {Parametric::leaky_relu_grad, "leaky_relu_grad", [](Wide a, Wide b, Wide p, Wide) { return a > 0 ? b : p * b; }, 0.5},
    {Parametric::elu, "elu", [](Wide a, Wide, Wide p, Wide) { return a > 0 ? a : p * std::expm1(a); }, 2},
    {Parametric::elu_grad, "elu_grad", [](Wide a, Wide b, Wide p, Wide) { return a > 0 ? b : p * std::exp(a) * b; }, 4},
    {Parametric::softplus, "softplus", [](Wide a, Wide, Wide p, Wide) { return std::log1p(std::exp(p * a)) / p; }, 4},
    {Parametric::softplus_grad, "softplus_grad", [](Wide a, Wide b, Wide p, Wide) { return sigmoid(p * a) * b; }, 6},
    {Parametric::silu, "silu", [](Wide a, Wide, Wide, Wide) { return a * sigmoid(a); }, 6},
    {Parametric::silu_grad, "silu_grad", [](Wide a, Wide b, Wide, Wide) { return sigmoid(a) * (1 + a * (1 - sigmoid(a))) * b; }, 30},
    {Parametric::gelu, "gelu", [](Wide a, Wide, Wide, Wide) { return a * normal(a); }, 4},
    {Parametric::gelu_grad, "gelu_grad", [](Wide a, Wide b, Wide, Wide) { return (normal(a) + a * density(a)) * b; }, 20},
    {Parametric::gelu_tanh, "gelu_tanh", [](Wide a, Wide, Wide, Wide) { return a * (1 + std::tanh(inner(a))) / 2; }, 8},
    {Parametric::gelu_tanh_grad, "gelu_tanh_grad",
     [](Wide a, Wide b, Wide, Wide) {
       const Wide t = std::tanh(inner(a)), slope = std::sqrt(2 / 3.14159265358979323846L) * (1 + 3 * 0.044715L * a * a);
       return ((1 + t) / 2 + a * (1 - t * t) * slope / 2) * b;
     },
     60},
    {Parametric::huber, "huber",
     [](Wide a, Wide, Wide p, Wide q) { return (std::abs(a) <= p ? a * a / 2 : p * (std::abs(a) - p / 2)) / q; }, 3},
    {Parametric::huber_grad, "huber_grad", [](Wide a, Wide b, Wide p, Wide q) { return std::clamp(a, -p, p) / q * b; }, 1},
    {Parametric::share, "share", [](Wide a, Wide b, Wide, Wide) { return a * b; }, 1},
    {Parametric::logit_loss, "logit_loss", [](Wide a, Wide b, Wide, Wide) { return (1 - b) * a + std::log1p(std::exp(-a)); }, 8},
    {Parametric::logit_slope, "logit_slope", [](Wide a, Wide b, Wide, Wide) { return sigmoid(a) - b; }, 5},
    {Parametric::log_divergence, "log_divergence", [](Wide a, Wide b, Wide, Wide) { return std::exp(a) * (a - b); }, 4},
    {Parametric::xlogx, "xlogx", [](Wide a, Wide, Wide, Wide) { return std::abs(a) * std::log(std::abs(a)); }, 2},
    {Parametric::xlogx_grad, "xlogx_grad", [](Wide a, Wide b, Wide, Wide) { return (std::log(std::abs(a)) + 1) * b; }, 4},
};
static_assert(std::size(rules) == parametric_count);

bool compared(Compare kind, double a, double b) {
  return kind == Compare::equal ? a == b : kind == Compare::unequal ? a != b : kind == Compare::less ? a < b : a <= b;
}

}  // namespace

TEST(Kernels, ParametricForEveryLengthAndOffset) {
  for_each_table([]<class T>(const Table<T>& table) {
    Numbers numbers(5);
    const T p = T(0.375), q = T(1.25);
    for (const ParametricRule& rule : rules) {
      const auto kernel = table.parametric[static_cast<int>(rule.kind)];
      for (std::int64_t n = 0; n <= 70; ++n)
        for (const std::int64_t offset : {0, 1, 3}) {
          Guarded<T> a(n, offset), b(n, 2 * offset), y(n);
          for (std::int64_t i = 0; i < n; ++i) {
            a[i] = static_cast<T>(numbers.real(-8, 8));
            if (rule.kind == Parametric::xlogx || rule.kind == Parametric::xlogx_grad) a[i] = std::abs(a[i]);
            b[i] = static_cast<T>(numbers.real(-1, 1));
          }
          kernel(a.data(), b.data(), p, q, y.data(), n);
          for (std::int64_t i = 0; i < n; ++i) {
            const Wide exact = rule.exact(a[i], b[i], p, q);
            const double unit =
                static_cast<double>(std::numeric_limits<T>::epsilon()) * std::max(1.0, std::abs(static_cast<double>(exact)));
            ASSERT_LE(std::abs(static_cast<double>(y[i] - exact)), rule.ulps * unit)
                << rule.name << "(" << a[i] << ", " << b[i] << ") = " << y[i] << " at " << i << " of " << n;
          }
          ASSERT_TRUE(y.untouched()) << rule.name << " " << n;
          for (Guarded<T>* out : {&b, &a}) {  // in place of either
            kernel(a.data(), b.data(), p, q, out->data(), n);
            for (std::int64_t i = 0; i < n; ++i) ASSERT_TRUE(same((*out)[i], y[i])) << rule.name << " in place at " << i << " of " << n;
            if (out == &b) break;
          }
        }
    }
  });
}

// NaN stays NaN, but where a gradient does not depend on x; no infinity comes from a finite x.
TEST(Kernels, ParametricOfSpecialValues) {
  for_each_table([]<class T>(const Table<T>& table) {
    using L = std::numeric_limits<T>;
    const auto value = [&](Parametric kind, T x, T b = T(1)) {
      T y;
      table.parametric[static_cast<int>(kind)](&x, &b, T(1), T(2), &y, 1);
      return y;
    };
    for (const Parametric kind : {Parametric::clamp, Parametric::leaky_relu, Parametric::elu, Parametric::softplus, Parametric::silu,
                                  Parametric::gelu, Parametric::gelu_tanh})
      EXPECT_TRUE(std::isnan(value(kind, L::quiet_NaN()))) << static_cast<int>(kind);
    EXPECT_EQ(value(Parametric::clamp_grad, L::quiet_NaN()), T(0));
    EXPECT_EQ(value(Parametric::hardtanh_grad, L::quiet_NaN()), T(1));
    EXPECT_EQ(value(Parametric::clamp, L::infinity()), T(2));
    EXPECT_EQ(value(Parametric::clamp, -L::infinity()), T(1));
    for (const Parametric kind :
         {Parametric::leaky_relu, Parametric::elu, Parametric::softplus, Parametric::silu, Parametric::gelu, Parametric::gelu_tanh}) {
      EXPECT_EQ(value(kind, L::infinity()), L::infinity()) << static_cast<int>(kind);
      EXPECT_EQ(value(kind, T(1e30)), T(1e30)) << static_cast<int>(kind);
      EXPECT_TRUE(std::isfinite(value(kind, T(-1000)))) << static_cast<int>(kind);
    }
    EXPECT_EQ(value(Parametric::elu, -L::infinity()), T(-1));
    EXPECT_EQ(value(Parametric::softplus, -L::infinity()), T(0));
    for (const Parametric kind : {Parametric::silu_grad, Parametric::gelu_grad, Parametric::softplus_grad, Parametric::elu_grad}) {
      EXPECT_EQ(value(kind, T(1000)), T(1)) << static_cast<int>(kind);
      EXPECT_EQ(value(kind, T(-1000)), T(0)) << static_cast<int>(kind);
    }
    EXPECT_EQ(value(Parametric::xlogx, T(0)), T(0));
    EXPECT_EQ(value(Parametric::xlogx_grad, T(0)), T(0));
    EXPECT_TRUE(std::isnan(value(Parametric::xlogx, T(-1))));
    EXPECT_EQ(value(Parametric::logit_loss, T(1000), T(1)), T(0));
    EXPECT_EQ(value(Parametric::logit_loss, T(1000), T(0)), T(1000));
    EXPECT_EQ(value(Parametric::logit_loss, T(-1000), T(1)), T(1000));
    EXPECT_EQ(value(Parametric::logit_loss, T(-1000), T(0)), T(0));
    EXPECT_NEAR(value(Parametric::logit_loss, T(-15), T(0)) / std::log1p(std::exp(T(-15))), 1, 8 * L::epsilon());
    EXPECT_EQ(value(Parametric::logit_loss, -L::infinity(), T(0)), T(0));
    EXPECT_EQ(value(Parametric::logit_loss, L::infinity(), T(1)), T(0));
    EXPECT_EQ(value(Parametric::logit_loss, L::infinity(), T(0.5)), L::infinity());
    EXPECT_EQ(value(Parametric::share, -L::infinity(), T(0)), T(0));
    EXPECT_EQ(value(Parametric::share, L::infinity(), T(-2)), -L::infinity());
    EXPECT_TRUE(std::isnan(value(Parametric::share, L::quiet_NaN(), T(0))));
    EXPECT_TRUE(std::isnan(value(Parametric::share, T(0), L::infinity())));
    EXPECT_EQ(value(Parametric::log_divergence, -L::infinity(), -L::infinity()), T(0));
    EXPECT_EQ(value(Parametric::log_divergence, -L::infinity(), T(-1)), T(0));
    EXPECT_EQ(value(Parametric::log_divergence, T(-1), -L::infinity()), L::infinity());
    EXPECT_EQ(value(Parametric::log_divergence, L::lowest(), L::max()), T(0));
    EXPECT_TRUE(std::isnan(value(Parametric::log_divergence, -L::infinity(), L::quiet_NaN())));
    EXPECT_TRUE(std::isnan(value(Parametric::log_divergence, L::quiet_NaN(), T(1))));
    for (const T x : {T(2e19), T(1e30), L::max(), L::infinity()}) {
      EXPECT_EQ(value(Parametric::gelu_tanh_grad, x), T(1));
      EXPECT_EQ(value(Parametric::gelu_tanh_grad, -x), T(0));
    }
    EXPECT_TRUE(std::isnan(value(Parametric::gelu_tanh_grad, L::quiet_NaN())));
    EXPECT_EQ(value(Parametric::gelu_tanh_grad, T(1000)), T(1));
    EXPECT_EQ(value(Parametric::gelu_tanh_grad, T(-1000)), T(0));
    EXPECT_TRUE(std::signbit(value(Parametric::leaky_relu, T(-0.0))) && std::signbit(value(Parametric::elu, T(-0.0))));
  });
}

TEST(Kernels, ComparisonsAndChoices) {
  for_each_table([]<class T>(const Table<T>& table) {
    Numbers numbers(6);
    const T some[] = {T(0), -T(0), T(1), std::numeric_limits<T>::quiet_NaN(), std::numeric_limits<T>::infinity(), T(-3)};
    const auto draw = [&] { return some[numbers.whole(0, 5)]; };
    for (std::int64_t n = 0; n <= 70; ++n)
      for (int steps = 0; steps < 8; ++steps) {
        const bool a_step = steps & 1, b_step = steps & 2, c_step = steps & 4;
        Guarded<T> a(a_step ? n : 1), b(b_step ? n : 1), y(n);
        for (std::int64_t i = 0; i < a.size(); ++i) a[i] = draw();
        for (std::int64_t i = 0; i < b.size(); ++i) b[i] = draw();
        const std::unique_ptr<bool[]> c(new bool[static_cast<std::size_t>(n + 1)]), out(new bool[static_cast<std::size_t>(n + 1)]);
        for (std::int64_t i = 0; i <= n; ++i) c[static_cast<std::size_t>(i)] = numbers.whole(0, 1) == 1;
        table.select(c.get(), a.data(), b.data(), y.data(), n, c_step, a_step, b_step);
        for (std::int64_t i = 0; i < n; ++i)
          ASSERT_TRUE(same(y[i], c[static_cast<std::size_t>(c_step ? i : 0)] ? a[a_step ? i : 0] : b[b_step ? i : 0])) << i << " of " << n;
        ASSERT_TRUE(y.untouched());
        for (int kind = 0; kind < compare_count && c_step; ++kind) {
          out[static_cast<std::size_t>(n)] = true;
          table.compare[kind](a.data(), b.data(), out.get(), n, a_step, b_step);
          for (std::int64_t i = 0; i < n; ++i)
            ASSERT_EQ(out[static_cast<std::size_t>(i)], compared(static_cast<Compare>(kind), a[a_step ? i : 0], b[b_step ? i : 0]))
                << "kind " << kind << " at " << i << " of " << n;
          ASSERT_TRUE(out[static_cast<std::size_t>(n)]);
        }
        if (!a_step) continue;
        table.finite(a.data(), out.get(), n);
        for (std::int64_t i = 0; i < n; ++i) ASSERT_EQ(out[static_cast<std::size_t>(i)], std::isfinite(a[i])) << i << " of " << n;
      }
  });
}
