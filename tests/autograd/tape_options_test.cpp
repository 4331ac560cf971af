// Hooks, chosen gradients, several losses; check_finite, profile, to_dot.
#include "ops_table.h"

#include <capstan/autograd/profile.h>

using namespace capstan;

TEST(Hook, SeesOrReplacesTheGradient) {
  const Tensor w = parameter(d({1, 2})), v = parameter(d({3, 4}));
  Tape tape;
  const Tensor y = w * v;
  Tensor seen;
  tape.hook(w, [&](const Tensor& g) { seen = g; });
  tape.hook(w, [](const Tensor& g) { return g * 10; });
  tape.hook(w, [](const Tensor& g) { return g + 1; });
  tape.hook(y, [](const Tensor& dy) { return dy * 2; });
  const Gradients g = tape.gradients(sum(y + w));
  EXPECT_TRUE(near(seen, d({7, 9}), 0));
  EXPECT_TRUE(near(g[w], d({71, 91}), 0));
  EXPECT_TRUE(near(g[v], d({2, 4}), 0));
}

TEST(Hook, CannotChangeWhatAnotherReturned) {
  const Tensor w = parameter(d({1, 2})), mine = d({5, 5});
  for (const Tensor& returned : {mine, w}) {
    Tape tape;
    const Tensor y = w * 3;
    tape.hook(y, [&](const Tensor&) { return returned; });
    tape.hook(y, [](Tensor g) { g *= 5.0; });
    EXPECT_NE(thrown([&] { (void)tape.gradients(sum(y)); }).find("a gradient is read-only"), std::string::npos);
  }
  EXPECT_EQ(values(mine), (Values{5, 5}));
  EXPECT_EQ(values(w), (Values{1, 2}));
  Tensor own = mine;
  own *= 2.0;  // the user's stays the user's
  EXPECT_EQ(values(mine), (Values{10, 10}));
}

TEST(Hook, IsCalledAtEachGradientsAndNotWithoutOne) {
  const Tensor w = parameter(d({1, 2})), v = parameter(d({3, 4}));
  Tape tape;
  int calls = 0, others = 0;
  const Tensor loss = sum(w * w);
  tape.hook(w, [&](const Tensor&) { ++calls; });
  tape.hook(v, [&](const Tensor&) { ++others; });
  (void)tape.gradients(loss, {.keep = true});
  (void)tape.gradients(loss);
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(others, 0);
}

TEST(Hook, IsRecordedOnATapeOfHigherOrder) {
  const Tensor w = parameter(d({1, 2}));
  Tape tape({.higher_order = true});
  const Tensor loss = sum(w * w * w);
  tape.hook(w, [](const Tensor& g) { return g * g; });
  const Tensor g = tape.gradient(loss, w);  // 9 w^4
  EXPECT_TRUE(near(g, d({9, 144}), 1e-14));
  EXPECT_TRUE(near(tape.gradient(sum(g), w), square(d({36, 288})), 1e-12));  // the hook again
}

TEST(Hook, WhatItRefuses) {
  const Tensor w = parameter(d({1, 2})), constant = d({1, 2});
  const auto with = [&](auto f) {
    Tape tape;
    const Tensor y = w * w;
    tape.hook(w, f);
    return thrown([&] { (void)tape.gradients(sum(y)); });
  };
  EXPECT_EQ(with([](const Tensor& g) { return sum(g); }),
            "ShapeError: [hook] what takes the gradient's place must have its shape: [] for [2], parameter");
  EXPECT_EQ(with([](const Tensor& g) { return g.to(DType::f32); }),
            "ValueError: [hook] what takes the gradient's place must have its dtype: f32 for f64, parameter");
  Tape tape;
  EXPECT_EQ(thrown([&] { tape.hook(constant, [](const Tensor&) {}); }),
            "ValueError: [hook] the tensor must want a gradient on this tape: f64 [2] (see set_requires_grad() and watch())");
  (void)tape.gradients(sum(w * w));
  EXPECT_EQ(thrown([&] { tape.hook(w, [](const Tensor&) {}); }),
            "ValueError: [hook] the tape's recording is spent: begin a new Tape for the next step");
  std::string text;
  std::thread([&] { text = thrown([&] { tape.hook(w, [](const Tensor&) {}); }); }).join();
  EXPECT_EQ(text, "ValueError: [hook] a tape must be used on the thread that began it");
}

