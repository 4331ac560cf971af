// Tape::watch and Tape::gradient.
#include "support.h"

using namespace capstan;

TEST(Watch, MakesAConstantWanted) {
  const Tensor x = d({2, 3}), w = p({5, 7});
  {
    Tape tape;
    tape.watch(x);
    tape.watch(x);  // twice is once
    const Gradients g = tape.gradients(sum(x * w * x));
    EXPECT_EQ(g.size(), 2u);
    EXPECT_EQ(values(g[x]), (Values{20, 42}));
    EXPECT_EQ(values(g[w]), (Values{4, 9}));
  }
  EXPECT_FALSE(x.requires_grad());
  Tape tape;  // it counts for one tape only
  const Gradients g = tape.gradients(sum(x * w));
  EXPECT_EQ(g.size(), 1u);
  EXPECT_FALSE(g.contains(x));
}

TEST(Watch, BeforeUse) {
  const Tensor x = d({2, 3});
  Tape tape;
  const Tensor early = x * x;
  tape.watch(x);
  EXPECT_EQ(values(tape.gradients(sum(early + x * 5))[x]), (Values{5, 5}));
}

TEST(Watch, AParameterIsOneAnyway) {
  const Tensor w = p({2, 3});
  Tape tape;
  tape.watch(w);
  const Gradients g = tape.gradients(sum(w * w));
  EXPECT_EQ(g.size(), 1u);
  EXPECT_EQ(values(g[w]), (Values{4, 6}));
}

TEST(Watch, AnIntermediateKeepsItsGradientWhichFlowsOn) {
  const Tensor w = p({2, 3});
  Tape tape;
  const Tensor y = w * w;
  tape.watch(y);
  tape.watch(y);
  const Tensor loss = sum(y * y + y);
  for (const bool keep : {true, false}) {
    const Gradients g = tape.gradients(loss, {.keep = keep});
    EXPECT_EQ(g.size(), 2u);
    EXPECT_EQ(values(g[y]), (Values{9, 19}));
    EXPECT_EQ(values(g[w]), (Values{36, 114}));
  }
}

TEST(Watch, AnIntermediateWhoseGradientGoesOnUnchanged) {
  const Tensor w = p({2, 3});
  Tape tape;
  const Tensor y = w + 1;  // dw is dy itself
  tape.watch(y);
  const Gradients g = tape.gradients(sum(y * 3 + w));
  EXPECT_EQ(values(g[y]), (Values{3, 3}));
  EXPECT_EQ(values(g[w]), (Values{4, 4}));
  EXPECT_NE(g[y].data<double>(), g[w].data<double>());
}

TEST(Watch, TheLossItself) {
  const Tensor w = p({2, 3});
  Tape tape;
  const Tensor loss = sum(w * w);
  tape.watch(loss);
  const Gradients g = tape.gradients(loss);
  EXPECT_EQ(g[loss].item(), 1);
  EXPECT_EQ(values(g[w]), (Values{4, 6}));
  const Tensor x = d(3);
  Tape other;
  other.watch(x);
  EXPECT_EQ(other.gradient(x, x).item(), 1);
}

TEST(Watch, AViewIsATensorOfItsOwn) {
  const Tensor x = d({2, 3, 4}), part = x.rows(1, 3);
  Tape tape;
  tape.watch(part);
  const Gradients g = tape.gradients(sum(part * part + x.rows(0, 1)));
  EXPECT_EQ(g.size(), 1u);
  EXPECT_EQ(values(g[part]), (Values{6, 8}));
  EXPECT_FALSE(g.contains(x));
}

TEST(Watch, ATensorOfAnOuterTapeOnTheInnerOne) {
  const Tensor w = p({2, 3});
  Tape outer;
  const Tensor y = w * w;
  {
    Tape inner;
    inner.watch(y);
    const Gradients g = inner.gradients(sum(y * y));
    EXPECT_EQ(g.size(), 1u);
    EXPECT_EQ(values(g[y]), (Values{8, 18}));
  }
  EXPECT_EQ(values(outer.gradients(sum(y * 5))[w]), (Values{20, 30}));
}

TEST(Watch, ATensorOfAnEndedTape) {
  const Tensor w = p({2, 3});
  const Tensor y = [&] {
    Tape tape;
    return w * w;
  }();
  Tape tape;
  tape.watch(y);
  EXPECT_EQ(values(tape.gradients(sum(y * y))[y]), (Values{8, 18}));
}

TEST(Watch, RefusesWhatCarriesNoGradient) {
  Tape tape;
  EXPECT_EQ(thrown([&] { tape.watch(zeros({3}, DType::i64)); }), "ValueError: [watch] only f32 and f64 carry gradients: i64 [3]");
  EXPECT_EQ(thrown([&] { tape.watch(zeros({}, DType::boolean)); }), "ValueError: [watch] only f32 and f64 carry gradients: boolean []");
  EXPECT_EQ(thrown([&] { tape.watch(Tensor()); }),
            "ValueError: [tensor] the tensor is undefined: it was default-constructed or moved from");
}

