// What the table of operations cannot show of the reductions: nothing to reduce, ties, NaN, infinities, zeros, large numbers.
#include <limits>

#include "support.h"

using namespace capstan;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity(), no_number = std::numeric_limits<double>::quiet_NaN();
const DType floating[] = {DType::f32, DType::f64};

template <class F>
Values slope(F f, const Tensor& at) {
  const Tensor x = parameter(at.clone());
  Tape tape;
  return values(tape.gradients(sum(f(x)))[x]);
}

Tensor yes(const NestedList& list) { return tensor(list, DType::boolean); }

}  // namespace

TEST(ReduceValues, OfNothing) {
  for (const DType dtype : floating) {
    const Tensor none = empty({2, 0, 3}, dtype);
    EXPECT_TRUE(near(sum(none, {0, 1}), d({0, 0, 0}), 0));
    EXPECT_TRUE(near(prod(none, {0, 1}), d({1, 1, 1}), 0));
    EXPECT_TRUE(near(prod(none), d(1), 0));
    EXPECT_TRUE(near(norm(none), d(0), 0));
    EXPECT_TRUE(near(logsumexp(none, 1), d({{-inf, -inf, -inf}, {-inf, -inf, -inf}}), 0));
    EXPECT_EQ(mean(none, {0, 2}).shape(), Shape{0});
    EXPECT_EQ(var(none, {0, 2}, true).shape(), (Shape{1, 0, 1}));
    EXPECT_EQ(min(none, Axes{0, 2}).shape(), Shape{0});
    EXPECT_EQ(cumsum(none, 1).shape(), (Shape{2, 0, 3}));
  }
  const Tensor none = zeros({0, 2}, DType::boolean);
  EXPECT_EQ(values(any(none)), (Values{0}));
  EXPECT_EQ(values(all(none)), (Values{1}));
  EXPECT_EQ(values(any(none, 0)), (Values{0, 0}));
  EXPECT_EQ(values(all(none, 0)), (Values{1, 1}));
}

// Axes of size 1 do not count when the others are neighbours; a permutation is not needed then, and not recorded.
TEST(ReduceValues, NeighboursNeedNoPermutation) {
  const Tensor x = p({{{{1, 2}}, {{3, 4}}, {{5, 6}}}, {{{7, 8}}, {{9, 10}}, {{11, 12}}}});  // [2, 3, 1, 2]
  Tape tape;
  EXPECT_EQ(values(sum(x, {1, 3})), (Values{21, 57}));
  EXPECT_EQ(tape.size(), 1u);
  EXPECT_EQ(values(sum(x, {0, 2})), (Values{8, 10, 12, 14, 16, 18}));
  EXPECT_EQ(tape.size(), 2u);
  EXPECT_EQ(values(sum(x, {0, 3})), (Values{18, 26, 34}));
  EXPECT_EQ(tape.size(), 4u);
}

TEST(ReduceValues, TheSubgradientAtAKink) {
  for (const DType dtype : floating) {
    EXPECT_EQ(slope([](const Tensor& x) { return min(x); }, tensor({2, 1, 1, 3}, dtype)), (Values{0, 1, 0, 0}));
    EXPECT_EQ(slope([](const Tensor& x) { return max(x, {0, 1}); }, tensor({{2, 3}, {3, 1}}, dtype)), (Values{0, 1, 0, 0}));
    EXPECT_EQ(slope([](const Tensor& x) { return norm(x, INFINITY); }, tensor({2, -3, 3, 3, 1}, dtype))[1],
              -slope([](const Tensor& x) { return norm(x, INFINITY); }, tensor({2, -3, 3, 3, 1}, dtype))[3]);
    EXPECT_NEAR(slope([](const Tensor& x) { return norm(x, INFINITY); }, tensor({2, -3, 3, 3, 1}, dtype))[1], -1. / 3, 1e-7);
    for (const double p : {0.5, 1., 2., 3., inf})
      EXPECT_EQ(slope([p](const Tensor& x) { return norm(x, p); }, zeros({3}, dtype)), (Values{0, 0, 0})) << p;
    EXPECT_EQ(slope([](const Tensor& x) { return norm(x, 0.5); }, tensor({0, 4}, dtype)), (Values{0, 1}));
    EXPECT_EQ(slope([](const Tensor& x) { return capstan::std(x); }, full({3}, 7, dtype)), (Values{0, 0, 0}));
  }
}

TEST(ReduceValues, ProductsBesideZeros) {
  for (const DType dtype : floating) {
    EXPECT_EQ(slope([](const Tensor& x) { return prod(x); }, tensor({2, 0, 3}, dtype)), (Values{0, 6, 0}));
    EXPECT_EQ(slope([](const Tensor& x) { return prod(x, 1); }, tensor({{0, 0, 3}, {2, 3, 4}}, dtype)), (Values{0, 0, 0, 12, 8, 6}));
  }
}