TEST(Chosen, SkipsTheRest) {
  const Tensor a = parameter(d({1, 2})), b = parameter(d({3, 4})), c = parameter(d({5, 6}));
  int ran = 0;
  const auto counted = [&ran](const Tensor& x) {
    return record("counted", x.clone(), {x}, [&ran](const Tensor& dy, Inputs& dx) {
      ++ran;
      dx.add(0, dy);
    });
  };
  Tape tape;
  const Tensor p = counted(a), q = counted(b), r = p * q, loss = sum(r * c);
  const Gradients g = tape.gradients(loss, {.keep = true, .inputs = {b, c}});
  EXPECT_EQ(ran, 1);
  EXPECT_EQ(g.size(), 2u);
  EXPECT_TRUE(near(g[b], d({5, 12}), 0));
  EXPECT_TRUE(near(g[c], d({3, 8}), 0));
  const Gradients result = tape.gradients(loss, {.keep = true, .inputs = {r}});
  EXPECT_EQ(ran, 1);
  EXPECT_EQ(result.size(), 1u);
  EXPECT_TRUE(near(result[r], d({5, 6}), 0));
  const Gradients all = tape.gradients(loss);  // nothing stays cut
  EXPECT_EQ(ran, 3);
  EXPECT_EQ(all.size(), 3u);  // and r is no leaf for ever
  EXPECT_TRUE(near(all[a], d({15, 24}), 0));
}

TEST(Chosen, ALookAtAResultChangesNothing) {
  const Tensor w = parameter(d({3, 4})), constant = d({1, 2});
  Tape tape;
  const Tensor h = w * 2.0, k = w * 3.0, y = sum(h * h) + sum(k);
  tape.watch(k);
  EXPECT_TRUE(near(tape.gradient(y, h), d({12, 16}), 0));
  EXPECT_EQ(thrown([&] {
              (void)tape.gradients(y, {.keep = true, .inputs = {h, constant}});
            }),
            "ValueError: [gradients] input 1 is a constant to this tape: f64 [2] (see set_requires_grad() and watch())");
  EXPECT_TRUE(near(tape.gradient(y, k), d({1, 1}), 0));
  const Gradients g = tape.gradients(y);
  EXPECT_EQ(g.size(), 2u);
  EXPECT_FALSE(g.contains(h));
  EXPECT_TRUE(g.contains(k));
}

TEST(Chosen, WhatTheLossDoesNotDependOnIsLeftOut) {
  const Tensor a = parameter(d({1, 2})), b = parameter(d({3, 4})), constant = d({1, 2});
  Tape tape;
  const Tensor loss = sum(a * a);
  const Gradients g = tape.gradients(loss, {.keep = true, .inputs = {a, b}});
  EXPECT_TRUE(g.contains(a));
  EXPECT_FALSE(g.contains(b));
  EXPECT_EQ(tape.gradients(loss, {.keep = true, .inputs = {b}}).size(), 0u);
  EXPECT_EQ(thrown([&] {
              (void)tape.gradients(loss, {.keep = true, .inputs = {a, constant}});
            }),
            "ValueError: [gradients] input 1 is a constant to this tape: f64 [2] (see set_requires_grad() and watch())");
  EXPECT_TRUE(near(tape.gradients(loss, {.inputs = {a}})[a], d({2, 4}), 0));
  EXPECT_EQ(thrown([&] { (void)tape.gradients(loss, {.inputs = {a}}); }),
            "ValueError: [gradients] the recording is spent: gradients() was called before (keep it with gradients(loss, {.keep = true}))");
}

TEST(SeveralLosses, OnOneTape) {
  const Tensor w = parameter(d({1, 2}));
  Tape tape;
  const Tensor h = square(w), first = sum(h), second = sum(h * w);
  Gradients g = tape.gradients(first, {.keep = true});
  g += tape.gradients(second);
  EXPECT_TRUE(near(g[w], d({5, 16}), 0));
  EXPECT_EQ(g.loss(), 5 + 9);
}

namespace {
[[maybe_unused]] constexpr int line_of_bad = __LINE__ + 1;
Tensor bad_line(const Tensor& x) { return log(x); }
[[maybe_unused]] constexpr int line_of_steep = __LINE__ + 1;
Tensor steep_line(const Tensor& x) { return sqrt(x); }
}  // namespace

TEST(CheckFinite, NamesTheOperationItsInputsAndTheLine) {
  const Tensor x = parameter(d({1, -2, 3}));
  Tape tape({.check_finite = true});
  const std::string text = thrown([&] { (void)bad_line(x - 1); });
  EXPECT_EQ(text.rfind("NotFiniteError: [log] the result must be finite: -inf at element 0 of [3], of f64 [3] in [-3, 2]", 0), 0u) << text;
#ifdef CAPSTAN_TEST_LINES
  EXPECT_NE(text.find(" (called in (anonymous namespace)::bad_line(), tape_options_test.cpp:" + std::to_string(line_of_bad) + ")"),
            std::string::npos)
      << text;
#endif
  EXPECT_TRUE(near(tape.gradient(sum(x * x), x), d({2, -4, 6}), 0));  // the tape goes on
}

