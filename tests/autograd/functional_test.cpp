// vjp, jvp, jacobian, hessian, hessian_vector_product.
#include "ops_table.h"

#include <capstan/autograd/functional.h>

using namespace capstan;

namespace {

/// R^3 -> R^2: (x0 x1, sin x2 + x0).
Tensor f(const Tensor& x) { return stack({sum(slice(x, 0, 0, 1) * slice(x, 0, 1, 2)), sum(sin(slice(x, 0, 2, 3)) + slice(x, 0, 0, 1))}); }
/// The chapter's function and Rosenbrock's.
Tensor rosenbrock(const Tensor& x) {
  const Tensor a = slice(x, 0, 0, 1), b = slice(x, 0, 1, 2);
  return sum(square(1 - a) + 100 * square(b - square(a)));
}

}  // namespace

TEST(Functional, ProductsWithTheJacobian) {
  const Tensor x = d({2, 3, 0.5}), j = d({{3, 2, 0}, {1, 0, std::cos(0.5)}});
  EXPECT_TRUE(near(jacobian(f, x), j, 1e-15));
  const ValueAndProduct back = vjp(f, x, d({5, 7})), forth = jvp(f, x, d({1, -1, 2}));
  EXPECT_TRUE(near(back.value, d({6, std::sin(0.5) + 2}), 1e-15));
  EXPECT_TRUE(near(back.product, matmul(d({5, 7}), j), 1e-15));
  EXPECT_TRUE(near(forth.value, back.value, 0));
  EXPECT_TRUE(near(forth.product, matmul(j, d({1, -1, 2})), 1e-15));
}

TEST(Functional, ShapesAreJoined) {
  const Tensor x = numbers({2, 3});
  const auto g = [](const Tensor& t) { return square(t) * d({{1}, {2}}); };
  const Tensor j = jacobian(g, x);
  ASSERT_EQ(j.shape(), (Shape{2, 3, 2, 3}));
  for (int i = 0; i < 6; ++i)
    for (int k = 0; k < 6; ++k) EXPECT_DOUBLE_EQ(j.data<double>()[i * 6 + k], i == k ? 2 * x.data<double>()[i] * (i < 3 ? 1 : 2) : 0);
  EXPECT_EQ(jacobian(g, zeros({2, 0}, DType::f64)).shape(), (Shape{2, 0, 2, 0}));
}

TEST(Functional, TheHessianOfRosenbrock) {
  const Tensor x = d({-1.2, 1}), h = d({{1330, 480}, {480, 200}});
  EXPECT_TRUE(near(hessian(rosenbrock, x), h, 1e-13));
  const ValueAndProduct p = hessian_vector_product(rosenbrock, x, d({1, -2}));
  EXPECT_NEAR(p.value.item(), 24.2, 1e-12);
  EXPECT_TRUE(near(p.product, matmul(h, d({1, -2})), 1e-13));
  EXPECT_TRUE(near(hessian([](const Tensor& t) { return sum(3 * t); }, x), zeros({2, 2}, DType::f64), 0));  // the gradient is constant
}

TEST(Functional, WorksInSingleAndForAModel) {
  const Tensor w = tensor({{0.5, -1}, {2, 1}}), x = tensor({1, 2});
  const ValueAndProduct p = hessian_vector_product([&](const Tensor& t) { return sum(tanh(linear(t, w))); }, x, tensor({1, 0}));
  const Tensor h = hessian([&](const Tensor& t) { return sum(tanh(linear(t, w))); }, x);
  EXPECT_EQ(p.product.dtype(), DType::f32);
  EXPECT_TRUE(near(p.product.to(DType::f64), slice(h, 1, 0, 1).reshape({2}).to(DType::f64), 1e-6));
}

