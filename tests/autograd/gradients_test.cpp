// Gradients as a value: identity, memory, arithmetic.
#include <capstan/autograd/gradient_table.h>

#include <algorithm>
#include <limits>

#include "support.h"

using namespace capstan;

static_assert(!std::is_copy_constructible_v<Gradients> && !std::is_copy_assignable_v<Gradients>);
static_assert(std::is_nothrow_move_constructible_v<Gradients> && std::is_nothrow_move_assignable_v<Gradients>);

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();

/// The gradients of the sum of all w * c: c for each w.
Gradients of(const std::vector<Tensor>& ws, const std::vector<Tensor>& cs) {
  Tape tape;
  Tensor loss = sum(ws[0] * cs[0]);
  for (std::size_t i = 1; i < ws.size(); ++i) loss = loss + sum(ws[i] * cs[i]);
  return tape.gradients(loss);
}

const char* const unknown =
    "ValueError: [gradients] there is no gradient for this tensor: f64 [2] (it is no parameter: a view, a clone or a result; see "
    "set_requires_grad() and watch())";
const char* const independent = "ValueError: [gradients] there is no gradient for this tensor: f64 [2] (the loss did not depend on it)";

}  // namespace

TEST(Gradients, AreFoundByIdentity) {
  Tensor w = p({1, 2});
  const Tensor other = p({1, 2});
  const Gradients g = of({w}, {d({3, 4})});
  EXPECT_EQ(g.size(), 1u);
  EXPECT_EQ(values(g[w]), (Values{3, 4}));
  EXPECT_EQ(g[w].dtype(), DType::f64);
  const Tensor handle = w;
  EXPECT_EQ(values(g[handle]), (Values{3, 4}));
  const Tensor moved = std::move(w);
  EXPECT_EQ(values(g[moved]), (Values{3, 4}));
  for (const Tensor& t : {moved.clone(), moved.detach(), moved.reshape({2}), moved.rows(0, 2), moved * 1}) {
    EXPECT_FALSE(g.contains(t));
    EXPECT_EQ(thrown([&] { (void)g[t]; }), unknown);
  }
  EXPECT_FALSE(g.contains(other));
  EXPECT_EQ(thrown([&] { (void)g[other]; }), independent);
  EXPECT_EQ(thrown([&] { (void)g[w]; }), "ValueError: [tensor] the tensor is undefined: it was default-constructed or moved from");
}

TEST(Gradients, OfAGoneTensorDoNotAnswerForALaterOne) {
  Gradients old;
  std::uint32_t leaf;
  {
    const Tensor w = p({1, 2});
    leaf = w.header()->leaf;
    old = of({w}, {d({3, 4})});
  }
  const Tensor w = p({1, 2});
  ASSERT_EQ(w.header()->leaf, leaf) << "the index was to be used again";
  EXPECT_FALSE(old.contains(w));
  EXPECT_EQ(thrown([&] { (void)old[w]; }), independent);
  // Added, both are there, and the living one is found.
  Gradients now = of({w}, {d({5, 6})});
  for (int order = 0; order < 2; ++order) {
    Gradients both = order == 0 ? old.clone() : now.clone();
    both += order == 0 ? now : old;
    EXPECT_EQ(both.size(), 2u);
    EXPECT_TRUE(both.contains(w));
    EXPECT_EQ(values(both[w]), (Values{5, 6}));
    both += now;
    EXPECT_EQ(values(both[w]), (Values{10, 12}));
  }
}

TEST(Gradients, OutliveTapeAndModel) {
  Gradients g;
  {
    const Tensor w = p({1, 2});
    g = of({w}, {d({3, 4})});
  }
  EXPECT_EQ(g.size(), 1u);
  EXPECT_EQ(global_norm(g), 5);
  g *= 2;
  EXPECT_EQ(global_norm(clip_norm(std::move(g), 1)), 1);
}

