// Arguments at the ends of the range and beyond: what is finite stays finite where the result can be held, what is infinite has its limit.
#include "extremes.h"

#include <capstan/autograd/gradcheck.h>

using namespace capstan;

namespace {

Tensor bce(const Tensor& x, const Tensor& t, const Tensor& pos_weight = {}, const Tensor& weight = {}) {
  return binary_cross_entropy_with_logits(x, t, {.weight = weight, .pos_weight = pos_weight, .reduction = Reduction::none});
}

}  // namespace

TEST(Extremes, AConfidentLogitKeepsItsLoss) {
  for (const DType dtype : floating) {
    const Tensor x = tensor({-15, -40, 15, 40, -15, 3}, dtype), t = tensor({0, 0, 1, 1, 1, 0.25}, dtype), w = tensor({3}, dtype);
    const Values plain{std::log1p(std::exp(-15.)), std::log1p(std::exp(-40.)),      std::log1p(std::exp(-15.)),
                       std::log1p(std::exp(-40.)), 15 + std::log1p(std::exp(-15.)), 0.75 * 3 + std::log1p(std::exp(-3.))};
    const Values weighted{plain[0],     plain[1],     3 * plain[2],
                          3 * plain[3], 3 * plain[4], 0.75 * (3 + std::log1p(std::exp(-3.))) + 0.75 * std::log1p(std::exp(-3.))};
    expect_close(bce(x, t), plain);
    expect_close(bce(x, t, w), weighted);
    const auto s = [](double v) { return 1 / (1 + std::exp(-v)); };
    const Values slopes{s(-15), s(-40), -s(-15), -s(-40), -s(15), 0.75 * s(3) - 0.25 * s(-3)};
    for (const bool higher_order : {false, true}) {
      expect_close(tensor(slope([&](const Tensor& y) { return bce(y, t); }, x, higher_order)).to(dtype), slopes, 16);
      const Tensor g = tensor(slope([&](const Tensor& y) { return bce(y, t, w); }, x, higher_order)).to(dtype);
      expect_close(g, {slopes[0], slopes[1], 3 * slopes[2], 3 * slopes[3], 3 * slopes[4], 0.75 * s(3) - 0.75 * s(-3)}, 16);
    }
  }
}

TEST(Extremes, AnInfiniteLogitHasTheLimit) {
  for (const DType dtype : floating)
    for (const bool higher_order : {false, true}) {
      const Tensor x = tensor({-inf, -inf, -inf, inf, inf, inf}, dtype), t = tensor({0, 1, 0.5, 0, 1, 0.5}, dtype);
      const Tensor two = tensor({2}, dtype), three = tensor({3}, dtype), nothing = tensor({0}, dtype);
      const Values losses{0, inf, inf, inf, 0, inf};
      EXPECT_EQ(values(bce(x, t)), losses);
      EXPECT_EQ(values(bce(x, t, two)), losses);
      EXPECT_EQ(values(bce(x, t, two, three)), losses);
      EXPECT_EQ(values(bce(x, t, nothing)), (Values{0, 0, 0, inf, 0, inf}));
      EXPECT_EQ(values(bce(x, t, two, nothing)), (Values{0, 0, 0, 0, 0, 0}));
      EXPECT_EQ(slope([&](const Tensor& y) { return bce(y, t); }, x, higher_order), (Values{0, -1, -0.5, 1, 0, 0.5}));
      EXPECT_EQ(slope([&](const Tensor& y) { return bce(y, t, two); }, x, higher_order), (Values{0, -2, -1, 1, 0, 0.5}));
      EXPECT_EQ(slope([&](const Tensor& y) { return bce(y, t, two, three); }, x, higher_order), (Values{0, -6, -3, 3, 0, 1.5}));
      EXPECT_EQ(slope([&](const Tensor& y) { return bce(y, t, two, nothing); }, x, higher_order), (Values{0, 0, 0, 0, 0, 0}));
      EXPECT_EQ(slope([&](const Tensor& u) { return bce(x, u); }, t, higher_order), (Values{inf, inf, inf, -inf, -inf, -inf}));
      EXPECT_EQ(slope([&](const Tensor& u) { return bce(x, u, two); }, t, higher_order), (Values{inf, inf, inf, -inf, -inf, -inf}));
      EXPECT_EQ(slope(
                    [&](const Tensor& w) {
                      return bce(tensor({-inf, inf}, dtype), tensor({0, 1}, dtype), w);
                    },
                    two, higher_order),
                (Values{0}));
      EXPECT_TRUE(std::isnan(bce(tensor({no_number}, dtype), tensor({0}, dtype), two, nothing).item()));  // NaN is no limit
    }
}

