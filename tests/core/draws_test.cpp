// bernoulli and categorical: frequencies, certain events, both dtypes, refusals that draw nothing.
#include <capstan/core/random.h>

#include <cmath>
#include <limits>

#include "support.h"

using namespace capstan;

namespace {

const double no_number = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();

Tensor d(const NestedList& list, DType dtype = DType::f64) { return tensor(list, dtype); }

}  // namespace

TEST(Bernoulli, FrequencyAndCertainty) {
  for (const DType dtype : {DType::f32, DType::f64}) {
    Generator g{1, 0, 0};
    const Tensor y = bernoulli(full({40'000}, 0.3, dtype), g);
    EXPECT_EQ(y.dtype(), dtype);
    double ones = 0;
    for (const double v : values(y)) {
      ASSERT_TRUE(v == 0 || v == 1);
      ones += v;
    }
    EXPECT_NEAR(ones / 40'000, 0.3, 4 * std::sqrt(0.21 / 40'000));
    EXPECT_EQ(values(bernoulli(d({{0, 1}, {1, 0}}, dtype), g)), (Values{0, 1, 1, 0}));
    EXPECT_EQ(bernoulli(d(1, dtype), g).shape(), Shape{});
    EXPECT_EQ(bernoulli(empty({0, 2}, dtype), g).shape(), (Shape{0, 2}));
    EXPECT_EQ(g.draw, 4u);
  }
}

TEST(Bernoulli, ASeedRepeatsTheDraw) {
  Generator a{7, 0, 5}, b{7, 0, 5}, other{7, 0, 6};
  const Tensor p = full({64}, 0.5);
  const Tensor first = bernoulli(p, a);
  EXPECT_TRUE(same_bits(first, bernoulli(p, b)));
  EXPECT_FALSE(same_bits(first, bernoulli(p, other)));
}

TEST(Categorical, FrequenciesOfEachClass) {
  for (const DType dtype : {DType::f32, DType::f64}) {
    Generator g{2, 0, 0};
    const double share[] = {0.1, 0, 0.6, 0.3};
    Tensor w = empty({40'000, 4}, dtype);
    for (std::int64_t i = 0; i < w.numel(); ++i) {
      const double v = 5 * share[i % 4];
      if (dtype == DType::f32)
        w.data<float>()[i] = static_cast<float>(v);
      else
        w.data<double>()[i] = v;
    }
    const Tensor y = categorical(w, g);
    EXPECT_EQ(y.dtype(), DType::i64);
    EXPECT_EQ(y.shape(), Shape{40'000});
    double count[4] = {};
    for (const double v : values(y)) ++count[static_cast<int>(v)];
    EXPECT_EQ(count[1], 0);
    for (int k = 0; k < 4; ++k) EXPECT_NEAR(count[k] / 40'000, share[k], 4 * std::sqrt(share[k] * (1 - share[k]) / 40'000)) << k;
    EXPECT_EQ(g.draw, 1u);
  }
}

TEST(Categorical, CertainClassesAndShapes) {
  Generator g{2, 0, 0};
  EXPECT_EQ(values(categorical(d({{{0, 1}, {3, 0}}, {{0, 1e-300}, {1e300, 0}}}), g)), (Values{1, 0, 1, 0}));
  EXPECT_EQ(categorical(d({1, 1}), g).shape(), Shape{});
  EXPECT_EQ(categorical(empty({0, 3}), g).shape(), Shape{0});
}

TEST(Draws, RefusalsByTheirTextDrawNothing) {
  Generator g{1, 0, 3};
  const auto b = [&](const Tensor& p) { return thrown([&] { bernoulli(p, g); }); };
  const auto c = [&](const Tensor& w) { return thrown([&] { categorical(w, g); }); };
  EXPECT_EQ(b(d({0.5, 1.5})), "ValueError: [bernoulli] a probability must lie in [0, 1]: 1.5 at element 1 of [2]");
  EXPECT_EQ(b(d({-0.5})), "ValueError: [bernoulli] a probability must lie in [0, 1]: -0.5 at element 0 of [1]");
  EXPECT_EQ(b(d({no_number})), "ValueError: [bernoulli] a probability must lie in [0, 1]: nan at element 0 of [1]");
  EXPECT_EQ(b(zeros({2}, DType::i64)), "ValueError: [bernoulli] takes f32 or f64: i64 [2] (convert with to())");
  EXPECT_EQ(c(zeros({2}, DType::i64)), "ValueError: [categorical] takes f32 or f64: i64 [2] (convert with to())");
  EXPECT_EQ(c(d(1)), "ShapeError: [categorical] needs an axis of classes: []");
  EXPECT_EQ(c(d({{1, 0}, {1, -1}})), "ValueError: [categorical] a weight must be finite and not negative: -1 for class 1 in row 1");
  EXPECT_EQ(c(d({1, no_number})), "NotFiniteError: [categorical] a weight must be finite and not negative: nan for class 1 in row 0");
  EXPECT_EQ(c(d({1, inf})), "NotFiniteError: [categorical] a weight must be finite and not negative: inf for class 1 in row 0");
  EXPECT_EQ(c(d({{1, 0}, {0, 0}})), "ValueError: [categorical] a row's weights must have a positive, finite sum: 0 in row 1");
  EXPECT_EQ(c(d({1e308, 1e308})), "NotFiniteError: [categorical] a row's weights must have a positive, finite sum: inf in row 0");
  EXPECT_EQ(c(empty({2, 0})), "ShapeError: [categorical] needs at least one class: [2, 0]");
  EXPECT_EQ(c(empty({std::int64_t{1} << 47, 0})), "ShapeError: [categorical] needs at least one class: [140737488355328, 0]");
  EXPECT_EQ(g.draw, 3u);
}
