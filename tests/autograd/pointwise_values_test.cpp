// What the rows of tests/operations do not show: kinks, ties, NaN and infinities beside numbers, integers.
#include <limits>

#include "support.h"

using namespace capstan;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity(), no_number = std::numeric_limits<double>::quiet_NaN();
const DType floating[] = {DType::f32, DType::f64};

/// The gradients of sum(f(a, b)).
template <class F>
Values slopes(F f, const Tensor& at_a, const Tensor& at_b) {
  const Tensor a = parameter(at_a.clone()), b = parameter(at_b.clone());
  Tape tape;
  const Gradients g = tape.gradients(sum(f(a, b)));
  Values all = values(g[a]);
  for (const double v : values(g[b])) all.push_back(v);
  return all;
}
template <class F>
Values slope(F f, const Tensor& at) {
  const Tensor x = parameter(at.clone());
  Tape tape;
  return values(tape.gradients(sum(f(x)))[x]);
}

Tensor i64(const NestedList& list) { return tensor(list, DType::i64); }
Tensor booleans(const NestedList& list) { return tensor(list, DType::boolean); }

}  // namespace

TEST(PointwiseValues, TheSubgradientAtAKink) {
  for (const DType dtype : floating) {
    const Tensor x = tensor({-1, -0.0, 0, 1}, dtype);
    EXPECT_EQ(slope([](const Tensor& t) { return leaky_relu(t, 0.25); }, x), (Values{0.25, 0.25, 0.25, 1}));
    EXPECT_EQ(slope([](const Tensor& t) { return elu(t, 0.5); }, x)[2], 0.5);
    EXPECT_EQ(slope([](const Tensor& t) { return hardtanh(t, -1, 1); }, x), (Values{0, 1, 1, 0}));
    EXPECT_EQ(slope([](const Tensor& t) { return clamp(t, -1, 1); }, x), (Values{1, 1, 1, 1}));
    EXPECT_EQ(slope([](const Tensor& t) { return clamp(t, -0.5, inf); }, x), (Values{0, 1, 1, 1}));
    for (Tensor (*f)(const Tensor&) : {&sign, &floor, &ceil, &round}) EXPECT_EQ(slope(f, x), (Values{0, 0, 0, 0}));
    EXPECT_EQ(slope([](const Tensor& t) { return rsqrt(t); }, tensor({0, 4}, dtype)), (Values{-inf, -0.0625}));
    EXPECT_EQ(slope([](const Tensor& t) { return reciprocal(t); }, tensor({0, 4}, dtype)), (Values{-inf, -0.0625}));
  }
}

TEST(PointwiseValues, TiesOfMaximumAndMinimumShareTheGradient) {
  const Tensor a = d({1, 2, 3}), b = d({3, 2, 1});
  EXPECT_EQ(slopes([](const Tensor& p, const Tensor& q) { return maximum(p, q); }, a, b), (Values{0, 0.5, 1, 1, 0.5, 0}));
  EXPECT_EQ(slopes([](const Tensor& p, const Tensor& q) { return minimum(p, q); }, a, b), (Values{1, 0.5, 0, 0, 0.5, 1}));
  EXPECT_EQ(slope([](const Tensor& x) { return maximum(x, x); }, a), (Values{1, 1, 1}));
}

TEST(PointwiseValues, PowerAtZero) {
  for (const DType dtype : floating) {
    const auto power = [](const Tensor& a, const Tensor& b) { return pow(a, b); };
    const Tensor a = tensor({0, 0, 0, 2, -2}, dtype), b = tensor({0, 1, 2, 0, 3}, dtype);
    EXPECT_TRUE(near(pow(a, b), d({1, 0, 0, 1, -8}), 0));
    const Values s = slopes(power, a, b);
    EXPECT_EQ(Values(s.begin(), s.begin() + 5), (Values{0, 1, 0, 0, 12}));
    EXPECT_EQ(Values(s.begin() + 5, s.begin() + 8), (Values{0, 0, 0}));
    EXPECT_NEAR(s[8], std::log(2.0), 1e-7);
    EXPECT_TRUE(std::isnan(s[9]));
  }
}

