// Tape({.higher_order = true}): gradients of gradients.
#include "ops_table.h"

#include <capstan/autograd/gradcheck.h>

#include <numbers>

using namespace capstan;

TEST(HigherOrder, PowersByHand) {
  Tensor x = parameter(d({2, -3}));
  Tape tape({.higher_order = true});
  const Tensor y = sum(pow(x, 4));
  const Tensor first = tape.gradient(y, x), second = tape.gradient(sum(first), x), third = tape.gradient(sum(second), x),
               fourth = tape.gradient(sum(third), x);
  EXPECT_TRUE(near(first, d({32, -108}), 1e-15));
  EXPECT_TRUE(near(second, d({48, 108}), 1e-15));
  EXPECT_TRUE(near(third, d({48, -72}), 1e-15));
  EXPECT_TRUE(near(fourth, d({24, 24}), 1e-15));
}

TEST(HigherOrder, ALossMadeOfGradients) {  // the penalty of Gulrajani et al. 2017: (|dy/dx| - 1)^2
  Tensor w = parameter(d({0.5, -1})), x = parameter(d({2, 3}));
  Tape tape({.higher_order = true});
  const Tensor slope = tape.gradient(sum(tanh(w * x)), x);
  const Gradients g = tape.gradients(square(norm(slope, 2) - 1));
  const auto penalty = [](const Args& in) {
    const Tensor s = in[0] * (1 - square(tanh(in[0] * in[1])));
    return square(norm(s, 2) - 1);
  };
  Tensor a = parameter(w.clone()), b = parameter(x.clone());
  Tape plain;
  const Gradients expected = plain.gradients(penalty({a, b}));
  EXPECT_TRUE(near(g[w], expected[a], 1e-14));
  EXPECT_TRUE(near(g[x], expected[b], 1e-14));
}

TEST(HigherOrder, AGradientThatIsSharedIsItsOwnTensor) {
  Tensor a = parameter(d({1, 2})), b = parameter(d({3, 4}));
  Tape tape({.higher_order = true});
  const Gradients g = tape.gradients(sum(square(a + b)));
  EXPECT_NE(g[a].data<double>(), g[b].data<double>());
  EXPECT_TRUE(near(tape.gradient(sum(g[a] * g[b]), a), d({32, 48}), 1e-15));  // (2 (a + b))^2
}

TEST(HigherOrder, ClippedGradientsAreConstants) {
  Tensor x = parameter(d({3, 4}));
  Tape tape({.higher_order = true});
  const Tensor loss = sum(square(x));
  Gradients g = tape.gradients(loss);
  const Tensor before = g[x];
  g *= 2;
  EXPECT_TRUE(near(g[x], d({12, 16}), 1e-15));
  EXPECT_TRUE(near(before, d({6, 8}), 1e-15));
  EXPECT_EQ(
      thrown([&] { (void)tape.gradients(sum(g[x])); }),
      "ValueError: [gradients] no tensor that wants a gradient reaches the loss (was it computed under this tape, outside NoGrad, from "
      "parameters?)");
  EXPECT_TRUE(near(tape.gradient(sum(before * before), x), d({24, 32}), 1e-15));
}

TEST(HigherOrder, UnderNoGradItIsNotRecorded) {
  Tensor x = parameter(d({3, 4}));
  Tape tape({.higher_order = true});
  const Tensor loss = sum(square(x));
  const std::size_t before = tape.size();
  {
    const NoGrad pause;
    EXPECT_TRUE(near(tape.gradients(loss)[x], d({6, 8}), 1e-15));
  }
  EXPECT_EQ(tape.size(), before);
  EXPECT_TRUE(near(tape.gradients(loss)[x], d({6, 8}), 1e-15));  // the recording is kept
  EXPECT_GT(tape.size(), before);
}

TEST(HigherOrder, AnOuterTapeWhileAnInnerOneRuns) {
  Tensor x = parameter(d({3, 4}));
  Tape outer({.higher_order = true});
  const Tensor y = sum(x * x * x);
  const Tensor dy = [&] {
    Tape inner;
    const Tensor g = outer.gradient(y, x);
    EXPECT_EQ(inner.size(), 0u);
    return g;
  }();
  EXPECT_TRUE(near(outer.gradient(sum(dy), x), d({18, 24}), 1e-15));
}

TEST(HigherOrder, ARuleThatComputesOutsideTheRecordingIsRefused) {
  const char* text =
      "ValueError: [own] the gradient rule computes outside the recording, so that its result has no gradient (write it with operations, "
      "without pointers, place() and NoGrad)";
  const auto refused = [&](auto rule) {
    Tensor x = parameter(d({3, 4}));
    Tape tape({.higher_order = true});
    const Tensor y = record("own", x.detach() * 2, {x}, rule);
    EXPECT_EQ(thrown([&] { (void)tape.gradients(sum(y)); }), text);
    Tape plain;
    EXPECT_TRUE(near(plain.gradient(sum(record("own", x.detach() * 2, {x}, rule)), x), d({2, 2}), 0));
  };
  refused([](const Tensor& dy, Inputs& dx) { dx.add(0, (dy * 2).clone()); });
  refused([](const Tensor& dy, Inputs& dx) {
    const NoGrad pause;
    dx.add(0, dy * 2);
  });
  refused([](const Tensor& dy, Inputs& dx) {
    auto* to = static_cast<double*>(dx.place(0).data);
    for (int i = 0; i < 2; ++i) to[i] = 2 * dy.data<double>()[i];
  });
  refused([](const Tensor& dy, Inputs& dx) {
    Tape other;
    dx.add(0, parameter(d({1, 1})) * dy * 2);
  });
}