TEST(Gradients, AreReadOnly) {
  const Tensor w = p({1, 2});
  const Gradients g = of({w}, {d({3, 4})});
  const auto text = [](const char* op, const char* shape) {
    return std::string("ValueError: [") + op + "] a gradient is read-only: " + shape + " (change a clone(), or scale all with g *= s)";
  };
  Tensor grad = g[w], part = grad.rows(0, 1), shaped = grad.reshape({2, 1}), bare = grad.detach();
  EXPECT_EQ(thrown([&] { grad += 1.0; }), text("+=", "[2]"));
  EXPECT_EQ(thrown([&] { grad -= d({1, 1}); }), text("-=", "[2]"));
  EXPECT_EQ(thrown([&] { grad *= 2.0; }), text("*=", "[2]"));
  EXPECT_EQ(thrown([&] { grad.assign(d({1, 1})); }), text("assign", "[2]"));
  EXPECT_EQ(thrown([&] { part += 1.0; }), text("+=", "[1]"));
  EXPECT_EQ(thrown([&] { shaped += 1.0; }), text("+=", "[2, 1]"));
  EXPECT_EQ(thrown([&] { bare += 1.0; }), text("+=", "[2]"));
  EXPECT_EQ(values(g[w]), (Values{3, 4}));
  Tensor copy = grad.clone();
  copy += 1.0;
  EXPECT_EQ(values(copy), (Values{4, 5}));
  EXPECT_EQ(values(g[w]), (Values{3, 4}));
}

TEST(Gradients, HaveTheirOwnMemory) {
  Tensor a = p({1, 2}), b = p({3, 4}), c = d({5, 6});
  Tape tape;
  const Tensor given =
      record("given", a.clone(), {a}, [c](const Tensor&, Inputs& dx) { dx.add(0, c); });  // a rule that gives the user's tensor
  const Gradients g = tape.gradients(sum((given + b) * 1 + c));
  EXPECT_NE(g[a].data<double>(), c.data<double>());
  EXPECT_NE(g[a].data<double>(), g[b].data<double>());
  c *= 0.0;
  EXPECT_EQ(values(g[a]), (Values{5, 6}));
  EXPECT_EQ(values(g[b]), (Values{1, 1}));
}

TEST(Gradients, OfASumDoNotShareMemory) {
  const Tensor a = p({1, 2}), b = p({3, 4}), e = p({{3, 4}});
  Tape tape;
  const Tensor loss = sum(a + b - e.reshape({2}));
  Gradients first = tape.gradients(loss, {.keep = true}), second = tape.gradients(loss);
  const double* all[] = {first[a].data<double>(),  first[b].data<double>(),  first[e].data<double>(),
                         second[a].data<double>(), second[b].data<double>(), second[e].data<double>()};
  for (const double* x : all) EXPECT_EQ(std::count(std::begin(all), std::end(all), x), 1);
  first *= 3;
  EXPECT_EQ(values(first[a]), (Values{3, 3}));
  EXPECT_EQ(values(first[e]), (Values{-3, -3}));
  EXPECT_EQ(values(second[b]), (Values{1, 1}));
}

TEST(Gradients, AHandleKeepsTheOldValues) {
  const Tensor w = p({1, 2});
  Gradients g = of({w}, {d({3, 4})});
  const Tensor before = g[w];
  g *= 2;
  EXPECT_EQ(values(before), (Values{3, 4}));
  EXPECT_EQ(values(g[w]), (Values{6, 8}));
  const Tensor doubled = g[w];
  g = clip_value(std::move(g), 7);
  EXPECT_EQ(values(doubled), (Values{6, 8}));
  EXPECT_EQ(values(g[w]), (Values{6, 7}));
  const Tensor clipped = g[w];
  g += of({w}, {d({1, 1})});
  EXPECT_EQ(values(clipped), (Values{6, 7}));
  EXPECT_EQ(values(g[w]), (Values{7, 8}));
  Tensor sum_of_both = g[w];
  EXPECT_EQ(thrown([&] { sum_of_both += 1.0; }),
            "ValueError: [+=] a gradient is read-only: [2] (change a clone(), or scale all with g *= s)");
}

TEST(Gradients, MoveAndClone) {
  const Tensor w = p({1, 2});
  Gradients g = of({w}, {d({3, 4})});
  Gradients copy = g.clone();
  EXPECT_NE(copy[w].data<double>(), g[w].data<double>());
  copy *= 2;
  EXPECT_EQ(values(g[w]), (Values{3, 4}));
  EXPECT_EQ(values(copy[w]), (Values{6, 8}));
  Gradients moved = std::move(g);
  EXPECT_EQ(values(moved[w]), (Values{3, 4}));
  EXPECT_EQ(g.size(), 0u);  // NOLINT(bugprone-use-after-move): it is empty
  EXPECT_FALSE(g.contains(w));
  EXPECT_EQ(thrown([&] { (void)g[w]; }), independent);
  g = std::move(copy);
  EXPECT_EQ(values(g[w]), (Values{6, 8}));
}

