#include <capstan/core/create.h>
#include <capstan/data/standardize.h>

#include <cmath>
#include <limits>

#include "support.h"

using namespace capstan;
using data::Standardizer;
using Values = std::vector<double>;

// Column 0: 1, 2, 3, 6 has mean 3 and variance (4 + 1 + 0 + 9) / 4 = 3.5; column 1: -1, 1, -1, 1 has mean 0 and variance 1.
TEST(Standardizer, HandNumbers) {
  for (const DType dtype : {DType::f32, DType::f64}) {
    const Tensor x = tensor({{1, -1}, {2, 1}, {3, -1}, {6, 1}}, dtype);
    const Standardizer s = Standardizer::fit(x);
    EXPECT_EQ(s.mean.dtype(), DType::f64);
    EXPECT_EQ(values(s.mean), (Values{3, 0}));
    EXPECT_EQ(values(s.stddev), (Values{std::sqrt(3.5), 1}));
    const Tensor z = s.apply(x);
    EXPECT_EQ(z.dtype(), dtype);
    EXPECT_EQ(z.shape(), x.shape());
    const Values expected = {-2 / std::sqrt(3.5), -1, -1 / std::sqrt(3.5), 1, 0, -1, 3 / std::sqrt(3.5), 1};
    const Values actual = values(z), back = values(s.invert(z)), original = values(x);
    for (std::size_t i = 0; i < 8; ++i) {
      EXPECT_EQ(actual[i], dtype == DType::f64 ? expected[i] : static_cast<double>(static_cast<float>(expected[i])));
      EXPECT_NEAR(back[i], original[i], 1e-6);
    }
    EXPECT_EQ(values(x), (Values{1, -1, 2, 1, 3, -1, 6, 1}));
  }
}

TEST(Standardizer, AppliesToOtherRows) {
  const Standardizer s = Standardizer::fit(tensor({{0}, {4}}));  // mean 2, deviation 2
  EXPECT_EQ(values(s.apply(tensor({{8}, {2}, {0}}))), (Values{3, 0, -1}));
  EXPECT_EQ(values(s.invert(tensor({{3}, {0}}, DType::f64))), (Values{8, 2}));
  EXPECT_EQ(s.apply(zeros({0, 1})).shape(), (Shape{0, 1}));
  const Standardizer own{tensor(std::vector<float>{1}), tensor(std::vector<float>{2})};
  EXPECT_EQ(values(own.apply(tensor({{5}}))), (Values{2}));
}

TEST(Standardizer, SumsInDouble) {
  Tensor x = empty({200000, 1});
  for (std::int64_t i = 0; i < x.numel(); ++i) x.data<float>()[i] = i % 2 ? 16777216.0F : 16777218.0F;
  const Standardizer s = Standardizer::fit(x);
  EXPECT_EQ(s.mean.item(), 16777217);
  EXPECT_EQ(s.stddev.item(), 1);
  EXPECT_EQ(s.apply(x).data<float>()[0], 1);
  EXPECT_EQ(s.apply(x).data<float>()[1], -1);
}

TEST(Standardizer, RefusesConstantColumns) {
  for (const DType dtype : {DType::f32, DType::f64}) {
    Tensor x = full({7, 3}, 0.1, dtype);  // the mean of seven times 0.1 is not 0.1 in f64
    for (std::int64_t i = 0; i < 7; ++i)
      for (std::int64_t j : {0, 1})
        dtype == DType::f32 ? void(x.data<float>()[3 * i + j] = float(i)) : void(x.data<double>()[3 * i + j] = double(i));
    EXPECT_EQ(thrown([&] { Standardizer::fit(x); }),
              "ValueError: [Standardizer] a column must not be constant: column 2 (counted from 0) is 0.1 in all 7 rows (leave it out)");
  }
  EXPECT_EQ(thrown([&] {
              Standardizer::fit(tensor({{5, 6}}));
            }),
            "ValueError: [Standardizer] a column must not be constant: column 0 (counted from 0) is 5 in all 1 rows (leave it out)");
}

TEST(Standardizer, RefusesValues) {
  const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(thrown([&] {
              Standardizer::fit(tensor({{1, 2}, {3, nan}}));
            }),
            "NotFiniteError: [Standardizer] values must be finite: nan in row 1, column 1 (both counted from 0)");
  EXPECT_EQ(thrown([&] {
              Standardizer::fit(tensor({{1, 2}, {-infinity, 4}}, DType::f64));
            }),
            "NotFiniteError: [Standardizer] values must be finite: -inf in row 1, column 0 (both counted from 0)");
  EXPECT_EQ(thrown([&] {
              Standardizer::fit(tensor({{1, 1e200}, {2, -1e200}}, DType::f64));
            }),
            "ValueError: [Standardizer] the squares of a column must fit f64: column 1 (counted from 0) lies in [-1e+200, 1e+200] (scale "
            "it first)");
  EXPECT_EQ(thrown([&] {
              Standardizer::fit(tensor({{1e-200}, {2e-200}}, DType::f64));
            }),
            "ValueError: [Standardizer] the squares of a column must fit f64: column 0 (counted from 0) lies in [1e-200, 2e-200] (scale it "
            "first)");
}

TEST(Standardizer, RefusesShapesAndTypes) {
  EXPECT_EQ(thrown([&] { Standardizer::fit(zeros({3})); }), "ShapeError: [Standardizer] x must be [rows, columns]: [3]");
  EXPECT_EQ(thrown([&] { Standardizer::fit(zeros({0, 3})); }), "ShapeError: [Standardizer] x must not be empty: [0, 3]");
  EXPECT_EQ(thrown([&] { Standardizer::fit(zeros({3, 0})); }), "ShapeError: [Standardizer] x must not be empty: [3, 0]");
  EXPECT_EQ(thrown([&] {
              Standardizer::fit(zeros({3, 1}, DType::i64));
            }),
            "ValueError: [Standardizer] x must be f32 or f64: i64 (convert with to())");
  const Standardizer s = Standardizer::fit(tensor({{1, 2}, {3, 4}}));
  EXPECT_EQ(thrown([&] {
              s.apply(zeros({5, 3}));
            }),
            "ShapeError: [apply] x must have the columns that were fitted: x [5, 3], mean [2], stddev [2]");
  EXPECT_EQ(thrown([&] {
              s.invert(zeros({5, 1}));
            }),
            "ShapeError: [invert] x must have the columns that were fitted: x [5, 1], mean [2], stddev [2]");
  EXPECT_EQ(thrown([&] { s.apply(zeros({2})); }), "ShapeError: [apply] x must be [rows, columns]: [2]");
  EXPECT_EQ(thrown([&] {
              s.invert(zeros({5, 2}, DType::boolean));
            }),
            "ValueError: [invert] x must be f32 or f64: boolean (convert with to())");
}
