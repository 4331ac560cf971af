// Linear algebra beyond its rows in the table: singular and degenerate matrices, NaN, sizes above a kernel's.
#include <limits>

#include <capstan/autograd/gradcheck.h>

#include "support.h"

using namespace capstan;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity(), no_number = std::numeric_limits<double>::quiet_NaN();
const DType floating[] = {DType::f32, DType::f64};

template <class F>
Values slope(F g, const Tensor& at) {
  const Tensor x = parameter(at.clone());
  Tape tape;
  return values(tape.gradients(sum(g(x)))[x]);
}

}  // namespace

TEST(Algebra, DeterminantsAtTheirEdges) {
  for (const DType dtype : floating) {
    const Tensor singular = tensor({{1, 2}, {2, 4}}, dtype), large = eye(64, dtype) * 1e20, negative = tensor({{0, 1}, {1, 0}}, dtype);
    EXPECT_EQ(det(singular).item(), 0);
    EXPECT_EQ(slope([](const Tensor& x) { return det(x); }, singular), (Values{4, -2, -2, 1}));
    EXPECT_EQ(slope([](const Tensor& x) { return det(x); }, zeros({2, 2}, dtype)), (Values{0, 0, 0, 0}));
    EXPECT_EQ(slope([](const Tensor& x) { return det(x); }, zeros({1, 1}, dtype)), (Values{1}));
    const double tiny = dtype == DType::f32 ? 1e-30 : 1e-200;  // its determinant vanishes, its gradient does not
    EXPECT_TRUE(near(tensor(slope([](const Tensor& x) { return det(x); }, eye(2, dtype) * tiny)) / tiny, d({1, 0, 0, 1}), 1e-6));
    EXPECT_EQ(logdet(singular).item(), -inf);
    EXPECT_TRUE(std::isnan(logdet(negative).item()));
    EXPECT_EQ(det(negative).item(), -1);
    EXPECT_NEAR(logdet(large).item(), 64 * std::log(1e20), 1e-3);
    EXPECT_TRUE(std::isnan(det(tensor({no_number}, dtype).reshape({1, 1})).item()));
    EXPECT_EQ(det(empty({0, 0}, dtype)).item(), 1);
    EXPECT_EQ(logdet(empty({0, 0}, dtype)).item(), 0);
    EXPECT_EQ(values(det(empty({2, 0, 0}, dtype))), (Values{1, 1}));
  }
}

TEST(Algebra, GradientsThatDoNotExistAreRefused) {
  const Tensor singular = p({{1, 2}, {2, 4}}), wide = p({{1, 2, 3}, {4, 5, 7}}), right = p({1, 1});
  const auto refused = [&](Tensor (*g)(const Tensor&, const Tensor&), const Tensor& x) {
    Tape tape;
    const Tensor y = sum(g(x, right));
    return thrown([&] { const Gradients none = tape.gradients(y); });
  };
  EXPECT_EQ(refused([](const Tensor& x, const Tensor&) { return logdet(x); }, singular),
            "ValueError: [logdet] the matrix must be invertible: [2, 2], matrix 0");
  EXPECT_EQ(refused([](const Tensor& x, const Tensor&) { return qr(x).r; }, wide),
            "ValueError: [qr] a gradient needs at least as many rows as columns: 2 rows, 3 columns");
  EXPECT_EQ(refused([](const Tensor& x, const Tensor& b) { return lstsq(x, b).solution; }, wide),
            "ValueError: [lstsq] a gradient needs full column rank: 2 of 3");
  EXPECT_EQ(refused([](const Tensor& x, const Tensor& b) { return lstsq(x, b).solution; }, singular),
            "ValueError: [lstsq] a gradient needs full column rank: 1 of 2");
}

