#include "support.h"

#include <capstan/autograd/ops.h>
#include <capstan/autograd/tape.h>

#include <cmath>

using namespace capstan;

TEST(InPlace, ArithmeticOfTensorsAndNumbers) {
  for (const DType dtype : {DType::f32, DType::f64, DType::i64}) {
    Tensor x = tensor({1, 2, 3}, dtype);
    const void* memory = x.header()->data;
    x += tensor({10, 20, 30}, dtype);
    EXPECT_EQ(values(x), (Values{11, 22, 33}));
    x -= tensor({1, 1, 1}, dtype);
    EXPECT_EQ(values(x), (Values{10, 21, 32}));
    x *= tensor({2, 0, -1}, dtype);
    EXPECT_EQ(values(x), (Values{20, 0, -32}));
    x += 5;
    x -= 1;
    x *= 2;
    EXPECT_EQ(values(x), (Values{48, 8, -56}));
    EXPECT_EQ(&(x += 1), &x);
    EXPECT_EQ(x.header()->data, memory);
    EXPECT_EQ(x.dtype(), dtype);
  }
}

TEST(InPlace, WholeNumbersWrapAround) {
  Tensor x = tensor(std::vector<std::int64_t>{INT64_MAX, INT64_MIN});
  x += 1;
  EXPECT_EQ(x.data<std::int64_t>()[0], INT64_MIN);
  EXPECT_EQ(x.data<std::int64_t>()[1], INT64_MIN + 1);
}

TEST(InPlace, TheRightSideBroadcasts) {
  Tensor x = arange(6, DType::f64).reshape({2, 3});
  x += tensor({10, 20, 30}, DType::f64);
  EXPECT_EQ(values(x), (Values{10, 21, 32, 13, 24, 35}));
  x *= tensor({{1}, {-1}}, DType::f64);
  EXPECT_EQ(values(x), (Values{10, 21, 32, -13, -24, -35}));
  x -= tensor(1, DType::f64);
  EXPECT_EQ(values(x), (Values{9, 20, 31, -14, -25, -36}));
  x += tensor({{5}}, DType::f64);
  EXPECT_EQ(x.shape(), (Shape{2, 3}));
  EXPECT_EQ(values(x), (Values{14, 25, 36, -9, -20, -31}));
  Tensor none = zeros({0, 3});
  none += tensor({1, 2, 3});
  EXPECT_EQ(none.shape(), (Shape{0, 3}));
}

TEST(InPlace, TheRightSideMayBeAPartOfTheLeft) {
  Tensor x = arange(6).reshape({3, 2});
  x += x;
  EXPECT_EQ(values(x), (Values{0, 2, 4, 6, 8, 10}));
  x += x.rows(1, 2);
  EXPECT_EQ(values(x), (Values{4, 8, 8, 12, 12, 16}));
  x -= x.rows(2, 3);
  EXPECT_EQ(values(x), (Values{-8, -8, -4, -4, 0, 0}));
  x.assign(x.rows(0, 1));
  EXPECT_EQ(values(x), (Values{-8, -8, -8, -8, -8, -8}));
  Tensor row = tensor({{2, 3, 4}});
  row *= row.reshape({3}).rows(1, 2);
  EXPECT_EQ(values(row), (Values{6, 9, 12}));
}

// Each element is read before it is changed, for any width of the processor's registers.
TEST(InPlace, RowsOfOneTensorMayOverlap) {
  for (const std::int64_t n : {4, 9, 100, 1000})
    for (const std::int64_t shift : {1, 2, 3, 7})
      for (const bool up : {true, false}) {
        if (shift >= n) continue;
        Tensor x = arange(n);
        Tensor left = up ? x.rows(shift, n) : x.rows(0, n - shift);
        const Tensor right = up ? x.rows(0, n - shift) : x.rows(shift, n);
        left += right;
        for (std::int64_t i = 0; i < n - shift; ++i)
          ASSERT_EQ(left.data<float>()[i], static_cast<float>(2 * i + shift)) << n << " " << shift << " " << i;
        Tensor y = arange(n);
        Tensor to = up ? y.rows(shift, n) : y.rows(0, n - shift);
        to.assign(up ? y.rows(0, n - shift) : y.rows(shift, n));
        for (std::int64_t i = 0; i < n - shift; ++i)
          ASSERT_EQ(to.data<float>()[i], static_cast<float>(up ? i : i + shift)) << n << " " << shift << " " << i;
      }
}