TEST(Extremes, WhatHasNoPartInALossCostsNothing) {
  for (const DType dtype : floating)
    for (const bool higher_order : {false, true}) {
      // 0 ln 0 = 0, and e^-inf (-inf - x) = 0.
      const Tensor t = tensor({-inf, -inf, std::log(0.5)}, dtype), x = tensor({-1, -inf, std::log(0.5)}, dtype);
      const auto divergence = [](const Tensor& a, const Tensor& b, bool log) { return kl_div(a, b, log, Reduction::none); };
      EXPECT_EQ(values(divergence(x, t, true)), (Values{0, 0, 0}));
      EXPECT_EQ(values(divergence(x, exp(t), false))[1], 0);
      const Values by_target = slope([&](const Tensor& u) { return divergence(x, u, true); }, t, higher_order);
      EXPECT_EQ(Values(by_target.begin(), by_target.begin() + 2), (Values{0, 0}));
      EXPECT_NEAR(by_target[2], 0.5, 1e-6);
      const Values by_input = slope([&](const Tensor& y) { return divergence(y, t, true); }, x, higher_order);
      EXPECT_EQ(Values(by_input.begin(), by_input.begin() + 2), (Values{0, 0}));
      EXPECT_EQ(slope([&](const Tensor& y) { return divergence(y, exp(t), false); }, x, higher_order)[1], 0);
      EXPECT_EQ(divergence(tensor(-inf, dtype), tensor(-800, dtype), true).item(), inf);
      EXPECT_EQ(divergence(tensor(-1e30, dtype), tensor(-1e30, dtype), true).item(), 0);
      EXPECT_TRUE(std::isnan(divergence(tensor(no_number, dtype), tensor(-inf, dtype), true).item()));

      EXPECT_EQ(values(poisson_nll_loss(tensor({-inf}, dtype), tensor({0}, dtype), {.reduction = Reduction::none})), (Values{0}));

      // A class that is ruled out, without a share in the target or in the weights.
      const Tensor logits = tensor({{-inf, 0, 0}}, dtype), p = tensor({{0, 0.5, 0.5}}, dtype), w = tensor({0, 1, 1}, dtype);
      EXPECT_NEAR(cross_entropy(logits, p, {}).item(), std::log(2.), 1e-6);
      EXPECT_NEAR(cross_entropy(logits, tensor({1}, DType::i64), {.weight = w, .label_smoothing = 0.5}).item(), std::log(2.) * 5 / 6, 1e-6);
      EXPECT_EQ(cross_entropy(logits, tensor({0}, DType::i64), {.weight = w, .reduction = Reduction::sum}).item(), 0);
      EXPECT_EQ(slope([&](const Tensor& y) { return cross_entropy(y, p, {}); }, logits, higher_order), (Values{0, 0, 0}));
      EXPECT_EQ(slope([&](const Tensor& y) { return cross_entropy(y, tensor({1}, DType::i64)); }, logits, higher_order),
                (Values{0, -0.5, 0.5}));
    }
}

TEST(Extremes, TheLogDivergenceHasTwoOrders) {
  const GradcheckResult r = gradcheck([](const std::vector<Tensor>& in) { return kl_div(in[0], in[1], true, Reduction::none); },
                                      {numbers({5}), numbers({5}, -3, 0, 1)}, {.order = 2});
  EXPECT_TRUE(r) << r.message;
}

