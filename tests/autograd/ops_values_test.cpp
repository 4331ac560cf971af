// What the table of operations cannot show: kinks, NaN, infinities, ties, overflow, integers, shared memory.
#include <limits>

#include "support.h"

using namespace capstan;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity(), no_number = std::numeric_limits<double>::quiet_NaN();

/// The gradient of sum(f(x)).
template <class F>
Tensor slope(F f, const Tensor& at) {
  const Tensor x = parameter(at.clone());
  Tape tape;
  return tape.gradients(sum(f(x)))[x];
}

Tensor i64(const NestedList& list) { return tensor(list, DType::i64); }

}  // namespace

TEST(OpsValues, TheSubgradientAtAKink) {
  for (const DType dtype : {DType::f32, DType::f64}) {
    EXPECT_EQ(values(slope([](const Tensor& x) { return abs(x); }, tensor({-1, 0, -0.0, 2}, dtype))), (Values{-1, 0, 0, 1}));
    EXPECT_EQ(values(slope([](const Tensor& x) { return relu(x); }, tensor({-1, 0, -0.0, 2}, dtype))), (Values{0, 0, 0, 1}));
    EXPECT_EQ(values(slope([](const Tensor& x) { return max(x); }, tensor({1, 3, 3, 2}, dtype))), (Values{0, 1, 0, 0}));
    EXPECT_EQ(values(slope([](const Tensor& x) { return max(x, 0); }, tensor({{1, 7}, {1, 5}}, dtype))), (Values{1, 1, 0, 0}));
    EXPECT_EQ(values(slope([](const Tensor& x) { return max(x, 1); }, tensor({{4, 4}, {1, 5}}, dtype))), (Values{1, 0, 0, 1}));
    EXPECT_EQ(values(slope([](const Tensor& x) { return sqrt(x); }, tensor({0, 4}, dtype))), (Values{inf, 0.25}));
    EXPECT_EQ(values(slope([](const Tensor& x) { return pow(x, 0); }, tensor({0, 4}, dtype))), (Values{0, 0}));
    EXPECT_EQ(values(slope([](const Tensor& x) { return pow(x, 1); }, tensor({0, 4}, dtype))), (Values{1, 1}));
    EXPECT_EQ(values(slope([](const Tensor& x) { return pow(x, 2); }, tensor({0, -4}, dtype))), (Values{0, -8}));
    EXPECT_EQ(values(slope([](const Tensor& x) { return square(x); }, tensor({0, -4}, dtype))), (Values{0, -8}));
  }
}

TEST(OpsValues, NanAndInfinity) {
  for (const DType dtype : {DType::f32, DType::f64}) {
    const auto of = [&](std::vector<double> v) { return tensor(v).to(dtype); };
    EXPECT_TRUE(near(log(of({0, -1, inf, no_number})), d({-inf, no_number, inf, no_number}), 0));
    EXPECT_TRUE(near(sqrt(of({-1, inf, no_number})), d({no_number, inf, no_number}), 0));
    EXPECT_TRUE(near(exp(of({-inf, inf, no_number, 1000, -1000})), d({0, inf, no_number, inf, 0}), 0));
    EXPECT_TRUE(near(tanh(of({-inf, inf, no_number, 1000, -1000})), d({-1, 1, no_number, 1, -1}), 0));
    EXPECT_TRUE(near(sigmoid(of({-inf, inf, no_number, 1000, -1000})), d({0, 1, no_number, 1, 0}), 0));
    EXPECT_TRUE(near(pow(of({-1, 0, 0}), 0.5), d({no_number, 0, 0}), 0));
    EXPECT_TRUE(near(pow(of({-2, 0}), -1), d({-0.5, inf}), 0));
    EXPECT_TRUE(near(of({1, -1, 0}) / of({0, 0, 0}), d({inf, -inf, no_number}), 0));
    EXPECT_TRUE(near(of({1, -1, 0}) / 0, d({inf, -inf, no_number}), 0));
    EXPECT_TRUE(near(1 / of({0, -0.0, inf}), d({inf, -inf, 0}), 0));
    EXPECT_TRUE(near(max(of({1, no_number, 3})), d(no_number), 0));
    EXPECT_TRUE(near(max(of({1, inf, 3})), d(inf), 0));
    EXPECT_TRUE(near(max(of({-inf, -inf})), d(-inf), 0));
    EXPECT_TRUE(near(sum(of({1, inf, -inf})), d(no_number), 0));
  }
}

TEST(OpsValues, ArgmaxGivesTheFirstAndTheFirstNan) {
  const Tensor x = d({{1, 3, 3}, {no_number, 9, no_number}, {-inf, -inf, -inf}});
  EXPECT_EQ(values(argmax(x, 1)), (Values{1, 0, 0}));
  EXPECT_EQ(values(argmax(x, -2)), (Values{1, 1, 1}));
  EXPECT_EQ(argmax(x, 1).dtype(), DType::i64);
  EXPECT_EQ(argmax(empty({0, 3}), 1).shape(), Shape{0});
}

TEST(OpsValues, ArgmaxIsNotRecorded) {
  const Tensor x = p({{1, 3}, {4, 2}});
  Tape tape;
  const Tensor y = argmax(x, 1);
  EXPECT_EQ(tape.size(), 0u);
  EXPECT_EQ(values(y), (Values{1, 0}));
}

