// Changes in place: refused under a tape, seen by the version, harmless where nothing was saved.
#include "support.h"

using namespace capstan;

namespace {

std::string input_changed(const char* op, const char* shape, int before, int after) {
  return std::string("ValueError: [") + op + "] a tensor that the gradient needs was changed in place: " + shape + ", version " +
         std::to_string(before) + " when recorded, now " + std::to_string(after) + " (change a clone(), or call gradients() first)";
}

std::string result_changed(const char* op, const char* shape, int before, int after) {
  return std::string("ValueError: [") + op + "] the result, which the gradient needs, was changed in place: " + shape + ", version " +
         std::to_string(before) + " when recorded, now " + std::to_string(after) + " (change a clone())";
}

}  // namespace

TEST(Version, AChangeOfASavedInputIsCaught) {
  Tensor w = p({1, 2}), c = d({3, 4});
  c += 1.0;  // version 1
  Tape tape;
  const Tensor loss = sum(w * c);
  c *= 2.0;
  c.assign(d({0, 0}));
  EXPECT_EQ(thrown([&] { (void)tape.gradients(loss); }), input_changed("*", "[2]", 1, 3));
  Tape next;
  EXPECT_EQ(values(next.gradients(sum(w * (c + 1)))[w]), (Values{1, 1}));
}

TEST(Version, AChangeOfAParameterUnderNoGradIsCaught) {
  Tensor w = p({{1, 2}});
  Tape tape;
  const Tensor loss = sum(matmul(w, w, {.transpose_b = true}));
  {
    const NoGrad pause;
    w -= 1.0;
  }
  EXPECT_EQ(thrown([&] { (void)tape.gradients(loss); }), input_changed("matmul", "[1, 2]", 0, 1));
}

TEST(Version, AChangeThroughAViewIsCaught) {
  const Tensor w = p({1, 2}), x = d({{3, 4}, {5, 6}});
  Tensor first = x.rows(0, 1);
  Tape tape;
  const Tensor loss = sum(w * x.rows(1, 2));
  first += 1.0;  // another part of the same memory: the owner's version counts
  EXPECT_EQ(thrown([&] { (void)tape.gradients(loss); }), input_changed("*", "[1, 2]", 0, 1));
}

TEST(Version, AChangeOfLabelsIsCaught) {
  const Tensor w = p({{1, 2}});
  Tensor labels = tensor({0}, DType::i64);
  Tape tape;
  const Tensor loss = cross_entropy(w, labels);
  labels += 1.0;
  EXPECT_EQ(thrown([&] { (void)tape.gradients(loss); }), input_changed("cross_entropy", "[1]", 0, 1));
}

TEST(Version, AChangeOfASavedResultIsCaught) {
  const Tensor w = p({1, 2});
  Tape tape;
  Tensor y = exp(w);
  const Tensor loss = sum(y + w);
  {
    const NoGrad pause;
    y += 1.0;
  }
  EXPECT_EQ(thrown([&] { (void)tape.gradients(loss); }), result_changed("exp", "[2]", 0, 1));
}

TEST(Version, AChangeOfWhatWasNotSavedIsHarmless) {
  Tensor w = p({1, 2}), c = d({3, 4});
  Tape tape;
  Tensor y = w + c;
  const Tensor loss = sum(-y);
  c *= 2.0;
  {
    const NoGrad pause;
    w += 5.0;
    y += 5.0;
  }
  EXPECT_EQ(values(tape.gradients(loss)[w]), (Values{-1, -1}));
}

TEST(Version, AChangeAfterGradientsIsHarmless) {
  Tensor w = p({1, 2});
  for (int step = 0; step < 3; ++step) {
    Tape tape;
    const Gradients g = tape.gradients(sum(w * w));
    const NoGrad pause;
    w -= g[w] * 0.25;
  }
  EXPECT_EQ(values(w), (Values{0.125, 0.25}));
  EXPECT_EQ(w.version(), 3u);
}

TEST(Version, OnlyWhatAGradientNeedsIsKept) {
  const auto added = [](Tensor t) {
    const NoGrad pause;
    t += 1.0;
  };
  // The other side is a constant, whose gradient nobody asks for: a parameter may change, the constant may not.
  using Product = Tensor (*)(const Tensor& x, const Tensor& w);
  struct Case {
    const char* op;
    Product product;
    Tensor x, w;
    Values gradient;
  };
  const Case cases[] = {
      {"*", [](const Tensor& x, const Tensor& w) { return x * w; }, d({2, 3}), p({5, 7}), {2, 3}},
      {"*", [](const Tensor& x, const Tensor& w) { return w * x; }, d({2, 3}), p({5, 7}), {2, 3}},
      {"matmul", [](const Tensor& x, const Tensor& w) { return matmul(x, w); }, d({{2, 3}}), p({{5}, {7}}), {2, 3}},
      {"matmul", [](const Tensor& x, const Tensor& w) { return matmul(w, x); }, d({{2}, {3}}), p({{5, 7}}), {2, 3}},
      {"linear", [](const Tensor& x, const Tensor& w) { return linear(x, w); }, d({{2, 3}}), p({{5, 7}}), {2, 3}},
      {"linear_relu", [](const Tensor& x, const Tensor& w) { return linear_relu(x, w, d({1})); }, d({{2, 3}}), p({{5, 7}}), {2, 3}},
  };
  for (const Case& c : cases) {
    {
      Tape tape;
      const Tensor loss = sum(c.product(c.x, c.w));
      added(c.w);
      EXPECT_EQ(values(tape.gradients(loss)[c.w]), c.gradient) << c.op;
    }
    {
      Tape tape({.higher_order = true});
      EXPECT_EQ(values(tape.gradients(sum(c.product(c.x, c.w)))[c.w]), c.gradient) << c.op;
    }
    Tape tape;
    const Tensor loss = sum(c.product(c.x, c.w));
    added(c.x);
    const std::string text = thrown([&] { (void)tape.gradients(loss); });
    EXPECT_TRUE(text.starts_with(std::string("ValueError: [") + c.op + "] a tensor that the gradient needs was changed")) << text;
  }
}

