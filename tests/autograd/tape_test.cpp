// What is recorded and when; keeping, spending, watching.
#include <optional>

#include "support.h"

using namespace capstan;

static_assert(!std::is_copy_constructible_v<Tape> && !std::is_move_constructible_v<Tape> && !std::is_copy_assignable_v<Tape>);
static_assert(!std::is_copy_constructible_v<NoGrad> && !std::is_move_constructible_v<NoGrad> && !std::is_copy_assignable_v<NoGrad>);

namespace {
constexpr const char* unreached =
    "ValueError: [gradients] no tensor that wants a gradient reaches the loss (was it computed under this tape, outside NoGrad, from "
    "parameters?)";
}  // namespace

TEST(Tape, RecordsOnlyWhatAWantingInputReaches) {
  const Tensor w = p({1, 2}), c = d({3, 4});
  const Tensor before = w * c;  // no tape: plain arithmetic
  Tape tape;
  const Tensor constant = c * c + 1;
  EXPECT_EQ(tape.size(), 0u);
  const Tensor y = w * constant;
  EXPECT_EQ(tape.size(), 1u);
  const Tensor z = c * y;
  EXPECT_EQ(tape.size(), 2u);
  EXPECT_EQ(thrown([&] { (void)tape.gradients(sum(before)); }), unreached);
  EXPECT_EQ(values(tape.gradients(sum(z))[w]), (Values{30, 68}));
}

TEST(Tape, WantingCanBeTurnedOff) {
  Tensor w = p({1, 2});
  EXPECT_TRUE(w.requires_grad());
  w.set_requires_grad(false);
  EXPECT_FALSE(w.requires_grad());
  Tape tape;
  const Tensor y = w * 2;
  EXPECT_EQ(tape.size(), 0u);
  w.set_requires_grad(true);
  EXPECT_EQ(values(tape.gradients(sum(w * 5))[w]), (Values{5, 5}));
}

TEST(Tape, AnInnerTapePausesTheOuterWhoseTensorsAreItsConstants) {
  const Tensor w = p({2, 3});
  Tape outer;
  const Tensor y = w * w;
  {
    Tape inner;
    const Tensor z = w * y;  // y is a constant here
    EXPECT_EQ(inner.size(), 1u);
    EXPECT_EQ(outer.size(), 1u);
    const Tensor constant = y * 2;
    EXPECT_EQ(inner.size(), 1u);
    EXPECT_EQ(values(inner.gradients(sum(z))[w]), (Values{4, 9}));
    {
      Tape third;
      EXPECT_EQ(values(third.gradients(sum(w * y * z.detach()))[w]), (Values{32, 243}));
    }
  }
  EXPECT_EQ(outer.size(), 1u);
  const Tensor loss = sum(y * w);  // the outer one goes on
  EXPECT_EQ(outer.size(), 3u);
  EXPECT_EQ(values(outer.gradients(loss)[w]), (Values{12, 27}));
}

TEST(Tape, OfTheOuterOneIsUsableWhileAnInnerOneRuns) {
  const Tensor w = p({2, 3});
  Tape outer;
  const Tensor loss = sum(w * w);
  Tape inner;
  const Tensor other = sum(w * 5);
  EXPECT_EQ(values(outer.gradients(loss)[w]), (Values{4, 6}));
  EXPECT_EQ(values(inner.gradients(other)[w]), (Values{5, 5}));
}

TEST(Tape, NoGradPausesRecording) {
  const Tensor w = p({2, 3});
  Tape tape;
  const Tensor y = w * 2;
  {
    const NoGrad pause;
    const Tensor z = y * w;
    EXPECT_EQ(tape.size(), 1u);
    {
      const NoGrad again;
      const Tensor q = y * w;
    }
    const Tensor q = y * w;
    EXPECT_EQ(tape.size(), 1u);
    Tape inner;  // records all the same
    EXPECT_EQ(values(inner.gradients(sum(w * 7))[w]), (Values{7, 7}));
  }
  EXPECT_EQ(values(tape.gradients(sum(y * 3))[w]), (Values{6, 6}));
}