// By elimination in f32 this matrix is regular and its transpose is not: forward and gradient go by one factorisation.
TEST(Algebra, WhatCouldBeSolvedHasAGradient) {
  const Tensor a = tensor({{1, 3}, {7, 21}}), b = tensor({1, 2});
  const auto slopes = [&](bool higher_order) {
    Tape tape({.higher_order = higher_order});
    tape.watch(a);
    tape.watch(b);
    const Gradients g = tape.gradients(sum(solve(a, b)));
    return std::vector<Tensor>{g[a].clone(), g[b].clone()};
  };
  const std::vector<Tensor> first = slopes(false), recorded = slopes(true);
  for (std::size_t k = 0; k < 2; ++k) {
    EXPECT_TRUE(all(isfinite(first[k])).item()) << first[k];
    EXPECT_TRUE(same_bits(first[k], recorded[k])) << first[k] << recorded[k];
  }
}

TEST(Algebra, DeterminantsOfSingularMatricesHaveASecondOrder) {
  const auto f = [](const std::vector<Tensor>& in) { return det(in[0]); };
  for (const Tensor& a :
       {d({{1, 2}, {2, 4}}), d({{0, 0}, {0, 0}}), d({{1, 2, 3}, {2, 4, 6}, {-1, -2, -3}}), d({{{1, 2}, {2, 4}}, {{1, 2}, {3, 5}}})}) {
    const GradcheckResult r = gradcheck(f, {a}, {.order = 2});
    EXPECT_TRUE(r) << a << r.message;
  }
}

TEST(Algebra, LeastSquaresOfLeastNorm) {
  for (const DType dtype : floating) {
    EXPECT_TRUE(near(lstsq(tensor({{1, 1}}, dtype), tensor({2}, dtype)).solution, d({1, 1}), 1e-6));
    EXPECT_TRUE(near(lstsq(tensor({{1, 1}, {1, 1}}, dtype), tensor({1, 3}, dtype)).solution, d({1, 1}), 1e-6));
    EXPECT_TRUE(near(lstsq(zeros({2, 2}, dtype), ones({2}, dtype)).solution, d({0, 0}), 0));
    EXPECT_EQ(lstsq(empty({0, 2}, dtype), empty({0}, dtype)).solution.shape(), Shape{2});
    EXPECT_EQ(lstsq(ones({3, 2}, dtype), empty({3, 0}, dtype)).solution.shape(), (Shape{2, 0}));
  }
}

TEST(Algebra, OnlyTheLowerTriangleOfASymmetricMatrixIsRead) {
  for (const DType dtype : floating) {
    const Tensor whole = tensor({{4, 2}, {2, 5}}, dtype), lower = tensor({{4, 99}, {2, 5}}, dtype);
    EXPECT_TRUE(same_bits(cholesky(whole), cholesky(lower)));
    EXPECT_TRUE(same_bits(eigh(whole).values, eigh(lower).values));
    EXPECT_TRUE(near(cholesky(lower), d({{2, 0}, {1, 2}}), 1e-6));
    for (const double other : {no_number, inf}) {
      const Tensor spoilt = tensor({{4, other}, {2, 5}}, dtype);
      EXPECT_TRUE(same_bits(cholesky(whole), cholesky(spoilt)));
      EXPECT_TRUE(same_bits(eigh(whole).values, eigh(spoilt).values));
      EXPECT_TRUE(same_bits(eigh(whole).vectors, eigh(spoilt).vectors));
      const auto f = [](const Tensor& x) { return eigh(x).values * tensor({1, 2}, x.dtype()) + eigh(x).vectors + cholesky(x); };
      EXPECT_EQ(slope(f, whole), slope(f, spoilt));
      EXPECT_EQ(thrown([&] { (void)eigh(transpose(spoilt)); }),
                "NotFiniteError: [eigh] the lower triangle must be finite: [2, 2], matrix 0");
    }
  }
}