TEST(Version, SavedOutsideARule) {
  Tensor x = d({1, 2});
  const Saved without = saved(x);  // no tape: nothing is kept
  EXPECT_FALSE(without.get().defined());
  Tape tape;
  const Saved kept = saved(x);
  EXPECT_EQ(values(kept.get()), (Values{1, 2}));
  x += 1.0;
  EXPECT_EQ(thrown([&] { (void)kept.get(); }), input_changed("saved", "[2]", 0, 1));
}

TEST(InPlace, OnAWantingTensorUnderATapeNeedsNoGrad) {
  Tensor w = p({1, 2});
  const auto text = [](const char* op) {
    return std::string("ValueError: [") + op +
           "] a tensor that wants a gradient cannot be changed while a tape runs: [2] (open a NoGrad scope)";
  };
  w += 1.0;  // no tape runs
  Tape tape;
  EXPECT_EQ(thrown([&] { w += 1.0; }), text("+="));
  EXPECT_EQ(thrown([&] { w -= 1.0; }), text("-="));
  EXPECT_EQ(thrown([&] { w *= 2.0; }), text("*="));
  EXPECT_EQ(thrown([&] { w += d({1, 1}); }), text("+="));
  EXPECT_EQ(thrown([&] { w -= d({1, 1}); }), text("-="));
  EXPECT_EQ(thrown([&] { w *= d({1, 1}); }), text("*="));
  EXPECT_EQ(thrown([&] { w.assign(d({1, 1})); }), text("assign"));
  Tensor view = w.detach();
  EXPECT_EQ(thrown([&] { view += 1.0; }), text("+="));
  Tensor y = w * 2;
  EXPECT_EQ(thrown([&] { y += 1.0; }), text("+="));
  EXPECT_EQ(values(w), (Values{2, 3}));
  EXPECT_EQ(w.version(), 1u);
  {
    const NoGrad pause;
    w += 1.0;
    y += 1.0;
  }
  EXPECT_EQ(values(w), (Values{3, 4}));
  EXPECT_EQ(values(y), (Values{5, 7}));
  Tensor constant = d({1, 2});
  constant += 1.0;  // nobody wants its gradient
  EXPECT_EQ(values(constant), (Values{2, 3}));
}

TEST(InPlace, KeepsTheIdentity) {
  Tensor w = p({1, 2});
  Tape tape;
  const Gradients g = tape.gradients(sum(w * 3));
  const double* before = w.data<double>();
  {
    const NoGrad pause;
    w.assign(d({7, 8}));
    w *= 2.0;
  }
  EXPECT_TRUE(w.requires_grad());
  EXPECT_EQ(w.data<double>(), before);
  EXPECT_EQ(values(g[w]), (Values{3, 3}));
}

TEST(Leaf, WhatCannotBeAParameter) {
  EXPECT_EQ(thrown([] { (void)parameter(zeros({2}, DType::i64)); }),
            "ValueError: [set_requires_grad] only f32 and f64 carry gradients: i64 [2]");
  EXPECT_EQ(thrown([] { (void)parameter(zeros({}, DType::boolean)); }),
            "ValueError: [set_requires_grad] only f32 and f64 carry gradients: boolean []");
  const Tensor x = zeros({4, 2});
  EXPECT_EQ(thrown([&] { (void)parameter(x.rows(1, 3)); }),
            "ValueError: [set_requires_grad] a view cannot be a parameter: [2, 2] (take a clone())");
  EXPECT_EQ(thrown([&] { (void)parameter(x.reshape({8})); }),
            "ValueError: [set_requires_grad] a view cannot be a parameter: [8] (take a clone())");
  EXPECT_EQ(thrown([&] { (void)parameter(x.detach()); }),
            "ValueError: [set_requires_grad] a view cannot be a parameter: [4, 2] (take a clone())");
  const Tensor w = p({1, 2});
  Tape tape;
  const Gradients g = tape.gradients(sum(w * w));
  EXPECT_EQ(thrown([&] { (void)parameter(g[w]); }),
            "ValueError: [set_requires_grad] a gradient cannot be a parameter: [2] (take a clone())");
  EXPECT_TRUE(parameter(g[w].clone()).requires_grad());
  Tensor view = x.rows(1, 3);
  view.set_requires_grad(false);  // says nothing
}

// It would be cut off from what it was computed of.
TEST(Leaf, AResultCannotBeAParameterWhileItsTapeRuns) {
  const Tensor w = p({1, 2});
  Tensor y;
  {
    Tape tape;
    y = w * 3;
    const char* const text =
        "ValueError: [set_requires_grad] a result of a running tape cannot be a parameter: [2] (watch() it, or take a clone() of its "
        "detach())";
    EXPECT_EQ(thrown([&] { parameter(y); }), text);
    EXPECT_EQ(values(tape.gradients(sum(y * y))[w]), (Values{18, 36}));
  }
  parameter(y);  // afterwards it may be
  Tape tape;
  EXPECT_EQ(values(tape.gradients(sum(y * y))[y]), (Values{6, 12}));
}