TEST(HigherOrder, AModelOfUsersOwnOperation) {
  const auto cube = [](const Tensor& x) {
    return record("cube", x.detach() * x.detach() * x.detach(), {x},
                  [x = saved(x)](const Tensor& dy, Inputs& dx) { dx.add(0, 3 * square(x.get()) * dy); });
  };
  const GradcheckResult r =
      gradcheck([&](const Args& in) { return sin(cube(in[0])) * in[1]; }, {numbers({2, 3}), numbers({3})}, {.order = 2});
  EXPECT_TRUE(r) << r.message;
}

TEST(HigherOrder, AChangeInPlaceIsFoundInTheSecondGradientToo) {
  Tensor x = parameter(d({3, 4}));
  Tape tape({.higher_order = true});
  const Tensor dy = tape.gradient(sum(square(x) * x), x);
  {
    const NoGrad pause;
    x += 1.0;
  }
  EXPECT_NE(thrown([&] { (void)tape.gradient(sum(dy), x); }).find("was changed in place: [2], version 0 when recorded, now 1 "),
            std::string::npos);
}

TEST(HigherOrder, AStepOfATrainingLoopEndsWithTheTape) {  // no leaf index is lost from one tape to the next
  Tensor w = parameter(d({1, 2}));
  Gradients last;
  for (int i = 0; i < 100; ++i) {
    Tape tape({.higher_order = true});
    const Tensor dy = tape.gradient(sum(exp(w)), w);
    last = tape.gradients(sum(dy * dy));
    EXPECT_EQ(last.size(), 1u);
  }
  EXPECT_TRUE(near(last[w], d({2 * std::exp(2.0), 2 * std::exp(4.0)}), 1e-14));
}

// 1 + erf(x / sqrt 2) has few digits left at -5, and none at -9.
TEST(HigherOrder, GelusSlopeKeepsItsDigitsOnTheLeft) {
  const Tensor at = d({-10, -8.5, -7, -5, -2, -1, -0.5, 0, 1, 6});
  for (const DType dtype : {DType::f64, DType::f32}) {
    const Tensor x = parameter(at.to(dtype).clone());
    Tape plain;
    const Tensor slope = plain.gradient(sum(gelu(x)), x);
    Tape tape({.higher_order = true});
    const Tensor recorded = tape.gradient(sum(gelu(x)), x);
    for (std::size_t i = 0; i < 10; ++i)
      EXPECT_NEAR(values(recorded)[i], values(slope)[i], std::abs(values(slope)[i]) * (dtype == DType::f64 ? 1e-13 : 2e-5))
          << values(at)[i];
    const Tensor second = tape.gradient(sum(recorded), x);
    for (std::size_t i = 0; i < 10; ++i) {  // (2 - x^2) density(x)
      const double z = values(at)[i], exact = (2 - z * z) * std::exp(-z * z / 2) / std::sqrt(2 * std::numbers::pi);
      EXPECT_NEAR(values(second)[i], exact, std::abs(exact) * (dtype == DType::f64 ? 1e-11 : 1e-3) + 1e-30) << z;
    }
  }
}

TEST(HigherOrder, EluBendsAtZeroAsOnItsLeft) {
  const Tensor x = parameter(d({0, 0.5}));
  Tape tape({.higher_order = true});
  EXPECT_EQ(values(tape.gradient(sum(tape.gradient(sum(elu(x, 2)), x)), x)), (Values{2, 0}));
}

TEST(HigherOrder, ThePowerZeroIsFlatEverywhere) {
  const double tiny = 1e-310, none = std::nan("");
  for (const bool higher_order : {false, true}) {
    const Tensor a = parameter(d({0, -0.0, tiny, none, 2, 2})), b = d({0, 0, 0, -0.0, 0, 3});
    Tape tape({.higher_order = higher_order});
    EXPECT_EQ(values(tape.gradients(sum(pow(a, b)))[a]), (Values{0, 0, 0, 0, 0, 12}));
  }
  const Tensor a = parameter(d({2, 3})), b = parameter(d({0, 2}));
  Tape tape({.higher_order = true});
  const Tensor da = tape.gradient(sum(pow(a, b)), a);  // b a^(b-1)
  EXPECT_TRUE(near(tape.gradient(sum(da), b), d({0.5, 3 + 6 * std::log(3.0)}), 1e-14));
}