TEST(Extremes, SpreadsWhoseSquaresCannotBeHeld) {
  for (const DType dtype : floating) {
    const double huge = dtype == DType::f32 ? 1e20 : 1e200, tiny = dtype == DType::f32 ? 1e-30 : 1e-200;
    const double most = dtype == DType::f32 ? static_cast<double>(std::numeric_limits<float>::max()) : std::numeric_limits<double>::max();
    const double least = dtype == DType::f32 ? 1e-44 : 1e-322;
    for (const double h : {huge, tiny}) {
      expect_close(capstan::std(tensor({h, -h}, dtype)), {std::sqrt(2.) * static_cast<double>(tensor(h, dtype).item())});
      expect_close(capstan::std(tensor({{h, -h}, {3, 5}, {7, 7}}, dtype), 1), {std::sqrt(2.) * tensor(h, dtype).item(), std::sqrt(2.), 0});
      for (const bool higher_order : {false, true})
        for (const int axis : {0, 1}) {
          const Tensor x = axis == 1 ? tensor({{h, -h, 0}}, dtype) : tensor({{h}, {-h}, {0}}, dtype);
          const Values g = slope([&](const Tensor& y) { return capstan::std(y, axis); }, x, higher_order);
          for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(g[i], i == 0 ? 0.5 : i == 1 ? -0.5 : 0, 1e-6);
        }
    }
    expect_close(capstan::std(tensor({most, -most}, dtype), {}, false, 0), {most});
    expect_close(capstan::std(tensor({most, most, most}, dtype)), {0});
    EXPECT_EQ(var(tensor({most, most, most}, dtype)).item(), 0);
    EXPECT_EQ(slope([](const Tensor& y) { return var(y); }, tensor({most, most, most}, dtype)), (Values{0, 0, 0}));
    EXPECT_NEAR(capstan::std(tensor({least, -least}, dtype), {}, false, 0).item() / tensor(least, dtype).item(), 1, 0.2);
    const double scale = dtype == DType::f32 ? 1e19 : 1e154;  // the variance is within the range, the sum of squares is not
    expect_close(var(tensor({scale, -scale, scale, -scale}, dtype) * 1.2, {}, false, 0),
                 {1.44 * tensor(scale, dtype).item() * tensor(scale, dtype).item()}, 16);
    EXPECT_EQ(var(tensor({huge, -huge}, dtype)).item(), inf);  // it cannot be held
    EXPECT_EQ(var(tensor({tiny, -tiny}, dtype)).item(), 0);
    EXPECT_TRUE(std::isnan(capstan::std(tensor({1, inf}, dtype)).item()));
    EXPECT_TRUE(std::isnan(capstan::std(tensor({1, no_number}, dtype)).item()));
    EXPECT_TRUE(same_bits(var(tensor({{1, 2.5, 7}, {huge, huge, -huge}}, dtype), 1).rows(0, 1), var(tensor({{1, 2.5, 7}}, dtype), 1)));
  }
}

TEST(Extremes, SecondDerivativesAtAKink) {
  for (const DType dtype : floating) {
    EXPECT_EQ(second_slope([](const Tensor& x) { return capstan::std(x); }, full({3}, 7, dtype)), (Values{0, 0, 0}));
    for (const double p : {0.5, 1.5, 2., 3.})
      for (const double g : second_slope([p](const Tensor& x) { return norm(x, p); }, zeros({2}, dtype))) EXPECT_TRUE(std::isnan(g)) << p;
    for (const double p : {1., inf})
      EXPECT_EQ(second_slope([p](const Tensor& x) { return norm(x, p); }, zeros({2}, dtype)), (Values{0, 0})) << p;
    for (const double p : {1.5, 2., 3.}) {
      const Values both = second_slope([p](const Tensor& x) { return norm(x, p, 1); }, tensor({{0, 0}, {3, 4}}, dtype));
      EXPECT_TRUE(std::isnan(both[0]));
      EXPECT_EQ(both[2], second_slope([p](const Tensor& x) { return norm(x, p); }, tensor({3, 4}, dtype))[0]);  // the other line's stays
      EXPECT_TRUE(p != 2 || std::abs(both[2] - (16 - 12) / 125.) < 1e-6) << both[2];
    }
  }
}

TEST(Extremes, ProductsWhosePartsCannotBeHeld) {
  for (const DType dtype : floating) {
    const double h = dtype == DType::f32 ? 1e20 : 1e200, t = dtype == DType::f32 ? 1e-30 : 1e-300;
    const double hh = tensor(h, dtype).item(), tt = tensor(t, dtype).item();
    expect_close(prod(tensor({h, h, t}, dtype)), {hh * (hh * tt)});
    expect_close(prod(tensor({t, t, h, h}, dtype)), {(hh * tt) * (hh * tt)});
    EXPECT_EQ(prod(tensor({h, h, 0}, dtype)).item(), 0);
    EXPECT_EQ(prod(tensor({h, h, -h}, dtype)).item(), -inf);
    EXPECT_EQ(prod(tensor({-t, t}, dtype)).item(), 0);
    EXPECT_TRUE(std::signbit(prod(tensor({-t, t}, dtype)).item()));
    EXPECT_EQ(prod(tensor({h, inf}, dtype)).item(), inf);
    EXPECT_TRUE(std::isnan(prod(tensor({0, inf}, dtype)).item()));
    expect_close(tensor(slope([](const Tensor& x) { return prod(x); }, tensor({h, h, t}, dtype))).to(dtype), {hh * tt, hh * tt, inf});

    const Tensor diagonal = tensor({{h, 0, 0}, {0, h, 0}, {0, 0, t}}, dtype), two = tensor({{h, 0}, {0, h}}, dtype);
    expect_close(det(diagonal), {hh * (hh * tt)});
    EXPECT_EQ(det(two).item(), inf);
    expect_close(tensor(slope([](const Tensor& x) { return det(x); }, two)).to(dtype), {hh, 0, 0, hh});  // though det itself is not held
    expect_close(tensor(slope([](const Tensor& x) { return det(x); }, eye(2, dtype) * t)).to(dtype), {tt, 0, 0, tt});
    EXPECT_NEAR(logdet(diagonal).item(), 2 * std::log(h) + std::log(t), 1e-4);
    expect_close(tensor(slope([](const Tensor& x) { return logdet(x); }, diagonal)).to(dtype), {1 / hh, 0, 0, 0, 1 / hh, 0, 0, 0, 1 / tt});
  }
}