TEST(CheckFinite, GoingBackwards) {
  const Tensor x = parameter(d({0, 4}));
  Tape tape({.check_finite = true});
  const Tensor loss = sum(steep_line(x));
  const std::string text = thrown([&] { (void)tape.gradients(loss); });
  EXPECT_EQ(text.rfind("NotFiniteError: [sqrt] the gradient for input 0 must be finite: inf at element 0 of [2], of f64 [2] in [1, 1]", 0),
            0u)
      << text;
#ifdef CAPSTAN_TEST_LINES
  EXPECT_NE(text.find(" (called in (anonymous namespace)::steep_line(), tape_options_test.cpp:" + std::to_string(line_of_steep) + ")"),
            std::string::npos)
      << text;
#endif
}

TEST(CheckFinite, WhatComesInBadIsNobodysFault) {
  const Tensor x = parameter(d({1, 2})), data = d({std::nan(""), 1});
  Tape tape({.check_finite = true});
  const Tensor y = x * data;
  EXPECT_EQ(tape.size(), 1u);
  Tape plain;
  EXPECT_TRUE(std::isinf(log(zeros({}, DType::f64)).item()));
}

TEST(Profile, CountsAndMeasures) {
  const Tensor w = parameter(numbers({30, 20}));
  Tape tape({.profile = true});
  const Tensor x = numbers({10, 20}), loss = mean(square(linear(tanh(linear(x, w)), transpose(w))));
  (void)tape.gradients(loss);
  const std::vector<OperationProfile> rows = tape.profile();
  ASSERT_EQ(rows.size(), 5u);
  double total = 0;
  for (const OperationProfile& row : rows) {
    EXPECT_EQ(row.count, row.op == "linear" ? 2 : 1) << row.op;
    EXPECT_GT(row.forward, 0) << row.op;
    EXPECT_GT(row.backward, 0) << row.op;
    if (row.op == "linear") {
      EXPECT_EQ(row.bytes, (10 * 30 + 10 * 20) * 8);
    }
    total += row.forward + row.backward;
  }
  EXPECT_LT(total, 10);
  const std::string table = to_string(rows);
  EXPECT_EQ(table.rfind("operation             count       forward      backward  share        bytes\n", 0), 0u);
  EXPECT_NE(table.find("\nlinear                    2 "), std::string::npos) << table;
  EXPECT_NE(table.find(" 3.9 KiB\n"), std::string::npos) << table;
  Tape plain;
  EXPECT_EQ(thrown([&] { (void)plain.profile(); }),
            "ValueError: [profile] this tape measures nothing (begin it with Tape({.profile = true}))");
}

TEST(ToDot, TheWholeGraph) {
  const Tensor w = parameter(d({{1, 2}, {3, 4}})), b = parameter(d({1, 2}));
  Tape tape;
  const Tensor y = relu(linear(ones({3, 2}, DType::f64), w, b)), loss = sum(y + y);
  EXPECT_EQ(to_dot(tape, {{"0.weight", w}, {"quoted \"b\"", b}}), R"(digraph tape {
  rankdir=TB;
  node [fontname="Helvetica", fontsize=11];
  leaf0 [shape=box, style=filled, fillcolor="#e8eef7", label="0.weight\nf64 [2, 2]\n32 B"];
  leaf1 [shape=box, style=filled, fillcolor="#e8eef7", label="quoted \"b\"\nf64 [2]\n16 B"];
  op0 [shape=ellipse, label="linear\nf64 [3, 2]\n48 B"];
  leaf0 -> op0;
  leaf1 -> op0;
  op1 [shape=ellipse, label="relu\nf64 [3, 2]\n48 B"];
  op0 -> op1;
  op2 [shape=ellipse, label="+\nf64 [3, 2]\n48 B"];
  op1 -> op2;
  op1 -> op2;
  op3 [shape=ellipse, label="sum\nf64 []\n8 B"];
  op2 -> op3;
}
)");
  EXPECT_EQ(tape.size(), 4u);
  (void)tape.gradients(loss);
  Tape timed({.profile = true});
  (void)(w * w);
  EXPECT_NE(to_dot(timed).find(" us\"];"), std::string::npos) << to_dot(timed);
}