TEST(Tape, NoGradEndsWithAnException) {
  const Tensor w = p({2, 3});
  Tape tape;
  try {
    const NoGrad pause;
    throw 1;
  } catch (int) {
  }
  EXPECT_EQ(values(tape.gradients(sum(w * 3))[w]), (Values{3, 3}));
}

TEST(Tape, GradientsUnderNoGradAndWhatTheyComputeIsNotRecorded) {
  const Tensor w = p({2, 3});
  Tape tape;
  const Tensor loss = sum(exp(w) * w);
  const std::size_t recorded = tape.size();
  const Gradients g = tape.gradients(loss, {.keep = true});
  EXPECT_EQ(tape.size(), recorded);
  const NoGrad pause;
  EXPECT_TRUE(same_bits(tape.gradients(loss)[w], g[w]));
}

TEST(Tape, ASecondCallNeedsKeep) {
  const Tensor w = p({2, 3});
  Tape tape;
  const Tensor y = w * w, loss = sum(y), other = sum(y * w);
  EXPECT_EQ(values(tape.gradients(loss, {.keep = true})[w]), (Values{4, 6}));
  EXPECT_EQ(values(tape.gradients(other, {.keep = true})[w]), (Values{12, 27}));
  EXPECT_EQ(values(tape.gradients(sum(w * other.item()), {.keep = true})[w]), (Values{35, 35}));  // recording goes on
  const Gradients last = tape.gradients(loss);
  EXPECT_EQ(values(last[w]), (Values{4, 6}));
  EXPECT_EQ(tape.size(), 0u);
  EXPECT_EQ(thrown([&] { (void)tape.gradients(loss); }),
            "ValueError: [gradients] the recording is spent: gradients() was called before (keep it with gradients(loss, {.keep = true}))");
  EXPECT_EQ(values(last[w]), (Values{4, 6}));
}

TEST(Tape, ASpentTapeRecordsNoMore) {
  const Tensor w = p({2, 3});
  Tape tape;
  const Tensor y = w * w;
  (void)tape.gradients(sum(y));
  EXPECT_EQ(values(w + 1), (Values{3, 4}));
  EXPECT_EQ(values(square(y)), (Values{16, 81}));
  EXPECT_EQ(values(w.rows(0, 1)), (Values{2}));
  EXPECT_EQ(norm(y).item(), std::sqrt(97.0));
  tape.watch(w);
  EXPECT_EQ(tape.size(), 0u);
}

namespace {
/// Whether what this thread computes now is recorded by `tape`.
bool records(const Tape& tape, const Tensor& w) {
  const std::size_t before = tape.size();
  (void)(w * 3);
  return tape.size() > before;
}
}  // namespace

TEST(SpentTape, LetsParametersBeChanged) {
  Tensor w = p({2, 3});
  Tape tape;
  const Tensor y = w * w;
  EXPECT_NE(thrown([&] { w += 1; }), "nothing");
  (void)tape.gradients(sum(y));
  w += 1;
  w *= w;
  EXPECT_EQ(values(w), (Values{9, 16}));
  Tensor result = y;
  result -= 1;  // it was this tape's
  EXPECT_EQ(values(result), (Values{3, 8}));
  result.set_requires_grad(true);
  EXPECT_NE(thrown([&] { (void)tape.gradients(sum(w)); }).find("the recording is spent"), std::string::npos);
  EXPECT_NE(thrown([&] { (void)tape.gradient(sum(w), w); }).find("the recording is spent"), std::string::npos);
  Tape next;
  EXPECT_EQ(values(next.gradients(sum(result * w))[result]), (Values{9, 16}));
}

