// What is recorded and when; what reaches the loss; what is given back.
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