TEST(ReduceValues, NanAndInfinity) {
  for (const DType dtype : floating) {
    const auto of = [&](std::vector<double> v) { return tensor(v).to(dtype); };
    EXPECT_TRUE(near(min(of({1, no_number, -inf})), d(no_number), 0));
    EXPECT_TRUE(near(min(of({1, inf, -inf})), d(-inf), 0));
    EXPECT_EQ(argmin(of({1, no_number, 0, no_number})).item(), 1);
    EXPECT_EQ(argmin(of({1, -0.0, 0})).item(), 1);
    EXPECT_EQ(argmax(of({-1, -0.0, 0})).item(), 1);
    EXPECT_TRUE(near(logsumexp(of({-inf, -inf})), d(-inf), 0));
    EXPECT_TRUE(near(logsumexp(of({1, inf})), d(inf), 0));
    EXPECT_TRUE(near(logsumexp(of({1, no_number})), d(no_number), 0));
    EXPECT_TRUE(near(logsumexp(of({1000, 1000})), d(1000 + std::log(2.)), 1e-7));
    EXPECT_TRUE(near(logsumexp(of({-1000, -1000})), d(-1000 + std::log(2.)), 1e-7));
    EXPECT_EQ(slope([](const Tensor& x) { return logsumexp(x); }, of({-inf, -inf})), (Values{0, 0}));
    EXPECT_EQ(slope([](const Tensor& x) { return logsumexp(x); }, of({-inf, 3})), (Values{0, 1}));
    EXPECT_TRUE(near(norm(of({1, no_number})), d(no_number), 0));
    EXPECT_TRUE(near(norm(of({inf, 2}), 3), d(inf), 0));
    EXPECT_TRUE(near(norm(of({no_number, inf}), inf), d(no_number), 0));
    EXPECT_TRUE(near(var(of({1, inf})), d(no_number), 0));
    EXPECT_TRUE(near(prod(of({0, inf})), d(no_number), 0));
    EXPECT_TRUE(near(cumsum(of({1, inf, -inf, 2}), 0), d({1, inf, no_number, no_number}), 0));
  }
}

// Neither the squares overflow nor does the mean swallow the differences.
TEST(ReduceValues, LargeAndSmallNumbers) {
  for (const DType dtype : floating) {
    const double h = dtype == DType::f32 ? 1e38 : 1e308, tiny = dtype == DType::f32 ? 1e-38 : 1e-307;
    EXPECT_NEAR(norm(tensor({h, h / 2}, dtype)).item() / h, std::sqrt(1.25), 1e-6);
    EXPECT_NEAR(norm(tensor({3 * tiny, 4 * tiny}, dtype)).item() / tiny, 5, 1e-5);
    EXPECT_NEAR(norm(tensor({3 * tiny, 4 * tiny}, dtype), 3).item() / tiny, std::cbrt(91.), 1e-5);
    EXPECT_NEAR(var(tensor({4096, 4097, 4098}, dtype)).item(), 1, 1e-6);
    EXPECT_NEAR(capstan::std(tensor({1e6, 1e6 + 2}, dtype)).item(), std::sqrt(2.), 1e-6);
  }
  const Tensor running = cumsum(full({1'000'000}, 0.1), 0);
  EXPECT_NEAR(running.data<float>()[999'999] / (static_cast<double>(0.1f) * 1e6), 1, 1e-7);
}

TEST(ReduceValues, AListOfOneAndAxesOfRunTime) {
  const Tensor x = d({{1, 2}, {3, 4}});
  EXPECT_EQ(values(sum(x, Axes{1})), (Values{3, 7}));
  EXPECT_EQ(values(sum(x, std::vector<int>{0, 1})), (Values{10}));
  EXPECT_EQ(values(mean(x, Axes())), (Values{2.5}));
  EXPECT_EQ(sum(d(5), Axes()).item(), 5);
  EXPECT_EQ(values(any(yes({{1, 0}, {0, 0}}), -1)), (Values{1, 0}));
}

TEST(ReduceValues, AnEmptyListIsEveryAxis) {
  const Tensor x = d({{1, 2}, {3, 6}});
  EXPECT_TRUE(near(sum(x, {}), d(12), 0));
  EXPECT_TRUE(near(mean(x, {}), d(3), 0));
  EXPECT_TRUE(near(max(x, {}), d(6), 0));
  EXPECT_TRUE(near(prod(x, {}), d(36), 0));
  EXPECT_TRUE(near(sum(x, {}, true), d({{12}}), 0));
}

TEST(ReduceValues, ResultsWithoutAGradientAreNotRecorded) {
  const Tensor x = p({{1, 3}, {4, 2}});
  Tape tape;
  EXPECT_EQ(values(argmin(x, 0, true)), (Values{0, 1}));
  EXPECT_EQ(values(any(x > 3)), (Values{1}));
  EXPECT_EQ(values(argsort(x)), (Values{0, 1, 1, 0}));
  EXPECT_EQ(values(isfinite(x)), (Values{1, 1, 1, 1}));
  EXPECT_EQ(tape.size(), 0u);
}