TEST(SpentTape, TheOuterOneGoesOnWhenTheInnerOneEndsAndNotBefore) {
  const Tensor w = p({2, 3});
  Tape outer;
  const Tensor before = w * 2;
  {
    Tape inner;
    (void)inner.gradients(sum(w * w));
    EXPECT_FALSE(records(outer, w));
    {
      const NoGrad pause;
      EXPECT_FALSE(records(outer, w));
    }
    EXPECT_FALSE(records(outer, w));
    {
      Tape innermost;
      EXPECT_TRUE(records(innermost, w));
      (void)innermost.gradients(sum(w * w));
    }
    EXPECT_FALSE(records(outer, w));
  }
  EXPECT_TRUE(records(outer, w));
  EXPECT_EQ(values(outer.gradients(sum(before + w * 3))[w]), (Values{5, 5}));
}

// Asked for its gradients while it is paused, by NoGrad or by an inner tape, which goes on.
TEST(SpentTape, StaysSpentWhenWhatPausedItEnds) {
  for (const bool by_tape : {false, true}) {
    Tensor w = p({2, 3});
    Tape outer;
    const Tensor y = sum(w * w);
    {
      std::optional<NoGrad> pause;
      std::optional<Tape> inner;
      if (by_tape)
        inner.emplace();
      else
        pause.emplace();
      EXPECT_EQ(values(outer.gradients(y)[w]), (Values{4, 6}));
      if (by_tape) {
        EXPECT_TRUE(records(*inner, w));
        EXPECT_EQ(values(inner->gradients(sum(w * 2))[w]), (Values{2, 2}));
      }
    }
    EXPECT_FALSE(records(outer, w));
    w += 1;
    EXPECT_EQ(values(w), (Values{3, 4}));
  }
}

// A hook of one tape's gradients() may spend another.
TEST(SpentTape, ByAHook) {
  Tensor w = p({2, 3});
  Tape first;
  const Tensor y = w * w, loss = sum(y);
  first.hook(y, [&](const Tensor&) {});
  Tape second;
  const Tensor other = sum(w * 5);
  first.hook(w, [&](const Tensor&) { EXPECT_EQ(values(second.gradients(other)[w]), (Values{5, 5})); });
  EXPECT_EQ(values(first.gradients(loss)[w]), (Values{4, 6}));
  w += 1;  // both are spent
  EXPECT_EQ(values(w), (Values{3, 4}));
}

TEST(SpentTape, KeptItIsNot) {
  Tensor w = p({2, 3});
  Tape tape, higher({.higher_order = true});
  const Tensor loss = sum(w * w);
  (void)higher.gradients(loss);
  EXPECT_TRUE(records(higher, w));
  EXPECT_NE(thrown([&] { w += 1; }), "nothing");
}

TEST(Tape, TheLossHasOneElementOfAnyShape) {
  const Tensor w = p({2, 3});
  for (const Shape& shape : {Shape{}, Shape{1}, Shape{1, 1, 1}}) {
    Tape tape;
    const Gradients g = tape.gradients(sum(w * w).reshape(shape));
    EXPECT_EQ(values(g[w]), (Values{4, 6}));
    EXPECT_EQ(g.loss(), 13);
  }
  Tape tape;
  EXPECT_EQ(thrown([&] { (void)tape.gradients(w * w); }),
            "ShapeError: [gradients] the loss must have one element: [2] (take its sum() or mean())");
  EXPECT_EQ(thrown([&] { (void)tape.gradients(w.rows(0, 0)); }),
            "ShapeError: [gradients] the loss must have one element: [0] (take its sum() or mean())");
  EXPECT_EQ(thrown([&] { (void)tape.gradients(Tensor()); }),
            "ValueError: [tensor] the tensor is undefined: it was default-constructed or moved from");
  EXPECT_EQ(values(tape.gradients(sum(w))[w]), (Values{1, 1}));  // as before
}

TEST(Tape, ALossThatIsItselfAParameter) {
  const Tensor w = p(5);
  Tape tape;
  const Gradients g = tape.gradients(w);
  EXPECT_EQ(g[w].item(), 1);
  EXPECT_EQ(g.loss(), 5);
}

