// gradients() spends a tape, unless it is told to keep it: what a spent one still does, and who records then.
#include <optional>

#include "support.h"

using namespace capstan;

namespace {
/// Whether what this thread computes now is recorded by `tape`.
bool records(const Tape& tape, const Tensor& w) {
  const std::size_t before = tape.size();
  (void)(w * 3);
  return tape.size() > before;
}
}  // namespace

TEST(SpentTape, NeedsKeepForASecondCall) {
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

TEST(SpentTape, RecordsNoMore) {
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
