// What the table of operations cannot show of the losses: large logits, ignored rows, kinks, targets at their ends.
#include <limits>

#include "support.h"

using namespace capstan;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
const DType floating[] = {DType::f32, DType::f64};

template <class F>
Values slope(F f, const Tensor& at) {
  const Tensor x = parameter(at.clone());
  Tape tape;
  return values(tape.gradients(f(x))[x]);
}

Tensor i64(const NestedList& list) { return tensor(list, DType::i64); }

}  // namespace

TEST(LossValues, LargeLogitsDoNotOverflow) {
  for (const DType dtype : floating) {
    const Tensor x = tensor({1000, -1000, 1000, -1000}, dtype), t = tensor({1, 0, 0, 1}, dtype);
    EXPECT_TRUE(near(binary_cross_entropy_with_logits(x, t, {.reduction = Reduction::none}), d({0, 0, 1000, 1000}), 0));
    EXPECT_EQ(slope([&](const Tensor& y) { return binary_cross_entropy_with_logits(y, t, {.reduction = Reduction::sum}); }, x),
              (Values{0, 0, 1, -1}));
    const Tensor logits = tensor({{1000, 0}, {-1000, 0}}, dtype);
    EXPECT_TRUE(near(cross_entropy(logits, i64({1, 1}), {.reduction = Reduction::none}), d({1000, 0}), 1e-7));
  }
}

// A class that is ruled out costs nothing unless it is the label.
TEST(LossValues, AnInfiniteLogitIsNotTouchedByTheLabelOfAnother) {
  const Tensor x = d({{-inf, 0, 0}});
  EXPECT_TRUE(near(cross_entropy(x, i64({1}), {}), d(std::log(2.)), 1e-15));
  EXPECT_TRUE(near(cross_entropy(x, i64({0}), {}), d(inf), 0));
}

TEST(LossValues, IgnoredRowsCountNothing) {
  const Tensor x = d({{1, 2}, {5, -7}, {0, 0}}), labels = i64({0, 9, 1}), two = i64({0, 1}), rest = d({{1, 2}, {0, 0}});
  const CrossEntropyOptions options{.ignore_index = 9};
  EXPECT_TRUE(near(cross_entropy(x, labels, options), cross_entropy(rest, two, {}), 1e-15));
  const Values g = slope([&](const Tensor& y) { return cross_entropy(y, labels, options); }, x);
  EXPECT_EQ(Values(g.begin() + 2, g.begin() + 4), (Values{0, 0}));
  EXPECT_TRUE(std::isnan(cross_entropy(x, i64({9, 9, 9}), options).item()));
  EXPECT_EQ(cross_entropy(x, i64({9, 9, 9}), {.ignore_index = 9, .reduction = Reduction::sum}).item(), 0);
  EXPECT_EQ(values(nll_loss(x, labels, {.ignore_index = 9, .reduction = Reduction::none})), (Values{-1, 0, 0}));
  EXPECT_EQ(values(cross_entropy(x, labels, {.ignore_index = 9, .reduction = Reduction::none, .label_smoothing = 0.5}))[1], 0);
  // Also an index that no f64 holds, and one that is a class.
  const std::int64_t far = std::numeric_limits<std::int64_t>::min();
  EXPECT_EQ(values(nll_loss(x, tensor(std::vector<std::int64_t>{far, 1, 0}), {.ignore_index = far, .reduction = Reduction::none})),
            (Values{0, 7, 0}));
  EXPECT_EQ(values(nll_loss(x, i64({0, 1, 1}), {.ignore_index = 1, .reduction = Reduction::none})), (Values{-1, 0, 0}));
}

TEST(LossValues, TheWayWithOptionsAgreesWithTheFusedOne) {
  for (const DType dtype : floating) {
    const Tensor x = numbers({6, 4}).to(dtype), labels = i64({0, 1, 2, 3, 2, 1});
    EXPECT_NEAR(cross_entropy(x, labels, {}).item(), cross_entropy(x, labels).item(), 1e-6);
    EXPECT_TRUE(near(cross_entropy(x, one_hot(labels, 4, dtype), {}), cross_entropy(x, labels), 1e-6));
    EXPECT_TRUE(near(nll_loss(log_softmax(x), labels), cross_entropy(x, labels), 1e-6));
  }
}

TEST(LossValues, TheSubgradientAtAKink) {
  for (const DType dtype : floating) {
    const Tensor x = tensor({0, 1, -1}, dtype), zero = zeros({3}, dtype), one = ones({3}, dtype);
    EXPECT_EQ(slope([&](const Tensor& y) { return l1_loss(y, zero, Reduction::sum); }, x), (Values{0, 1, -1}));
    EXPECT_EQ(slope([&](const Tensor& y) { return smooth_l1_loss(y, zero, 0, Reduction::sum); }, x), (Values{0, 1, -1}));
    EXPECT_EQ(slope([&](const Tensor& y) { return huber_loss(y, zero, 1, Reduction::sum); }, x), (Values{0, 1, -1}));
    EXPECT_EQ(slope([&](const Tensor& y) { return hinge_loss(y, one, 1, Reduction::sum); }, x), (Values{-1, 0, -1}));
    EXPECT_EQ(slope([&](const Tensor& y) { return hinge_embedding_loss(y, -one, 1, Reduction::sum); }, x), (Values{-1, 0, -1}));
    EXPECT_EQ(slope([&](const Tensor& t) { return kl_div(zero, t, false, Reduction::sum); }, zero), (Values{0, 0, 0}));
    EXPECT_TRUE(near(kl_div(zero, zero, false, Reduction::sum), d(0), 0));
  }
}

TEST(LossValues, PoissonInFullOfSmallTargets) {
  const Tensor x = d({1, 1, 1}), t = d({0, 1, 3});
  const Values with = values(poisson_nll_loss(x, t, {.full = true, .reduction = Reduction::none}));
  const Values without = values(poisson_nll_loss(x, t, {.reduction = Reduction::none}));
  EXPECT_EQ(with[0], without[0]);
  EXPECT_EQ(with[1], without[1]);
  EXPECT_NEAR(with[2] - without[2], std::log(6.), 0.03);
  const Values g = slope([&](const Tensor& y) { return poisson_nll_loss(x, y, {.full = true, .reduction = Reduction::sum}); }, t);
  EXPECT_EQ(g[0], -1);
}

TEST(LossValues, SumsAndElementsOfNothing) {
  const Tensor none = empty({0, 3});
  EXPECT_EQ(l1_loss(none, none, Reduction::sum).item(), 0);
  EXPECT_EQ(cross_entropy(none, empty({0}, DType::i64), {.reduction = Reduction::sum}).item(), 0);
  EXPECT_EQ(cross_entropy(none, empty({0}, DType::i64), {.reduction = Reduction::none}).shape(), Shape{0});
}

TEST(LossValues, TheMeanOfAMillionRowsKeepsItsDigits) {
  const std::int64_t n = 1 << 20;
  const Tensor x = expand(tensor({0.3, 0.6}), {n, 2});
  const double exact = std::log(std::exp(static_cast<double>(0.3f)) + std::exp(static_cast<double>(0.6f))) - static_cast<double>(0.6f);
  EXPECT_NEAR(cross_entropy(x, zeros({n}, DType::i64) + 1).item(), exact, 2e-7);
}