TEST(Tape, ALossThatNoParameterReaches) {
  const Tensor w = p({2, 3}), c = d({2, 3});
  Tape tape;
  EXPECT_EQ(thrown([&] { (void)tape.gradients(sum(c)); }), unreached);
  EXPECT_EQ(thrown([&] { (void)tape.gradients(sum((w * c).detach())); }), unreached);
  EXPECT_EQ(thrown([&] { (void)tape.gradients(sum(w.clone())); }), unreached);
  EXPECT_EQ(thrown([&] { (void)tape.gradients(argmax(w, 0)); }), unreached);
  const Tensor hidden = [&] {
    const NoGrad pause;
    return sum(w * c);
  }();
  EXPECT_EQ(thrown([&] { (void)tape.gradients(hidden); }), unreached);
  EXPECT_EQ(values(tape.gradients(sum(w * c))[w]), (Values{2, 3}));
}

TEST(Tape, UsedAgainAndAgainGradientsAddUp) {
  const Tensor w = p({2, 3});
  Tape tape;
  const Tensor y = w + w, z = y * y - y * w;  // 2 w^2
  const Tensor loss = sum(z + w.rows(0, 1) * 10 + w.reshape({2, 1}));
  // The sum is over [2, 2]: 2 w^2 and the column come twice, the first element times 10 four times.
  EXPECT_EQ(values(tape.gradients(loss)[w]), (Values{8 * 2 + 40 + 2, 8 * 3 + 2}));
}

TEST(Tape, BranchesThatDoNotReachTheLossCostNothing) {
  const Tensor w = p({2, 3}), v = p({1, 1});
  Tape tape;
  int runs = 0;
  const Tensor unused = record("counted", v.clone(), {v}, [&runs](const Tensor&, Inputs&) { ++runs; });
  const Gradients g = tape.gradients(sum(w * 2));
  EXPECT_EQ(runs, 0);
  EXPECT_EQ(g.size(), 1u);
  EXPECT_FALSE(g.contains(v));
  EXPECT_EQ(thrown([&] { (void)g[v]; }),
            "ValueError: [gradients] there is no gradient for this tensor: f64 [2] (the loss did not depend on it)");
}

TEST(Tape, NothingOfAStepIsLeftForTheNext) {
  const Tensor w = p({2, 3});
  for (int step = 0; step < 3; ++step) {
    Tape tape;
    EXPECT_EQ(tape.size(), 0u);
    const Tensor loss = sum(w * w);
    if (step == 1) continue;  // ends without gradients
    EXPECT_EQ(values(tape.gradients(loss)[w]), (Values{4, 6}));
  }
}

// A parameter may be gone before gradients(), and a new one then bears its index.
TEST(Tape, OutlivesAParameter) {
  Tape tape;
  Tensor loss;
  {
    const Tensor w = p({1, 2});
    loss = sum(w * 2);  // does not save w
  }
  const Tensor v = p({5, 6, 7});
  loss = loss + sum(v * d({1, 2, 3}));
  const Gradients g = tape.gradients(loss);
  EXPECT_EQ(g.size(), 2u);
  EXPECT_EQ(values(g[v]), (std::vector<double>{1, 2, 3}));
}

TEST(Tape, ReleasesWhatItSaved) {
  const Tensor w = p({2, 3});
  Tensor c = d({5, 7});
  const auto holders = [&] { return c.header()->refs; };
  {
    Tape tape;
    const Tensor loss = sum(w * c);
    EXPECT_EQ(holders(), 2);
    (void)tape.gradients(loss, {.keep = true});
    EXPECT_EQ(holders(), 2);
    (void)tape.gradients(loss);
    EXPECT_EQ(holders(), 1);
  }
  {
    Tape tape;
    const Tensor y = w * c;
    EXPECT_EQ(holders(), 2);
  }
  EXPECT_EQ(holders(), 1);
  {
    Tape tape;
    const Tensor loss = sum(w * w), later = loss * w * c;
    EXPECT_EQ(holders(), 2);
    (void)tape.gradients(loss);  // what was recorded after the loss goes too
    EXPECT_EQ(holders(), 1);
  }
  {
    Tape tape;
    (void)(d({1, 1}) * c);  // not recorded, not kept
    EXPECT_EQ(holders(), 1);
  }
  EXPECT_EQ(w.header()->refs, 1);
}
