// Numbers that f32 cannot hold, given to operations, random functions and gradients: refused with what would become of them.
#include <capstan/core/random.h>

#include <limits>

#include "refusals.h"
#include "support.h"

using namespace capstan;

namespace {

Tensor single(double x = 1) { return tensor({x}); }
std::string text(const char* op, const char* what, const char* given, const char* held) {
  return std::string("ValueError: [") + op + "] " + what + " must fit f32: " + given + " would be " + held +
         " (take f64, or a number that f32 holds)";
}

const Refusal refusals[] = {
    {text("smooth_l1_loss", "beta", "1e-46", "0"), [] { return smooth_l1_loss(single(), single(), 1e-46); }},
    {text("smooth_l1_loss", "beta", "1e+39", "inf"), [] { return smooth_l1_loss(single(), single(), 1e39); }},
    {text("huber_loss", "delta", "1e-50", "0"), [] { return huber_loss(single(), single(), 1e-50); }},
    {text("poisson_nll_loss", "eps", "1e-50", "0"),
     [] { return poisson_nll_loss(single(), single(), {.log_input = false, .eps = 1e-50}); }},
    {text("hinge_loss", "margin", "-1e+50", "-inf"), [] { return hinge_loss(single(), single(), -1e50); }},
    {text("hinge_embedding_loss", "margin", "1e-50", "0"), [] { return hinge_embedding_loss(single(), single(), 1e-50); }},
    {text("cross_entropy", "label_smoothing", "1e-50", "0"),
     [] {
       return cross_entropy(tensor({{1, 2}}), tensor({0}, DType::i64), {.label_smoothing = 1e-50});
     }},
    {text("softplus", "beta", "1e+50", "inf"), [] { return softplus(single(), 1e50); }},
    {text("elu", "alpha", "1e+50", "inf"), [] { return elu(single(), 1e50); }},
    {text("leaky_relu", "the slope", "1e-46", "0"), [] { return leaky_relu(single(), 1e-46); }},
    {text("hardtanh", "low", "-1e+50", "-inf"), [] { return hardtanh(single(), -1e50, 1); }},
    {text("hardtanh", "high", "1e+50", "inf"), [] { return hardtanh(single(), -1, 1e50); }},
    {text("clamp", "low", "1e-50", "0"), [] { return clamp(single(), 1e-50, 1); }},
    {text("clamp", "high", "1e+50", "inf"), [] { return clamp(single(), 0, 1e50); }},
    {text("pow", "the exponent", "1e+50", "inf"), [] { return pow(single(), 1e50); }},
    {text("norm", "p", "1e+50", "inf"), [] { return norm(single(), 1e50); }},
    {text("lstsq", "rcond", "1e-50", "0"), [] { return lstsq(tensor({{1}}), single(), 1e-50).solution; }},
    {text("pad", "the value", "1e+50", "inf"),
     [] {
       return pad(single(), {1, 1}, 1e50);
     }},
    {text("full", "the value", "1e-50", "0"), [] { return full({2}, 1e-50); }},
    {text("arange", "begin", "-1e+50", "-inf"), [] { return arange(-1e50, 0, 1e50); }},
    {text("arange", "end", "1e+50", "inf"), [] { return arange(0, 1e50, 1e49); }},
    {text("arange", "step", "1e-50", "0"), [] { return arange(1, 1, 1e-50); }},
    {text("uniform", "high", "1e+50", "inf"), [] { return uniform({2}, 0, 1e50); }},
    {text("uniform", "low", "-1e-50", "-0"), [] { return uniform({2}, -1e-50, 0); }},
    {text("normal", "mean", "1e+50", "inf"), [] { return normal({2}, 1e50, 1); }},
    {text("normal", "stddev", "1e-50", "0"), [] { return normal({2}, 0, 1e-50); }},
};

}  // namespace

TEST(Fit, WhatF32CannotHoldIsRefused) { check_refusals(refusals); }

TEST(Fit, WhatItCanHoldIsTaken) {
  const double inf = std::numeric_limits<double>::infinity();
  EXPECT_EQ(clamp(single(5), -inf, inf).item(), 5);
  EXPECT_EQ(hardtanh(single(5), -inf, 1e-45).item(), std::numeric_limits<float>::denorm_min());
  EXPECT_EQ(huber_loss(single(3), single(1), inf).item(), 2);
  EXPECT_EQ(smooth_l1_loss(single(3), single(1), 0).item(), 2);
  EXPECT_EQ(leaky_relu(single(-3), 0).item(), 0);
  EXPECT_EQ(elu(single(-1), 3e38).dtype(), DType::f32);
  EXPECT_EQ(norm(single(-3), inf).item(), 3);
  EXPECT_EQ(full({}, inf).item(), inf);
  EXPECT_EQ(full({}, 3.4e38).item(), static_cast<double>(3.4e38f));
  EXPECT_EQ(pow(single(3), 0).item(), 1);
  // f64 takes them all.
  EXPECT_EQ(clamp(d(5), 1e-50, 1e50).item(), 5);
  EXPECT_EQ(elu(d(1), 1e50).item(), 1);
  EXPECT_EQ(smooth_l1_loss(d(1), d(0), 1e-46).item(), 1);
  EXPECT_EQ(full({}, 1e-50, DType::f64).item(), 1e-50);
  EXPECT_LE(uniform({}, 0, 1e50, DType::f64).item(), 1e50);
}

TEST(Fit, FactorsAndLimitsOfGradientsToo) {
  const Tensor w = parameter(tensor({1, 2}));
  const auto of_one = [&] {
    Tape tape;
    return tape.gradients(sum(w * 2));
  };
  Gradients one = of_one();
  EXPECT_EQ(
      thrown([&] { one *= 1e-50; }),
      "ValueError: [gradients] the factor must fit f32, which a gradient has: 1e-50 would be 0 (take f64, or a number that f32 holds)");
  EXPECT_EQ(values(one[w]), (Values{2, 2}));
  EXPECT_EQ(
      thrown([&] { (void)clip_value(of_one(), 1e-50); }),
      "ValueError: [clip_value] the limit must fit f32, which a gradient has: 1e-50 would be 0 (take f64, or a number that f32 holds)");
  EXPECT_EQ(values(clip_value(of_one(), std::numeric_limits<double>::infinity())[w]), (Values{2, 2}));
  one *= 0;
  EXPECT_EQ(values(one[w]), (Values{0, 0}));
}