TEST(Gradients, ThatKnowNothing) {
  const Tensor w = p({1, 2});
  Gradients none;
  EXPECT_EQ(none.size(), 0u);
  EXPECT_EQ(none.loss(), 0);
  EXPECT_EQ(none.clone().size(), 0u);
  EXPECT_EQ(global_norm(none), 0);
  EXPECT_EQ((none *= 3).size(), 0u);
  EXPECT_EQ(clip_norm(Gradients(), 1).size(), 0u);
  EXPECT_EQ(clip_value(Gradients(), 1).size(), 0u);
  Gradients g = of({w}, {d({3, 4})});
  g += none;
  EXPECT_EQ(values(g[w]), (Values{3, 4}));
  none += g;
  EXPECT_EQ(values(none[w]), (Values{3, 4}));
  EXPECT_NE(none[w].data<double>(), g[w].data<double>());
}

TEST(Gradients, AddByTensor) {
  const Tensor a = p({1, 2}), b = p({3}), c = p({{5}});
  Gradients g = of({a, b}, {d({10, 20}), d({30})});
  const Gradients other = of({c, b}, {d({{7}}), d({1})});
  EXPECT_EQ(g.loss(), 1 * 10 + 2 * 20 + 3 * 30);
  EXPECT_EQ(other.loss(), 35 + 3);
  g += other;
  EXPECT_EQ(g.size(), 3u);
  EXPECT_EQ(g.loss(), 178);
  EXPECT_EQ(values(g[a]), (Values{10, 20}));
  EXPECT_EQ(values(g[b]), (Values{31}));
  EXPECT_EQ(values(g[c]), (Values{7}));
  EXPECT_EQ(values(other[b]), (Values{1}));
  EXPECT_NE(g[c].data<double>(), other[c].data<double>());
  g += g;
  EXPECT_EQ(values(g[b]), (Values{62}));
  EXPECT_EQ(values(g[c]), (Values{14}));
}

TEST(Gradients, OfDifferentDtypesOrShapesAreNotAdded) {
  const Tensor a = p({1, 2}), b = p({3, 4});
  Gradients g = of({a, b}, {d({10, 20}), d({30, 40})}), other = g.clone();
  // A model that is converted keeps the identity of its parameters.
  const auto replace = [&](Tensor t) { (other.table()->end() - 1)->gradient = std::move(t); };
  replace(tensor({1, 2}));
  EXPECT_EQ(thrown([&] { g += other; }), "ValueError: [gradients] dtypes must agree: f64 [2] and f32 [2] (convert one with to())");
  replace(d({1, 2, 3}));
  EXPECT_EQ(thrown([&] { g += other; }), "ShapeError: [gradients] shapes must agree: [2] and [3]");
  EXPECT_EQ(values(g[a]), (Values{10, 20}));
  EXPECT_EQ(values(g[b]), (Values{30, 40}));
  EXPECT_EQ(g.loss(), 10 + 40 + 90 + 160);
}

TEST(Gradients, AFactorMustBeFinite) {
  const Tensor w = p({1, 2});
  Gradients g = of({w}, {d({3, 4})});
  EXPECT_EQ(thrown([&] { g *= inf; }), "NotFiniteError: [gradients] the factor must be finite: inf");
  const Tensor single = parameter(tensor({1, 2}));
  Gradients both = of({w}, {d({3, 4})});
  both += of({single}, {tensor({0, 4})});
  EXPECT_EQ(
      thrown([&] { both *= 1e300; }),
      "ValueError: [gradients] the factor must fit f32, which a gradient has: 1e+300 would be inf (take f64, or a number that f32 holds)");
  EXPECT_EQ(values(both[w]), (Values{3, 4}));
  EXPECT_EQ(values(both[single]), (Values{0, 4}));
  EXPECT_EQ(thrown([&] { g *= -inf; }), "NotFiniteError: [gradients] the factor must be finite: -inf");
  EXPECT_EQ(thrown([&] { g *= std::nan(""); }), "NotFiniteError: [gradients] the factor must be finite: nan");
  EXPECT_EQ(values(g[w]), (Values{3, 4}));
  EXPECT_EQ(values((g *= -2)[w]), (Values{-6, -8}));
  EXPECT_EQ(values((g *= 0)[w]), (Values{0, 0}));
}