TEST(Functional, ResultsAreConstantsToATapeThatRuns) {
  Tensor x = parameter(d({2, 3}));
  Tape tape;
  const Tensor h = hessian([](const Tensor&t) { return sum(t * t * t); }, x),
               p = jvp([](const Tensor&t) { return t * t; }, x, d({1, 1})).product;
  EXPECT_EQ(tape.size(), 0u);
  EXPECT_TRUE(near(tape.gradient(sum(matmul(h, x) * p), x), matmul(h, p), 1e-15));
  EXPECT_TRUE(x.requires_grad());
}

TEST(Functional, WhatTheyRefuse) {
  const auto same = [](const Tensor& t) { return t; };
  EXPECT_EQ(thrown([&] { (void)jacobian(same, tensor({1}, DType::i64)); }), "ValueError: [jacobian] x must be f32 or f64: i64 [1]");
  EXPECT_EQ(thrown([&] {
              (void)vjp(f, d({2, 3, 0.5}), d({1}));
            }),
            "ShapeError: [vjp] v must have f(x)'s shape and dtype: f64 [1] for f64 [2]");
  EXPECT_EQ(thrown([&] {
              (void)jvp(f, d({2, 3, 0.5}), tensor({1, 2, 3}));
            }),
            "ShapeError: [jvp] v must have x's shape and dtype: f32 [3] for f64 [3]");
  EXPECT_EQ(thrown([&] { (void)hessian(f, d({2, 3, 0.5})); }), "ShapeError: [hessian] f(x) must have one element: [2]");
  EXPECT_EQ(thrown([&] {
              (void)hessian_vector_product(f, d({2, 3, 0.5}), d({1, 2, 3}));
            }),
            "ShapeError: [hessian_vector_product] f(x) must have one element: [2]");
  EXPECT_EQ(thrown([&] {
              (void)jacobian(same, zeros({1, 1, 1, 1}, DType::f64));
            }),
            "ShapeError: [jacobian] the result would have more than six axes: [1, 1, 1, 1] and [1, 1, 1, 1]");
  EXPECT_EQ(thrown([&] { (void)jacobian([](const Tensor& t) { return argmax(t, 0); }, d({2})); }),
            "ValueError: [sum] takes f32 or f64: i64 [1] (convert with to())");
}

TEST(Functional, TheDerivativeOfAConstantIsZero) {
  const auto one = [](const Tensor&) { return d({1, 4}); };
  const auto whole = [](const Tensor&) { return d(3); };
  const Tensor x = d({2, 5, 7});
  EXPECT_TRUE(near(vjp(one, x, d({1, 2})).product, zeros({3}), 0));
  EXPECT_TRUE(near(vjp(one, x, d({1, 2})).value, d({1, 4}), 0));
  EXPECT_TRUE(near(jvp(one, x, d({1, 2, 3})).product, zeros({2}), 0));
  EXPECT_TRUE(near(jacobian(one, x), zeros({2, 3}), 0));
  EXPECT_TRUE(near(hessian(whole, x), zeros({3, 3}), 0));
  EXPECT_TRUE(near(hessian([](const Tensor& t) { return sum(t) * 2; }, x), zeros({3, 3}), 0));
  EXPECT_TRUE(near(hessian_vector_product(whole, x, x).product, zeros({3}), 0));
  EXPECT_EQ(jacobian(one, x.to(DType::f32)).dtype(), DType::f32);
}

TEST(Functional, DerivativesOfAPolynomialOfEveryOrder) {
  for (const DType dtype : {DType::f32, DType::f64}) {
    const Tensor x = tensor({3, -2}, dtype);
    Tape tape({.higher_order = true});
    tape.watch(x);
    Tensor y = sum(x * x);
    for (const Values& expected : {Values{6, -4}, Values{2, 2}, Values{0, 0}, Values{0, 0}, Values{0, 0}}) {
      const Tensor dy = tape.gradient(y, x);
      EXPECT_EQ(dy.dtype(), dtype);
      EXPECT_EQ(values(dy), expected);
      y = sum(dy);
    }
  }
}