TEST(Watch, GradientOfOneTensorKeepsTheRecording) {
  const Tensor w = p({2, 3}), x = d({5, 7});
  Tape tape;
  tape.watch(x);
  const Tensor y = w * x, loss = sum(y * y);
  EXPECT_EQ(values(tape.gradient(loss, y)), (Values{20, 42}));  // an intermediate needs no watch
  EXPECT_EQ(values(tape.gradient(loss, w)), (Values{100, 294}));
  EXPECT_EQ(values(tape.gradient(loss, x)), (Values{40, 126}));
  EXPECT_EQ(values(tape.gradient(sum(y), w)), (Values{5, 7}));
  EXPECT_EQ(values(tape.gradients(loss)[w]), (Values{100, 294}));
}

TEST(Watch, GradientOfWhatIsNotThere) {
  const Tensor w = p({2, 3}), other = p({1}), x = d({5, 7});
  Tape tape;
  const Tensor y = w * x, loss = sum(y), later = y * 2;
  EXPECT_EQ(thrown([&] { (void)tape.gradient(loss, x); }),
            "ValueError: [gradients] this tape does not know the tensor: f64 [2] (no recorded operation took it, nor did watch())");
  EXPECT_EQ(values(tape.gradient(loss, w)), (Values{5, 7}));
  EXPECT_EQ(thrown([&] { (void)tape.gradients(loss, {.keep = true})[x]; }),
            "ValueError: [gradients] there is no gradient for this tensor: f64 [2] (it is no parameter: a view, a clone or a result; see "
            "set_requires_grad() and watch())");
  EXPECT_EQ(thrown([&] { (void)tape.gradient(loss, other); }),  // never seen, so that 0 might be a slip
            "ValueError: [gradients] this tape does not know the tensor: f64 [1] (no recorded operation took it, nor did watch())");
  tape.watch(other);
  EXPECT_EQ(values(tape.gradient(loss, other)), (Values{0}));
  EXPECT_EQ(values(tape.gradient(loss, later)), (Values{0, 0}));
  EXPECT_EQ(values(tape.gradient(d(3), w)), (Values{0, 0}));
  EXPECT_EQ(values(tape.gradient(sum(y.detach()), later)), (Values{0, 0}));
  EXPECT_EQ(thrown([&] { (void)tape.gradient(y, w); }),
            "ShapeError: [gradients] the loss must have one element: [2] (take its sum() or mean())");
  EXPECT_EQ(values(tape.gradient(loss, w)), (Values{5, 7}));
}

// Newton's method: a Hessian-free use of tapes that nest.
TEST(Watch, GradientsOnNestedTapesOfTheSameFunction) {
  const Tensor x = d(3);
  const auto f = [](const Tensor& t) { return t * t * t; };
  Tape outer;
  outer.watch(x);
  const Tensor y = f(x);
  double inner_slope = 0;
  {
    Tape inner;
    inner.watch(x);
    inner_slope = inner.gradient(f(x), x).item();
  }
  EXPECT_EQ(inner_slope, 27);
  EXPECT_EQ(outer.gradient(y * inner_slope, x).item(), 27 * 27);
}

// Rules write into the gradient that they are given, when nobody else holds it.
TEST(Watch, WhatWasKeptOfAGradientStays) {
  const Tensor x = p({{1, -2}, {3, 4}}), c = d({{5, 6}, {7, 8}});
  using Operation = Tensor (*)(const Tensor&);
  const Operation operations[] = {[](const Tensor& t) { return -t; },
                                  [](const Tensor& t) { return t * 2; },
                                  [](const Tensor& t) { return t / 2; },
                                  [](const Tensor& t) { return t + 2; },
                                  [](const Tensor& t) { return 2 - t; },
                                  [](const Tensor& t) { return t + t; },
                                  [](const Tensor& t) {
                                    return t - d({1, 2});
                                  },
                                  [](const Tensor& t) { return t * t; },
                                  [](const Tensor& t) { return square(t); },
                                  [](const Tensor& t) { return abs(t); },
                                  [](const Tensor& t) { return tanh(t); },
                                  [](const Tensor& t) { return sigmoid(t); },
                                  [](const Tensor& t) { return relu(t); },
                                  [](const Tensor& t) { return sqrt(square(t)); },
                                  [](const Tensor& t) {
                                    return linear_relu(t, d({{1, 2}, {3, 4}}), d({0, 0}));
                                  }};
  for (const Operation f : operations) {
    const Gradients plain = [&] {
      Tape tape;
      return tape.gradients(sum(f(f(x)) * c));
    }();
    for (const TapeOptions& options : {TapeOptions{}, TapeOptions{.check_finite = true}, TapeOptions{.profile = true}}) {
      Tape tape(options);
      const Tensor y = f(x), z = f(y);
      tape.watch(z);
      tape.watch(y);
      Tensor held;
      tape.hook(z, [&](const Tensor& g) { held = g; });
      const Tensor loss = sum(z * c);
      for (int i = 0; i < 2; ++i) {
        const Gradients g = tape.gradients(loss, {.keep = i == 0});
        EXPECT_EQ(values(g[z]), values(c));
        EXPECT_EQ(values(held), values(c));
        EXPECT_EQ(values(g[x]), values(plain[x]));
      }
    }
  }
}
