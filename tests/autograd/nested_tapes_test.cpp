// What an outer tape makes of what was computed while an inner one was there.
#include "support.h"

using namespace capstan;

TEST(NestedTapes, WhatFollowsTheInnerOnesGradientsIsAConstantToTheOuterOne) {
  Tensor w = p({2, 3});
  Tape outer;
  const Tensor before = w * w;
  Tensor inside, of_before;
  {
    Tape inner;
    (void)inner.gradients(sum(w * w));
    inside = w * 10;  // recorded by neither
    of_before = before * 10;
  }
  EXPECT_EQ(outer.size(), 1u);
  const Tensor after = w * 10;  // recorded
  EXPECT_EQ(values(inside), values(after));
  EXPECT_EQ(values(outer.gradients(sum(inside * w), {.keep = true})[w]), (Values{20, 30}));        // 40, 60 if it were none
  EXPECT_EQ(values(outer.gradients(sum(of_before + before), {.keep = true})[w]), (Values{4, 6}));  // 44, 66
  EXPECT_EQ(values(outer.gradients(sum(after * w))[w]), (Values{40, 60}));
}

TEST(NestedTapes, TheSameFromALossOfSuchConstants) {
  const Tensor w = p({2, 3});
  Tape outer;
  Tensor loss;
  {
    Tape inner;
    (void)inner.gradients(sum(w * w));
    loss = sum(w * w);
  }
  EXPECT_EQ(thrown([&] { (void)outer.gradients(loss); }),
            "ValueError: [gradients] no tensor that wants a gradient reaches the loss (was it computed under this tape, outside NoGrad, "
            "from parameters?)");
}

// A scope of its own for the inner tape is what lets the outer one see the step that follows.
TEST(NestedTapes, TheScopeEndsBeforeWhatTheOuterOneIsToSee) {
  const Tensor w = p({2, 3}), rate = p(0.25);
  Tape outer;
  const Tensor g = [&] {
    Tape inner;
    return inner.gradients(sum(w * w))[w];
  }();
  const Tensor stepped = w - rate * g;  // by a gradient that is a constant
  EXPECT_EQ(values(outer.gradients(sum(stepped * stepped))[rate]), (Values{-26}));
}

TEST(NestedTapes, WhatTheInnerOneRecordedIsRefusedAfterItsEnd) {
  const Tensor w = p({2, 3});
  Tape outer;
  Tensor y;
  {
    Tape inner;
    y = w * 10;
    (void)inner.gradients(sum(y));
    EXPECT_EQ(values(y * w), (Values{40, 90}));  // nothing records
  }
  EXPECT_EQ(thrown([&] { (void)(y * w); }),
            "ValueError: [*] input 0 was recorded on a tape that has ended or runs on another thread: [2] (take its value as a constant "
            "with detach())");
  EXPECT_EQ(values(outer.gradients(sum(y.detach() * w))[w]), (Values{20, 30}));
}
