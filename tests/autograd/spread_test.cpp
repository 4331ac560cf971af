// Variance, deviation and norm of equal, huge and tiny elements, and their derivatives there.
#include "extremes.h"

using namespace capstan;

namespace {

/// What is huge and tiny in a dtype, as powers of two.
struct Ends {
  double huge, tiny, top, least, most;
};
Ends ends_of(DType dtype) {
  if (dtype == DType::f32) return {0x1p100, 0x1p-100, 0x1p125, 0x1p-149, static_cast<double>(std::numeric_limits<float>::max())};
  return {0x1p1000, 0x1p-1000, 0x1p1020, 0x1p-1074, std::numeric_limits<double>::max()};
}

Values times(Values list, double factor) {
  for (double& v : list) v *= factor;
  return list;
}

/// f has degree 1: f(c x) = c f(x), so that its slopes are the same for all c, and second derivatives go by 1 / c. Whether they do.
template <class F>
void expect_degree_1(F f, const Tensor& x, DType dtype) {
  const Ends ends = ends_of(dtype);
  const Tensor weights = numbers(x.shape(), -1, 1, 3), plain = x.to(dtype);
  const Values first = slope(f, x), second = second_slope(f, x, weights);
  for (const double c : {ends.huge, ends.tiny, ends.least, ends.top, 1.})
    for (const bool higher_order : {false, true}) expect_close(slope(f, plain * c, higher_order), first, dtype, 32);
  for (const double c : {ends.huge, ends.tiny, 1.})
    expect_close(times(second_slope(f, plain * c, weights.to(dtype)), c), second, dtype, 256);
}

Tensor deviation(const Tensor& x) { return capstan::std(x); }

}  // namespace

TEST(Spread, OfEqualElementsIsZero) {
  for (const DType dtype : floating) {
    const Ends ends = ends_of(dtype);
    for (const double value : {1 / 3., 0.1, -7.7, 16777217., ends.huge / 3, ends.tiny / 3, ends.most, -ends.most / 3, ends.least, 0.})
      for (const std::int64_t n : {2, 3, 5, 7, 10, 33, 1000}) {
        const Tensor x = full({n}, value, dtype),
                     beside = concat({full({n, 1}, value, dtype), reshape(arange(static_cast<double>(n), dtype), {n, 1})}, 1);
        for (const double correction : {0., 1.}) {
          EXPECT_EQ(var(x, {}, false, correction).item(), 0) << value << " " << n;
          EXPECT_EQ(capstan::std(x, {}, false, correction).item(), 0) << value << " " << n;
          EXPECT_EQ(values(var(beside, 0, false, correction))[0], 0) << value << " " << n;
          EXPECT_GT(values(capstan::std(beside, 0, false, correction))[1], 0) << value << " " << n;
        }
        if (n > 10) continue;
        const Values nothing(static_cast<std::size_t>(n));
        for (const bool higher_order : {false, true}) {
          EXPECT_EQ(slope(deviation, x, higher_order), nothing) << value << " " << n;
          EXPECT_EQ(slope([](const Tensor& y) { return var(y); }, x, higher_order), nothing) << value << " " << n;
        }
        EXPECT_EQ(second_slope(deviation, x, numbers({n}).to(dtype)), nothing) << value << " " << n;
      }
  }
}

// The mean is rounded, to an element or between two; what is left of it is a mean of its own.
TEST(Spread, BesideALargeMean) {
  for (const DType dtype : floating) {
    const double base = dtype == DType::f32 ? 0x1p24 : 0x1p53;  // where numbers are 2 apart
    const Tensor x = tensor({base, base + 2, base}, dtype), columns = reshape(x, {3, 1});
    expect_close(var(x), {4 / 3.});
    expect_close(var(columns, 0), {4 / 3.});
    expect_close(capstan::std(x, {}, false, 0), {std::sqrt(8 / 9.)});
    for (const bool higher_order : {false, true}) {
      expect_close(slope([](const Tensor& y) { return var(y); }, x, higher_order), {-2 / 3., 4 / 3., -2 / 3.}, dtype);
      const double s = std::sqrt(4 / 3.);
      expect_close(slope(deviation, x, higher_order), {-1 / (3 * s), 2 / (3 * s), -1 / (3 * s)}, dtype);
    }
  }
}

TEST(Spread, TheDeviationHasTheSameSlopesAtAnySize) {
  for (const DType dtype : floating) {
    expect_degree_1(deviation, d({3, -1, 2, 1}), dtype);
    expect_degree_1([](const Tensor& x) { return capstan::std(x, {}, false, 0); }, d({3, -1, 2, 1, 1}), dtype);
    expect_degree_1([](const Tensor& x) { return capstan::std(x, 0); }, d({{3, 1}, {-1, 2}, {2, 7}}), dtype);
    expect_degree_1([](const Tensor& x) { return capstan::std(x, 1, true, 0.5); }, d({{3, 1, 0}, {-1, 2, 5}}), dtype);
    expect_degree_1([](const Tensor& x) { return capstan::std(x, {0, 2}); }, d({{{3, 1}, {-1, 2}}, {{2, 7}, {0, 4}}}), dtype);
  }
}

