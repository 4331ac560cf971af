#include "support.h"

#include <cmath>
#include <limits>

using namespace capstan;

TEST(Convert, EveryPairOfTypes) {
  const Values plain = {0, 1, -3, 200}, mask = {0, 1, 1, 1};
  for (const DType from : all_dtypes)
    for (const DType to : all_dtypes) {
      const Tensor x = tensor({0, 1, -3, 200}, from), y = x.to(to);
      EXPECT_EQ(y.dtype(), to);
      EXPECT_EQ(y.shape(), Shape{4});
      EXPECT_EQ(values(y), from == DType::boolean || to == DType::boolean ? mask : plain) << name(from) << " to " << name(to);
      EXPECT_EQ(y.header()->data == x.header()->data, from == to) << name(from) << " to " << name(to);
    }
}

TEST(Convert, KeepsTheShape) {
  for (const DType from : all_dtypes)
    for (const DType to : all_dtypes)
      for (const Shape& shape : {Shape{}, Shape{0}, Shape{2, 0, 3}, Shape{1, 2, 1, 2, 1, 2}})
        EXPECT_EQ(zeros(shape, from).to(to).shape(), shape);
}

TEST(Convert, RoundsToTheNearestSingle) {
  const Tensor x =
      tensor({0.1, 1 + 0x1p-24, 1 + 0x1p-24 + 0x1p-52, 1 + 3 * 0x1p-24, 1e300, -1e300, 1e-50, 0x1p-149 * 0.75, NAN}, DType::f64);
  const float expected[] = {0.1f, 1.f, 1.f + 0x1p-23f, 1.f + 0x1p-22f, INFINITY, -INFINITY, 0.f, 0x1p-149f};
  const Tensor y = x.to(DType::f32);
  for (int i = 0; i < 8; ++i) EXPECT_EQ(y.data<float>()[i], expected[i]) << i;
  EXPECT_TRUE(std::isnan(y.data<float>()[8]));
  EXPECT_TRUE(std::signbit(tensor({-0.0}, DType::f64).to(DType::f32).data<float>()[0]));
  EXPECT_EQ(tensor({0.1f}).to(DType::f64).item(), static_cast<double>(0.1f));
}

TEST(Convert, WholeNumbersTruncateTowardZero) {
  for (const DType dtype : {DType::f32, DType::f64})
    EXPECT_EQ(values(tensor({1.9, -1.9, 0.5, -0.5, 2, -0.0}, dtype).to(DType::i64)), (Values{1, -1, 0, 0, 2, 0}));
  const std::int64_t limits[] = {INT64_MIN, 9223372036854774784};  // the least i64 and the largest below 2^63 that f64 has
  const Tensor y = tensor({-0x1p63, 0x1.fffffffffffffp62}, DType::f64).to(DType::i64);
  EXPECT_EQ(y.data<std::int64_t>()[0], limits[0]);
  EXPECT_EQ(y.data<std::int64_t>()[1], limits[1]);
  EXPECT_EQ(tensor(std::vector<std::int64_t>{9007199254740993}).to(DType::f64).item(), 9007199254740992);
  EXPECT_EQ(tensor(std::vector<std::int64_t>{16777217}).to(DType::f32).data<float>()[0], 16777216.f);
}

TEST(Convert, RefusesWhatDoesNotFit) {
  const auto text = [](const char* value, int index) {
    return "ValueError: [to] an element must fit into i64: " + std::string(value) + " at index " + std::to_string(index);
  };
  for (const DType dtype : {DType::f32, DType::f64}) {
    const Tensor x = tensor({{0, 1}, {2, NAN}}, dtype);
    EXPECT_EQ(thrown([&] { x.to(DType::i64); }), text("nan", 3));
    EXPECT_EQ(values(x.rows(0, 1)), (Values{0, 1}));
    EXPECT_EQ(x.version(), 0u);
    EXPECT_EQ(thrown([&] { tensor({INFINITY}, dtype).to(DType::i64); }), text("inf", 0));
    EXPECT_EQ(thrown([&] { tensor({-INFINITY}, dtype).to(DType::i64); }), text("-inf", 0));
    EXPECT_EQ(thrown([&] { tensor({5, 0x1p63}, dtype).to(DType::i64); }), text("9223372036854775808", 1));
    EXPECT_EQ(thrown([&] { tensor({-1e30}, DType::f64).to(DType::i64); }), text("-1e+30", 0));
  }
}

TEST(Convert, ABooleanIsWhatIsNotZero) {
  EXPECT_EQ(values(tensor({0, -0.0, NAN, INFINITY, 1e-320}, DType::f64).to(DType::boolean)), (Values{0, 0, 1, 1, 1}));
  EXPECT_EQ(values(tensor({0, 256}, DType::i64).to(DType::boolean)), (Values{0, 1}));
}

TEST(Convert, ReadsViewsAtTheirPlace) {
  const Tensor x = arange(6).rows(2, 5);
  EXPECT_EQ(values(x.to(DType::i64)), (Values{2, 3, 4}));
  EXPECT_EQ(x.to(DType::f32).data<float>(), x.data<float>());
}