TEST(InPlace, AssignCopiesAndBroadcasts) {
  for (const DType dtype : all_dtypes) {
    Tensor x = zeros({2, 2}, dtype);
    const Tensor y = tensor({{1, 0}, {1, 1}}, dtype);
    EXPECT_EQ(&x.assign(y), &x);
    EXPECT_TRUE(same_bits(x, y));
    EXPECT_NE(x.header()->data, y.header()->data);
  }
  Tensor x = zeros({2, 3});
  x.assign(tensor({1, 2, 3}));
  EXPECT_EQ(values(x), (Values{1, 2, 3, 1, 2, 3}));
  x.assign(tensor({{4}, {5}}));
  EXPECT_EQ(values(x), (Values{4, 4, 4, 5, 5, 5}));
  x.assign(tensor(7));
  EXPECT_EQ(values(x), (Values{7, 7, 7, 7, 7, 7}));
  x.assign(x);
  EXPECT_EQ(values(x), (Values{7, 7, 7, 7, 7, 7}));
}

TEST(InPlace, AssignCopiesEveryBit) {
  for (const DType dtype : {DType::f32, DType::f64}) {
    const Tensor row = tensor({-0.0, 0.0, NAN, -INFINITY}, dtype);
    Tensor x = ones({2, 4}, dtype);
    x.assign(row);
    EXPECT_TRUE(same_bits(x.rows(0, 1).reshape({4}), row));
    EXPECT_TRUE(same_bits(x.rows(1, 2).reshape({4}), row));
  }
}

TEST(InPlace, ChangesBumpTheVersionThatViewsShare) {
  Tensor x = zeros({4, 2});
  Tensor view = x.rows(1, 3), again = view.reshape({4}), constant = x.detach();
  EXPECT_EQ(x.version(), 0u);
  x += 1;
  EXPECT_EQ(view.version(), 1u);
  view *= 2;
  again.assign(ones({4}));
  constant -= ones({2});
  for (const Tensor& t : {x, view, again, constant}) EXPECT_EQ(t.version(), 4u);
  EXPECT_EQ(x.clone().version(), 0u);
  x.data<float>()[0] = 3;  // not tracked
  EXPECT_EQ(x.version(), 4u);
}

TEST(InPlace, RefusesAndChangesNothing) {
  Tensor x = ones({2, 3});
  const Tensor before = x.clone();
  EXPECT_EQ(thrown([&] {
              x += ones({2, 3}, DType::f64);
            }),
            "ValueError: [+=] dtypes must agree: f32 [2, 3] and f64 [2, 3] (convert one with to())");
  EXPECT_EQ(thrown([&] {
              x.assign(ones({2, 3}, DType::i64));
            }),
            "ValueError: [assign] dtypes must agree: f32 [2, 3] and i64 [2, 3] (convert one with to())");
  EXPECT_EQ(thrown([&] { x -= ones({2}); }),
            "ShapeError: [-=] shapes must broadcast: [2, 3] and [2] (sizes equal or 1, aligned at the last axis)");
  EXPECT_EQ(thrown([&] {
              x *= ones({4, 2, 3});
            }),
            "ShapeError: [*=] the right side must broadcast to the tensor that is changed: [2, 3] and [4, 2, 3]");
  EXPECT_EQ(thrown([&] {
              x.assign(ones({1, 2, 3}));
            }),
            "ShapeError: [assign] the right side must broadcast to the tensor that is changed: [2, 3] and [1, 2, 3]");
  EXPECT_EQ(thrown([&] { x.assign(ones({4})); }),
            "ShapeError: [assign] shapes must broadcast: [2, 3] and [4] (sizes equal or 1, aligned at the last axis)");
  EXPECT_TRUE(same_bits(x, before));
  EXPECT_EQ(x.version(), 0u);

  Tensor whole = ones({2}, DType::i64), mask = ones({2}, DType::boolean);
  EXPECT_EQ(thrown([&] { whole += 0.5; }), "ValueError: [+=] a number beside an i64 tensor must be whole: 0.5");
  EXPECT_EQ(thrown([&] { whole *= NAN; }), "ValueError: [*=] a number beside an i64 tensor must be whole: nan");
  EXPECT_EQ(thrown([&] { whole *= 1e19; }), "ValueError: [*=] a number beside an i64 tensor must be whole: 1e+19");
  EXPECT_EQ(thrown([&] { whole.assign(ones({}, DType::i64)); }), "ShapeError: [assign] shapes must be equal for i64: [2] and []");
  EXPECT_EQ(thrown([&] { mask.assign(ones({1}, DType::boolean)); }), "ShapeError: [assign] shapes must be equal for boolean: [2] and [1]");
  EXPECT_EQ(thrown([&] { mask += mask; }), "ValueError: [+=] does not take boolean (convert with to())");
  EXPECT_EQ(thrown([&] { mask *= 0; }), "ValueError: [*=] does not take boolean (convert with to())");
  EXPECT_EQ(whole.version() + mask.version(), 0u);
  EXPECT_EQ(values(whole), (Values{1, 1}));
}