TEST(Algebra, WideAndEmptyFactors) {
  const QR f = qr(d({{3, 1, 2}, {4, 2, 5}}));
  EXPECT_EQ(f.q.shape(), (Shape{2, 2}));
  EXPECT_EQ(f.r.shape(), (Shape{2, 3}));
  EXPECT_TRUE(near(matmul(f.q, f.r), d({{3, 1, 2}, {4, 2, 5}}), 1e-14));
  EXPECT_TRUE(near(matmul(f.q, f.q, {.transpose_a = true}), eye(2, DType::f64), 1e-15));
  EXPECT_EQ(qr(empty({0, 3})).q.shape(), (Shape{0, 0}));
  EXPECT_EQ(qr(empty({3, 0})).r.shape(), (Shape{0, 0}));
  EXPECT_EQ(eigh(empty({0, 0})).values.shape(), Shape{0});
}

// Above the sizes at which LAPACK works in blocks.
TEST(Algebra, LargerMatrices) {
  for (const DType dtype : floating) {
    const double tolerance = dtype == DType::f32 ? 2e-3 : 1e-11;
    const std::int64_t n = 150;
    const Tensor x = numbers({n, n}).to(dtype), one = eye(n, dtype);
    const Tensor a = x + one * 40, s = matmul(x, x, {.transpose_b = true}) + one * 40;
    EXPECT_TRUE(near(matmul(a, inverse(a)), one, tolerance));
    EXPECT_TRUE(near(matmul(a, solve(a, x)), x, tolerance));
    const Tensor l = cholesky(s);
    EXPECT_TRUE(near(matmul(l, l, {.transpose_b = true}), s, tolerance));
    EXPECT_NEAR(logdet(s).item(),
                2 * log(prod(slice(l.reshape({-1}), 0, 0, n * n, n + 1).to(DType::f64) / 7)).item() + 2 * 150 * std::log(7.),
                tolerance * 500);
    const QR f = qr(x);
    EXPECT_TRUE(near(matmul(f.q, f.r), x, tolerance));
    const Eigh e = eigh(s);
    EXPECT_TRUE(near(matmul(s, e.vectors), e.vectors * e.values, tolerance * 200));
  }
}

// BLAS works in memory of its own, in which these leave NaN.
TEST(Algebra, AnEarlierNaNIsNotSeen) {
  const auto spoil = [](DType dtype) {
    for (const std::int64_t n : {7, 31, 130}) {
      const Tensor huge = (numbers({n, n}).to(dtype) + eye(n, dtype) * 40) * std::numeric_limits<double>::infinity();
      det(huge);
      qr(huge);
    }
  };
  for (const DType dtype : floating)
    for (const std::int64_t n : {2, 3, 7, 31, 64, 130}) {
      const Tensor x = numbers({n, n}).to(dtype), a = x + eye(n, dtype) * 40, s = matmul(x, x, {.transpose_b = true}) + eye(n, dtype) * 40;
      const auto all = [&] {
        const Eigh e = eigh(s);
        const QR f = qr(x);
        return std::vector<Tensor>{e.values, e.vectors, f.q, f.r, cholesky(s), inverse(a), solve(a, x), det(a), lstsq(a, x).solution};
      };
      const std::vector<Tensor> before = all();
      for (const DType spoilt : floating) {
        spoil(spoilt);
        const std::vector<Tensor> after = all();
        for (std::size_t i = 0; i < before.size(); ++i) EXPECT_TRUE(same_bits(before[i], after[i])) << i << " " << n << " " << name(dtype);
      }
    }
}

TEST(Algebra, BatchesAreTheProductsOneByOne) {
  for (const DType dtype : floating) {
    const Tensor a = numbers({3, 1, 20, 30}).to(dtype), b = numbers({2, 30, 25}, -2, 2, 1).to(dtype), y = matmul(a, b);
    ASSERT_EQ(y.shape(), (Shape{3, 2, 20, 25}));
    for (std::int64_t i = 0; i < 3; ++i)
      for (std::int64_t j = 0; j < 2; ++j) {
        const Tensor one = matmul(a.rows(i, i + 1).reshape({20, 30}), b.rows(j, j + 1).reshape({30, 25}));
        EXPECT_TRUE(near(y.rows(i, i + 1).reshape({2, 20, 25}).rows(j, j + 1).reshape({20, 25}), one, 1e-5));
      }
  }
}