TEST(Spread, ADeviationThatCannotBeHeldHasASlope) {
  for (const DType dtype : floating)
    for (const bool higher_order : {false, true}) {
      const double h = dtype == DType::f32 ? 3e38 : 1.5e308, r = std::sqrt(0.5);
      EXPECT_EQ(capstan::std(tensor({h, -h}, dtype)).item(), inf);
      expect_close(slope(deviation, tensor({h, -h}, dtype), higher_order), {r, -r}, dtype);
      const Values both = slope([](const Tensor& x) { return capstan::std(x, 1); }, tensor({{h, -h}, {1, 3}}, dtype), higher_order);
      expect_close(both, {r, -r, -r, r}, dtype);
    }
}

// As PyTorch's: the others are infinitely far from the mean, the infinite one's distance is NaN.
TEST(Spread, BesideAnInfiniteElement) {
  for (const DType dtype : floating)
    for (const bool higher_order : {false, true}) {
      const Tensor x = tensor({-0.8, inf, 0.9}, dtype);
      expect_close(slope([](const Tensor& y) { return var(y); }, x, higher_order), {-inf, no_number, -inf}, dtype);
      expect_close(slope(deviation, x, higher_order), {no_number, no_number, no_number}, dtype);
    }
}

TEST(Spread, TheVarianceHasItsSlopeWhereItsPartsCannotBeHeld) {
  for (const DType dtype : floating)
    for (const bool higher_order : {false, true}) {
      const auto of = [=](const Tensor& x) { return slope([](const Tensor& y) { return var(y); }, x, higher_order); };
      const Ends ends = ends_of(dtype);
      const double h = dtype == DType::f32 ? 0x1.8p127 : 0x1.8p1023;
      const Values far =
          of(tensor({h, -h, -h, -h, -h, -h, -h, -h}, dtype));  // the mean is -3/4 h, and the first one's distance, 7/4 h, is not held
      expect_close(far, {h / 2, -h / 14, -h / 14, -h / 14, -h / 14, -h / 14, -h / 14, -h / 14}, dtype);
      expect_close(of(tensor({ends.tiny, -ends.tiny}, dtype)), {2 * ends.tiny, -2 * ends.tiny}, dtype);
      // A small dy beside huge elements.
      const auto scaled = [&](const Tensor& y) { return var(y) * ends.tiny; };
      expect_close(slope(scaled, tensor({ends.huge, -ends.huge}, dtype), higher_order), {2, -2}, dtype);
    }
}

TEST(Spread, SecondDerivativesOfTheVariance) {
  for (const DType dtype : floating) {
    const Ends ends = ends_of(dtype);
    for (const double c : {ends.huge, ends.tiny, 1.}) {
      const Values h = second_slope([](const Tensor& x) { return var(x); }, tensor({3, -1, 2}, dtype) * c, tensor({1, 0, 0}, dtype));
      expect_close(h, {2 / 3., -1 / 3., -1 / 3.}, dtype, 16);  // 2 (1 if i = j, less 1 / n) / (n - 1)
    }
  }
}

// The vector x / |x| has length 1, where |x| itself has one digit or cannot be held too.
TEST(Spread, TheNormsSlopeHasLengthOne) {
  for (const DType dtype : floating) {
    const Ends ends = ends_of(dtype);
    const double r = std::sqrt(0.5);
    const auto of = [](const Tensor& x) { return norm(x); };
    for (const bool higher_order : {false, true}) {
      expect_close(slope(of, tensor({ends.least}, dtype), higher_order), {1}, dtype);
      for (const double c : {ends.least, ends.tiny, ends.huge, ends.most}) {
        expect_close(slope(of, tensor({c, -c}, dtype), higher_order), {r, -r}, dtype);
        expect_close(slope(of, tensor({c, 0, c, c, c}, dtype), higher_order), {0.5, 0, 0.5, 0.5, 0.5}, dtype);
        const Values lines = slope([](const Tensor& x) { return norm(x, 2, 1); }, tensor({{c, c}, {3, -4}, {0, 0}}, dtype), higher_order);
        expect_close(lines, {r, r, 0.6, -0.8, 0, 0}, dtype);
        expect_close(slope([](const Tensor& x) { return norm(x, 1); }, tensor({c, -c}, dtype), higher_order), {1, -1}, dtype);
        expect_close(slope([](const Tensor& x) { return norm(x, inf); }, tensor({c, -c}, dtype), higher_order), {0.5, -0.5}, dtype);
      }
    }
  }
}

TEST(Spread, NormsHaveTheSameSlopesAtAnySize) {
  for (const DType dtype : floating)
    for (const double p : {0.5, 1.5, 2., 3.}) {
      expect_degree_1([p](const Tensor& x) { return norm(x, p); }, d({3, -1, 2, 1}), dtype);
      expect_degree_1([p](const Tensor& x) { return norm(x, p, 0); }, d({{3, 1}, {-1, 2}, {2, 7}}), dtype);
    }
}