TEST(InPlace, AGradientIsReadOnly) {
  const Tensor w = parameter(tensor({1, 2}));
  Tape tape;
  const Gradients g = tape.gradients(sum(w * w));
  Tensor gradient = g[w], view = gradient.rows(0, 1), constant = gradient.detach();
  const char* whole = "a gradient is read-only: [2] (change a clone(), or scale all with g *= s)";
  EXPECT_EQ(thrown([&] { gradient += 1; }), "ValueError: [+=] " + std::string(whole));
  EXPECT_EQ(thrown([&] { gradient -= gradient; }), "ValueError: [-=] " + std::string(whole));
  EXPECT_EQ(thrown([&] { gradient.assign(ones({2})); }), "ValueError: [assign] " + std::string(whole));
  EXPECT_EQ(thrown([&] { constant *= 2; }), "ValueError: [*=] " + std::string(whole));
  EXPECT_EQ(thrown([&] { view *= 2; }), "ValueError: [*=] a gradient is read-only: [1] (change a clone(), or scale all with g *= s)");
  EXPECT_EQ(values(gradient), (Values{2, 4}));
  Tensor copy = gradient.clone();
  copy *= 2;
  EXPECT_EQ(values(copy), (Values{4, 8}));
}

TEST(InPlace, ATapeRefusesChangesThatItWouldNotSee) {
  Tensor w = parameter(tensor({{1, 2}, {3, 4}})), x = tensor({1, 1});
  const std::string rule = "a tensor that wants a gradient cannot be changed while a tape runs: ";
  Tape tape;
  Tensor y = w * x, view = w.rows(0, 1), constant = w.detach();
  EXPECT_EQ(thrown([&] { w += 1; }), "ValueError: [+=] " + rule + "[2, 2] (open a NoGrad scope)");
  EXPECT_EQ(thrown([&] { w.assign(x); }), "ValueError: [assign] " + rule + "[2, 2] (open a NoGrad scope)");
  EXPECT_EQ(thrown([&] { view -= x; }), "ValueError: [-=] " + rule + "[1, 2] (open a NoGrad scope)");
  EXPECT_EQ(thrown([&] { constant -= x; }), "ValueError: [-=] " + rule + "[2, 2] (open a NoGrad scope)");
  EXPECT_EQ(thrown([&] { y *= 2; }), "ValueError: [*=] " + rule + "[2, 2] (open a NoGrad scope)");
  x += 1;  // wants no gradient
  EXPECT_EQ(values(w), (Values{1, 2, 3, 4}));
  EXPECT_EQ(w.version(), 0u);
  {
    NoGrad off;
    w += 1;
  }
  EXPECT_EQ(values(w), (Values{2, 3, 4, 5}));
}