TEST(PointwiseValues, NanInfinityAndBothZeros) {
  for (const DType dtype : floating) {
    const auto of = [&](std::vector<double> v) { return tensor(v).to(dtype); };
    EXPECT_TRUE(near(expm1(of({-inf, inf, no_number})), d({-1, inf, no_number}), 0));
    EXPECT_TRUE(near(log1p(of({-1, -2, inf, no_number})), d({-inf, no_number, inf, no_number}), 0));
    EXPECT_TRUE(near(rsqrt(of({0, -1, inf, no_number})), d({inf, no_number, 0, no_number}), 0));
    EXPECT_TRUE(near(floor(of({-inf, inf, no_number, 1e20})), d({-inf, inf, no_number, dtype == DType::f32 ? double(1e20f) : 1e20}), 0));
    EXPECT_TRUE(near(round(of({0.5, 1.5, 2.5, -0.5, no_number})), d({0, 2, 2, 0, no_number}), 0));
    EXPECT_TRUE(std::signbit(values(round(of({-0.5})))[0]) && std::signbit(values(ceil(of({-0.5})))[0]));
    EXPECT_TRUE(near(maximum(of({no_number, 1, inf}), of({1, no_number, -inf})), d({no_number, no_number, inf}), 0));
    EXPECT_TRUE(near(minimum(of({no_number, 1, inf}), of({1, no_number, -inf})), d({no_number, no_number, -inf}), 0));
    EXPECT_TRUE(near(clamp(of({no_number, -inf, inf}), -1, 1), d({no_number, -1, 1}), 0));
    EXPECT_TRUE(near(elu(of({-inf, inf, no_number})), d({-1, inf, no_number}), 0));
    EXPECT_TRUE(near(softplus(of({-inf, inf, no_number, 1000, -1000})), d({0, inf, no_number, 1000, 0}), 0));
    EXPECT_TRUE(near(silu(of({-inf, inf, no_number, -1000})), d({no_number, inf, no_number, 0}), 0));
    EXPECT_TRUE(near(gelu(of({-inf, inf, no_number, -1000})), d({no_number, inf, no_number, 0}), 0));
    EXPECT_TRUE(near(gelu(of({-inf, inf, no_number, -1000}), Gelu::tanh), d({no_number, inf, no_number, 0}), 0));
    EXPECT_EQ(values(isfinite(of({0, -0.0, inf, -inf, no_number, 1}))), (Values{1, 1, 0, 0, 0, 1}));
    const Tensor x = of({no_number, -0.0, inf}), y = of({no_number, 0, inf});
    EXPECT_EQ(values(x == y), (Values{0, 1, 1}));
    EXPECT_EQ(values(x != y), (Values{1, 0, 0}));
    EXPECT_EQ(values(x < y), (Values{0, 0, 0}));
    EXPECT_EQ(values(x <= y), (Values{0, 1, 1}));
    EXPECT_EQ(values(x > -1), (Values{0, 1, 1}));
    EXPECT_EQ(values(x >= y), (Values{0, 1, 1}));
  }
}

TEST(PointwiseValues, WhereKeepsTheOtherSideOut) {
  const Tensor x = p({-1, 0, 4}), other = p({no_number, inf, no_number});
  Tape tape;
  const Tensor y = where(x > -2, x, other);
  EXPECT_EQ(values(y), (Values{-1, 0, 4}));
  const Gradients g = tape.gradients(sum(y));
  EXPECT_EQ(values(g[x]), (Values{1, 1, 1}));
  EXPECT_EQ(values(g[other]), (Values{0, 0, 0}));
}

TEST(PointwiseValues, ComparisonsOfIntegersAndBooleans) {
  const std::int64_t big = (std::int64_t{1} << 53) + 1;
  const Tensor a = tensor(std::vector<std::int64_t>{big, -3, 0}), b = tensor(std::vector<std::int64_t>{big - 1, -3, 1});
  EXPECT_EQ(values(a == b), (Values{0, 1, 0}));
  EXPECT_EQ(values(a > b), (Values{1, 0, 0}));
  EXPECT_EQ(values(a <= -3), (Values{0, 1, 0}));
  EXPECT_EQ(values(0 == a), (Values{0, 0, 1}));
  EXPECT_EQ(values(booleans({1, 0}) == booleans({1, 1})), (Values{1, 0}));
  EXPECT_EQ(values(booleans({1, 0}) < 1), (Values{0, 1}));
  EXPECT_EQ(values(i64({{1, 2}, {3, 4}}) != i64({{1}, {4}})), (Values{0, 1, 1, 0}));
  EXPECT_TRUE(same_bits(where(booleans({1, 0}), i64({1, 2}), i64({3, 4})), i64({1, 4})));
  EXPECT_TRUE(same_bits(where(booleans({{1}, {0}}), booleans({1, 0}), booleans(1)), booleans({{1, 0}, {1, 1}})));
}

// Above the size at which the work is divided.
TEST(PointwiseValues, LongTensors) {
  const std::int64_t n = (1 << 17) + 5;
  for (const DType dtype : floating) {
    const Tensor x = numbers({n}).to(dtype), wide = x.to(DType::f64);
    const Tensor y = silu(x), positive = x > 0, swapped = 0 < x, less = x < x * 2;
    for (std::int64_t i = 0; i < n; i += 997) {
      const double v = wide.data<double>()[i];
      ASSERT_NEAR(values(y.rows(i, i + 1))[0], v / (1 + std::exp(-v)), 1e-6);
      ASSERT_EQ(positive.data<bool>()[i], v > 0);
      ASSERT_EQ(swapped.data<bool>()[i], v > 0);
      ASSERT_EQ(less.data<bool>()[i], v > 0);
    }
  }
}

TEST(PointwiseValues, MathForNumbersStaysTheStandards) {
  EXPECT_EQ(capstan::floor(-0.5), -1.0);
  EXPECT_EQ(capstan::erf(0.25), std::erf(0.25));
  static_assert(std::is_same_v<decltype(capstan::sin(2.0f)), float> && std::is_same_v<decltype(capstan::log1p(2.0)), double>);
}
