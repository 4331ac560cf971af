// Dropout: how many elements it keeps, when it does nothing, from which stream it draws.
#include <capstan/core/random.h>

#include <limits>

#include "refusals.h"

using namespace capstan;

namespace {

const Refusal refusals[] = {
    {"ValueError: [dropout] p must lie in [0, 1]: 1.5", [] { return dropout(f({2}), 1.5); }},
    {"ValueError: [dropout] p must lie in [0, 1]: -0.5", [] { return dropout(f({2}), -0.5); }},
    {"ValueError: [dropout] p must lie in [0, 1]: nan", [] { return dropout(f({2}), std::numeric_limits<double>::quiet_NaN(), false); }},
    {"ValueError: [dropout] takes f32 or f64: i64 [2] (convert with to())", [] { return dropout(i({2}), 0.5); }},
};

}  // namespace

TEST(Dropout, IsRefusedByItsText) { check_refusals(refusals); }

TEST(Dropout, KeepsTheShareAndTheMean) {
  for (const DType dtype : {DType::f32, DType::f64}) {
    Generator g{1, 2, 0};
    const std::int64_t n = 100'000;
    const Tensor y = dropout(ones({n}, dtype), 0.3, true, g);
    const double zeros = mean((y == 0).to(DType::f64)).item();
    EXPECT_NEAR(zeros, 0.3, 0.006);  // four standard deviations
    EXPECT_NEAR(mean(y).item(), 1, 0.01);
    EXPECT_TRUE(all(logical_or(y == 0, y == static_cast<double>(dtype == DType::f32 ? float(1 / 0.7) : 1 / 0.7))).item());
    EXPECT_EQ(g.draw, 1u);
  }
}

TEST(Dropout, DoesNothingOutsideTraining) {
  const Tensor x = p({1, 2, 3});
  Generator g{1, 2, 0};
  Tape tape;
  EXPECT_EQ(dropout(x, 0.5, false, g).header(), x.header());
  EXPECT_EQ(dropout(x, 0, true, g).header(), x.header());
  EXPECT_EQ(g.draw, 0u);
  EXPECT_EQ(tape.size(), 0u);
}

TEST(Dropout, TwoDrawsDifferAndASeedRepeatsThem) {
  const Tensor x = ones({64});
  manual_seed(3);
  const Tensor a = dropout(x), b = dropout(x);
  manual_seed(3);
  EXPECT_TRUE(same_bits(dropout(x), a));
  EXPECT_TRUE(same_bits(dropout(x), b));
  EXPECT_FALSE(same_bits(a, b));
  manual_seed(3);
  uniform({64});  // another stream
  EXPECT_TRUE(same_bits(dropout(x), a));
}