TEST(OpsValues, SoftmaxOfLargeNumbersDoesNotOverflow) {
  for (const DType dtype : {DType::f32, DType::f64}) {
    const double h = dtype == DType::f32 ? 3e38 : 1e308;
    const Tensor x = tensor({{1000, 1000}, {-1000, -1000}, {h, -h}, {0, 2000}}, dtype);
    EXPECT_TRUE(near(softmax(x), d({{.5, .5}, {.5, .5}, {1, 0}, {0, 1}}), 1e-7));
    EXPECT_TRUE(near(log_softmax(tensor({{1000, 1000}, {0, 2000}}, dtype)), d({{-std::log(2.), -std::log(2.)}, {-2000, 0}}), 1e-7));
    EXPECT_TRUE(near(cross_entropy(tensor({{1000, 1000}, {0, 2000}}, dtype), i64({0, 0})), d((std::log(2.) + 2000) / 2), 1e-7));
    EXPECT_TRUE(near(softmax(tensor({1, no_number, 2}, dtype)), d({no_number, no_number, no_number}), 0));
  }
}

TEST(OpsValues, Integers) {
  const Tensor a = i64({{1, -2}, {3, 4}}), b = i64({10, 20});
  EXPECT_TRUE(same_bits(a + b, i64({{11, 18}, {13, 24}})));
  EXPECT_TRUE(same_bits(a - b, i64({{-9, -22}, {-7, -16}})));
  EXPECT_TRUE(same_bits(a * b, i64({{10, -40}, {30, 80}})));
  EXPECT_TRUE(same_bits(a + 1, i64({{2, -1}, {4, 5}})));
  EXPECT_TRUE(same_bits(7 - a, i64({{6, 9}, {4, 3}})));
  EXPECT_TRUE(same_bits(a * -2, i64({{-2, 4}, {-6, -8}})));
  EXPECT_TRUE(same_bits(-a, i64({{-1, 2}, {-3, -4}})));
  EXPECT_TRUE(same_bits(neg(a), i64({{-1, 2}, {-3, -4}})));
  EXPECT_TRUE(same_bits(transpose(a), i64({{1, 3}, {-2, 4}})));
  EXPECT_TRUE(same_bits(a.reshape({-1}), i64({1, -2, 3, 4})));
  EXPECT_TRUE(same_bits(a.rows(1, 2), i64({{3, 4}})));
  const std::int64_t most = std::numeric_limits<std::int64_t>::max();
  const Tensor wrapped = tensor(std::vector<std::int64_t>{most}) + 1;
  EXPECT_EQ(*wrapped.data<std::int64_t>(), std::numeric_limits<std::int64_t>::min());
  Tape tape;  // integers are never recorded
  const Tensor c = a + b;
  EXPECT_EQ(tape.size(), 0u);
}

TEST(OpsValues, AScalarTakesTheTensorsDtype) {
  const Tensor x = tensor({1, 2});
  EXPECT_EQ((x + 0.1).dtype(), DType::f32);
  EXPECT_EQ((x + 0.1).data<float>()[0], 1 + 0.1f);
  EXPECT_EQ((0.1 * x).data<float>()[1], 2 * 0.1f);
}

TEST(OpsValues, RowsAndReshapeShareMemory) {
  const Tensor x = d({{1, 2}, {3, 4}, {5, 6}});
  EXPECT_EQ(x.rows(1, 3).data<double>(), x.data<double>() + 2);
  EXPECT_EQ(x.rows(1, 3).rows(1, 2).data<double>(), x.data<double>() + 4);
  EXPECT_EQ(x.reshape({3, -1, 1}).data<double>(), x.data<double>());
  EXPECT_EQ(x.reshape({3, -1, 1}).shape(), (Shape{3, 2, 1}));
  EXPECT_NE(transpose(x, 0, 0).data<double>(), x.data<double>());
  Tensor part = x.rows(0, 1);
  part += 10.0;
  EXPECT_EQ(values(x), (Values{11, 12, 3, 4, 5, 6}));
  EXPECT_EQ(x.version(), 1u);
}

// Members of Tensor are the recorded operations; clone, detach and to are not recorded.
TEST(OpsValues, MembersThatAreRecordedAndThoseThatAreNot) {
  const Tensor x = p({{1, 2}, {3, 4}});
  Tape tape;
  const Tensor y = sum(x.rows(1, 2).reshape({2}) * d({10, 20})) + sum(x.reshape(Shape{4}).rows(0, 1) * 5);
  EXPECT_EQ(tape.size(), 9u);
  const Tensor constant = sum(x.clone()) + sum(x.detach()) + sum(x.to(DType::f32)).to(DType::f64);
  EXPECT_EQ(tape.size(), 9u);
  EXPECT_EQ(values(tape.gradients(y)[x]), (Values{5, 0, 10, 20}));
}

TEST(OpsValues, MathForNumbersStaysTheStandards) {
  EXPECT_EQ(capstan::sqrt(2.0), std::sqrt(2.0));
  EXPECT_EQ(capstan::abs(-2.5), 2.5);
  static_assert(std::is_same_v<decltype(capstan::sqrt(2.0f)), float> && std::is_same_v<decltype(capstan::pow(2.0, 3.0)), double>);
}