TEST(Extremes, LogarithmsOfSumsAndNorms) {
  for (const DType dtype : floating) {
    const double most = dtype == DType::f32 ? static_cast<double>(std::numeric_limits<float>::max()) : std::numeric_limits<double>::max();
    EXPECT_EQ(logsumexp(tensor({most, 0, -most}, dtype)).item(), most);
    EXPECT_EQ(slope([](const Tensor& x) { return logsumexp(x); }, tensor({most, 0, -most}, dtype)), (Values{1, 0, 0}));
    EXPECT_EQ(norm(tensor({most, 0}, dtype)).item(), most);
    EXPECT_EQ(slope([](const Tensor& x) { return norm(x); }, tensor({most, 0}, dtype)), (Values{1, 0}));
  }
}

// Every activation and its slope, of both orders of tape, at the ends of the range.
TEST(Extremes, ActivationsAndTheirSlopesStayFinite) {
  using Function = Tensor (*)(const Tensor&);
  const Function functions[] = {[](const Tensor& x) { return relu(x); },
                                [](const Tensor& x) { return sigmoid(x); },
                                [](const Tensor& x) { return leaky_relu(x); },
                                [](const Tensor& x) { return elu(x); },
                                [](const Tensor& x) { return softplus(x); },
                                [](const Tensor& x) { return softplus(x, 20); },
                                [](const Tensor& x) { return silu(x); },
                                [](const Tensor& x) { return gelu(x); },
                                [](const Tensor& x) { return gelu(x, Gelu::tanh); },
                                [](const Tensor& x) { return hardtanh(x); },
                                [](const Tensor& x) { return tanh(x); },
                                [](const Tensor& x) { return erf(x); },
                                [](const Tensor& x) { return clamp(x, -1, 2); },
                                [](const Tensor& x) { return abs(x); }};
  for (const DType dtype : floating) {
    const double most = dtype == DType::f32 ? static_cast<double>(std::numeric_limits<float>::max()) : std::numeric_limits<double>::max();
    Values at;
    for (const double x : {1e-45, 1e-30, 1., 20., 1e5, 1e13, 1.7e19, 2e19, 1e25, 1.7e38, most}) at.insert(at.end(), {x, -x});
    if (dtype == DType::f64)
      for (const double x : {5e-324, 1e103, 1e154, 1e200, 1e308}) at.insert(at.end(), {x, -x});
    const Tensor x = tensor(at).to(dtype);
    for (const Function& f : functions) {
      const auto which = &f - functions;
      EXPECT_TRUE(all(isfinite(f(x))).item() != 0) << which << f(x);
      const Values plain = slope(f, x), recorded = slope(f, x, true);
      for (std::size_t i = 0; i < at.size(); ++i) {
        EXPECT_TRUE(std::isfinite(plain[i]) && std::abs(plain[i]) < 1.2) << which << " at " << at[i] << ": " << plain[i];
        EXPECT_NEAR(plain[i], recorded[i], 1e-5) << which << " at " << at[i];
        const bool is_itself = std::abs(at[i]) >= 1e5 && f(tensor(at[i], dtype)).item() == tensor(at[i], dtype).item();
        EXPECT_TRUE(!is_itself || plain[i] == 1) << which << " at " << at[i] << ": " << plain[i];
      }
      for (const double g : second_slope(f, x)) EXPECT_TRUE(std::isfinite(g)) << which;
    }
  }
}

TEST(Extremes, SlopesThatAreFiniteWhereTheirPartsAreNot) {
  for (const DType dtype : floating) {
    const double h = dtype == DType::f32 ? 3e38 : 1.5e308;
    EXPECT_NEAR(slope([](const Tensor& x) { return square(x) * 0.25; }, tensor(h, dtype))[0] / h, 0.5, 1e-6);
    EXPECT_NEAR(slope([](const Tensor& x) { return square(x) * 0.25; }, tensor(h, dtype), true)[0] / h, 0.5, 1e-6);
    const double beta = dtype == DType::f32 ? 1e30 : 1e300;
    EXPECT_NEAR(smooth_l1_loss(tensor(beta / 2, dtype), tensor(0, dtype), beta).item() / beta, 0.125, 1e-6);
    EXPECT_NEAR(smooth_l1_loss(tensor(1 / beta, dtype), tensor(0, dtype), 2 / beta).item() * beta, 0.25, 1e-6);
  }
}
