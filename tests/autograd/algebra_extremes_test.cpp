// Determinants and least squares of huge and tiny matrices, and their derivatives.
#include "extremes.h"

using namespace capstan;

namespace {

Tensor determinant(const Tensor& a) { return det(a); }

}  // namespace

TEST(AlgebraExtremes, ADeterminantThatCannotBeHeldHasItsSlope) {
  for (const DType dtype : floating)
    for (const bool higher_order : {false, true}) {
      const double h = dtype == DType::f32 ? 0x1p100 : 0x1p1000, t = 1 / h, least = dtype == DType::f32 ? 0x1p-149 : 0x1p-1074;
      expect_close(slope(determinant, eye(2, dtype) * h, higher_order), {h, 0, 0, h}, dtype);
      expect_close(slope(determinant, eye(2, dtype) * t, higher_order), {t, 0, 0, t}, dtype);
      expect_close(slope(determinant, tensor({{h, 2 * h}, {3 * h, h}}, dtype), higher_order), {h, -3 * h, -2 * h, h}, dtype, 32);
      expect_close(slope(determinant, tensor({{t, 2 * t}, {3 * t, t}}, dtype), higher_order), {t, -3 * t, -2 * t, t}, dtype, 32);
      // The determinant can be held, the inverse cannot.
      expect_close(slope(determinant, tensor({{8, 0}, {0, least}}, dtype), higher_order), {least, 0, 0, 8}, dtype);
      // In the second one's slope too.
      const Tensor both = stack({eye(2, dtype) * h, tensor({{2, 1}, {1, 3}}, dtype)});
      expect_close(slope(determinant, both, higher_order), {h, 0, 0, h, 3, -1, -1, 2}, dtype);
      const Tensor singular = stack({eye(2, dtype) * h, tensor({{2, 1}, {4, 2}}, dtype)});
      expect_close(slope(determinant, singular, higher_order), {h, 0, 0, h, 2, -4, -1, 2}, dtype);
    }
}

TEST(AlgebraExtremes, LargeMatricesLeaveTheRange) {
  for (const DType dtype : floating)
    for (const bool higher_order : {false, true}) {
      const double c = dtype == DType::f32 ? 0x1p35 : 0x1p300;
      for (const double factor : {c, 1 / c}) {  // the determinant is c^4, its slope c^3
        const Values g = slope(determinant, eye(4, dtype) * factor, higher_order);
        for (std::size_t i = 0; i < g.size(); ++i) EXPECT_EQ(g[i], i % 5 == 0 ? factor * factor * factor : 0) << i;
      }
      for (const double factor : {c, 1 / c}) {
        const Values g = slope(determinant, eye(40, dtype) * factor, higher_order);
        for (std::size_t i = 0; i < g.size(); ++i) EXPECT_EQ(g[i], i % 41 == 0 && factor > 1 ? inf : 0) << i;
      }
    }
}

// det of [[a, b], [c, d]] is a d - b c: what it is bent by depends on nothing.
TEST(AlgebraExtremes, SecondDerivativesOfADeterminant) {
  for (const DType dtype : floating) {
    const double h = dtype == DType::f32 ? 0x1p100 : 0x1p1000;
    const Tensor w = tensor({{1, 2}, {3, 5}}, dtype);
    for (const double c : {h, 1 / h, 1.}) {
      expect_close(second_slope(determinant, tensor({{2, 1}, {1, 3}}, dtype) * c, w), {5, -3, -2, 1}, dtype, 64);
      expect_close(second_slope(determinant, tensor({{2, 1}, {-4, 3}}, dtype) * c, w), {5, -3, -2, 1}, dtype, 64);
    }
    const Tensor three = d({{2, 1, 0}, {-1, 3, 1}, {0.5, 1, 4}}), v = numbers({3, 3});
    const Values plain = second_slope(determinant, three, v);
    const double c = dtype == DType::f32 ? 0x1p60 : 0x1p500;
    for (const double factor : {c, 1 / c}) {
      Values g = second_slope(determinant, three.to(dtype) * factor, v.to(dtype));
      for (double& x : g) x /= factor;
      expect_close(g, plain, dtype, 256);
    }
  }
}

// y = argmin |a y - b| is the same for c a and c b; its slope by a goes by 1 / c.
TEST(AlgebraExtremes, LeastSquaresOfAnySize) {
  const Tensor a = d({{2, 1}, {1, 3}, {-1, 2}, {1, 1}}), b = d({1, -2, 3, 5});
  for (const DType dtype : floating) {
    const double h = dtype == DType::f32 ? 0x1p100 : 0x1p1000;
    const auto by_a = [](const Tensor& right) { return [=](const Tensor& x) { return lstsq(x, right).solution; }; };
    const auto by_b = [](const Tensor& left) { return [=](const Tensor& x) { return lstsq(left, x).solution; }; };
    const Values solution = values(lstsq(a, b).solution), from_a = slope(by_a(b), a), from_b = slope(by_b(a), b);
    const Values bent = second_slope(by_b(a), b, numbers({4}));
    for (const double g : bent) EXPECT_EQ(g, 0);
    for (const double c : {h, 1 / h, 1.}) {
      const Tensor left = a.to(dtype) * c, right = b.to(dtype) * c;
      expect_close(lstsq(left, right).solution, solution, 64);
      for (const bool higher_order : {false, true}) {
        Values g = slope(by_a(right), left, higher_order);
        for (double& v : g) v *= c;
        expect_close(g, from_a, dtype, 128);
        g = slope(by_b(left), right, higher_order);
        for (double& v : g) v *= c;
        expect_close(g, from_b, dtype, 128);
      }
    }
    const double half = dtype == DType::f32 ? 0x1p50 : 0x1p500;  // whose square can be held
    const Values curved = second_slope(by_a(b), a, numbers({4, 2}));
    for (const double factor : {half, 1 / half}) {
      Values g = second_slope(by_a(b.to(dtype) * factor), a.to(dtype) * factor, numbers({4, 2}).to(dtype));
      for (double& v : g) v *= factor * factor;
      expect_close(g, curved, dtype, 1024);
    }
    // Each problem of a batch by its own size.
    const Tensor many = stack({a.to(dtype) * h, a.to(dtype) / h}), sides = unsqueeze(stack({b.to(dtype) * h, b.to(dtype) / h}), -1);
    const Values each = slope([&](const Tensor& x) { return lstsq(x, sides).solution; }, many);
    Values expected;
    for (const double factor : {1 / h, h})
      for (const double v : from_a) expected.push_back(v * factor);
    expect_close(each, expected, dtype, 128);
  }
}
