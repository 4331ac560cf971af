// Values at which operations once differed from PyTorch or took too long: what the fuzz target and the comparison found.
#include <capstan/autograd/gradcheck.h>

#include <cmath>
#include <limits>

#include "support.h"

using namespace capstan;

namespace {

constexpr DType floating[] = {DType::f32, DType::f64};
constexpr double no_number = std::numeric_limits<double>::quiet_NaN();

double slope_at(Tensor (*f)(const Tensor&), double x, DType dtype) {
  const Tensor t = tensor(x, dtype);
  Tape tape;
  tape.watch(t);
  return tape.gradient(f(t), t).item();
}

}  // namespace

TEST(Edges, TheSignOfZeroStays) {
  for (const DType dtype : floating) {
    const Tensor y = tanh(tensor({-0., 0., -0., 0., -0., 0., -0., 0., -0., 0.}, dtype)).to(DType::f64);
    for (int i = 0; i < 10; ++i) EXPECT_EQ(std::signbit(y.data<double>()[i]), i % 2 == 0) << i;
  }
}

TEST(Edges, NaNPassesTheGradientOfRelu) {
  for (const DType dtype : floating) {
    EXPECT_EQ(slope_at([](const Tensor& x) { return relu(x) * 3; }, no_number, dtype), 3);
    EXPECT_EQ(slope_at([](const Tensor& x) { return relu(x) * 3; }, 0, dtype), 0);
    const Tensor x = tensor(no_number, dtype);
    Tape tape({.higher_order = true});
    tape.watch(x);
    EXPECT_EQ(tape.gradient(relu(x), x).item(), 1);
  }
}

TEST(Edges, NaNEndsTheGradientOfAbs) {
  for (const bool higher_order : {false, true}) {
    const Tensor x = parameter(d({no_number, -2, 0, 3}));
    Tape tape({.higher_order = higher_order});
    EXPECT_EQ(values(tape.gradients(sum(3 * abs(x)))[x]), (Values{0, -3, 0, 3}));
  }
}

TEST(Edges, TheLargestNumbersStayFinite) {
  const double most = std::numeric_limits<double>::max();
  EXPECT_EQ(softplus(d(most), 2).item(), most);
  EXPECT_EQ(smooth_l1_loss(d(most), d(0), 1.5).item(), most);
  EXPECT_EQ(softplus(tensor(3e38), 2).item(), static_cast<double>(3e38f));
}

TEST(Edges, ATinyDivisorDoesNotOverflowTheGradient) {
  const Tensor a = d(1e-310), b = d(1e-309);
  Tape tape;
  tape.watch(b);
  EXPECT_NEAR(tape.gradient(a / b, b).item() / 1e308, -1, 1e-6);
}

// [2^40, 0] has no elements and as many lines: nothing may count them.
TEST(Edges, ManyLinesOfNothingCostNothing) {
  const std::int64_t many = std::int64_t{1} << 40;
  const Tensor none = zeros({many, 0}), between = zeros({many, 2, 0});
  EXPECT_EQ(argsort(none).shape(), (Shape{many, 0}));
  EXPECT_EQ(sort(none, 0).values.shape(), (Shape{many, 0}));
  EXPECT_EQ(topk(between, 0, 1).values.shape(), (Shape{many, 0, 0}));
  EXPECT_EQ(cumsum(none, 1).shape(), (Shape{many, 0}));
  EXPECT_EQ(sum(between, 1).shape(), (Shape{many, 0}));
  EXPECT_EQ(max(between, 1).shape(), (Shape{many, 0}));
  EXPECT_EQ(argmin(between, 1).shape(), (Shape{many, 0}));
  EXPECT_EQ(prod(between, 1).shape(), (Shape{many, 0}));
  EXPECT_EQ(softmax(none).shape(), (Shape{many, 0}));
  EXPECT_EQ(softmax(between, 1).shape(), (Shape{many, 2, 0}));
  EXPECT_EQ(index_select(between, 1, tensor({0, 1}, DType::i64)).shape(), (Shape{many, 2, 0}));
  EXPECT_EQ(index_select(none, 1, empty({0}, DType::i64)).shape(), (Shape{many, 0}));
}

TEST(Edges, NorDoTheirGradients) {
  const std::int64_t many = std::int64_t{1} << 40;
  const Tensor x = parameter(zeros({many, 0}));
  using Function = Tensor (*)(const Tensor&);
  const Function functions[] = {
      [](const Tensor& t) { return slice(t, 1, 0, 0); },  [](const Tensor& t) { return index_select(t, 1, empty({0}, DType::i64)); },
      [](const Tensor& t) { return softmax(t, 1); },      [](const Tensor& t) { return log_softmax(t, 1); },
      [](const Tensor& t) { return transpose(t, 0, 1); }, [](const Tensor& t) { return sort(t, 1).values; },
      [](const Tensor& t) { return cumsum(t, 1); }};
  for (const bool higher_order : {false, true})
    for (const Function& f : functions) {
      Tape tape({.higher_order = higher_order});
      EXPECT_EQ(tape.gradients(sum(f(x)))[x].shape(), x.shape()) << &f - functions;
    }
}

TEST(Edges, CrossEntropyHasTheSameBitsUnderEveryTape) {
  const Tensor labels = tensor({1, 0, 2}, DType::i64);
  for (const DType dtype : floating) {
    const Tensor x = tensor({{0.1, 3.7, -2}, {1, 1.3, 0.7}, {-5, 0.3, 1e3}}, dtype), plain = cross_entropy(x, labels);
    for (const bool higher_order : {false, true}) {
      Tape tape({.higher_order = higher_order});
      tape.watch(x);
      EXPECT_TRUE(same_bits(cross_entropy(x, labels), plain)) << higher_order;
    }
  }
}

TEST(Edges, AStepFarBeyondTheAxis) {
  const std::int64_t most = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(values(slice(d({{1, 2, 3}, {4, 5, 6}}), 0, 0, 2, most)), (Values{1, 2, 3}));
  EXPECT_EQ(values(slice(d({{1, 2, 3}, {4, 5, 6}}), 1, 1, 3, most - 1)), (Values{2, 5}));
}

// The gradient of a long product in operations once took the square of its memory: 8 MB a line of 1,000, 8 GB to the third order.
TEST(Edges, ALongProductHasASecondOrder) {
  for (const std::int64_t n : {1, 2, 3, 5, 8}) {
    Tensor x = zeros({2, n}, DType::f64);
    for (std::int64_t i = 0; i < x.numel(); ++i) x.data<double>()[i] = i == 1 ? 0 : 0.5 + 0.25 * static_cast<double>(i % 5);
    const GradcheckResult r = gradcheck([](const std::vector<Tensor>& in) { return prod(in[0], 1); }, {x}, {.order = 2});
    EXPECT_TRUE(r) << n << r.message;
  }
  const Tensor x = ones({100'000});
  Tape tape({.higher_order = true});
  tape.watch(x);
  const Tensor dx = tape.gradient(prod(x), x), d2x = tape.gradient(sum(dx), x);
  EXPECT_EQ(dx.data<float>()[99'999], 1);
  EXPECT_EQ(d2x.data<float>()[50'000], 99'999);
}
