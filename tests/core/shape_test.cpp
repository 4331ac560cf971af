#include "support.h"

#include <capstan/core/shape.h>

using namespace capstan;

TEST(Shape, HoldsUpToSixSizes) {
  EXPECT_EQ(Shape().dim(), 0);
  EXPECT_EQ(Shape{}.numel(), 1);
  const Shape s{2, 3, 4, 5, 6, 7};
  EXPECT_EQ(s.dim(), 6);
  EXPECT_EQ(s.numel(), 5040);
  EXPECT_EQ(s[0], 2);
  EXPECT_EQ(s[5], 7);
  EXPECT_EQ(s[-1], 7);
  EXPECT_EQ(s[-6], 2);
  EXPECT_EQ(std::vector<std::int64_t>(s.begin(), s.end()), (std::vector<std::int64_t>{2, 3, 4, 5, 6, 7}));
  EXPECT_EQ((Shape{3, 0, 2}.numel()), 0);
}

TEST(Shape, ComparesSizesAndDimension) {
  EXPECT_EQ((Shape{2, 3}), (Shape{2, 3}));
  EXPECT_FALSE((Shape{2, 3} == Shape{3, 2}));
  EXPECT_FALSE((Shape{2, 3} == Shape{2, 3, 1}));
  EXPECT_FALSE((Shape{1} == Shape{}));
  EXPECT_TRUE((Shape{} == Shape{}));
}

TEST(Shape, Prints) {
  EXPECT_EQ(to_string(Shape{}), "[]");
  EXPECT_EQ(to_string(Shape{7}), "[7]");
  EXPECT_EQ(to_string(Shape{32, 64}), "[32, 64]");
}

TEST(Shape, WithAndWithout) {
  const Shape s{2, 3, 4};
  EXPECT_EQ(s.with(1, 9), (Shape{2, 9, 4}));
  EXPECT_EQ(s.with(-1, 0), (Shape{2, 3, 0}));
  EXPECT_EQ(s.without(0), (Shape{3, 4}));
  EXPECT_EQ(s.without(-1), (Shape{2, 3}));
  EXPECT_EQ(Shape{5}.without(0), Shape{});
  EXPECT_EQ(s, (Shape{2, 3, 4}));
}

TEST(Shape, RefusesWhatCannotBe) {
  EXPECT_EQ(thrown([] { Shape{1, 1, 1, 1, 1, 1, 1}; }), "ShapeError: [shape] a tensor has at most 6 axes: 7");
  EXPECT_EQ(thrown([] { Shape{2, -1, 5}; }), "ShapeError: [shape] a size must not be negative: [2, -1, 5]");
  EXPECT_EQ(thrown([] { Shape{0, -3}; }), "ShapeError: [shape] a size must not be negative: [0, -3]");
  const Shape s{2, 3};
  EXPECT_EQ(thrown([&] { s[2]; }), "ShapeError: [shape] there is no such axis: 2 of 2 (from -2 to 1)");
  EXPECT_EQ(thrown([&] { s.with(-3, 1); }), "ShapeError: [shape] there is no such axis: -3 of 2 (from -2 to 1)");
  EXPECT_EQ(thrown([&] { s.without(5); }), "ShapeError: [shape] there is no such axis: 5 of 2 (from -2 to 1)");
  EXPECT_EQ(thrown([&] { s.with(0, -2); }), "ShapeError: [shape] a size must not be negative: [-2, 3]");
  EXPECT_EQ(thrown([] { Shape{}[0]; }), "ShapeError: [shape] a scalar has no axes: axis 0");
}

TEST(Shape, HasALimitThatNoProductEscapes) {
  constexpr std::int64_t limit = std::int64_t{1} << 48, big = std::int64_t{1} << 40;
  EXPECT_EQ(Shape{limit}.numel(), limit);
  EXPECT_EQ((Shape{1 << 24, 1 << 24}.numel()), limit);
  EXPECT_EQ(thrown([] { Shape{limit + 1}; }), "ShapeError: [shape] a tensor has at most 2^48 elements: [281474976710657]");
  EXPECT_EQ(thrown([] { Shape{1 << 24, (1 << 24) + 1}; }), "ShapeError: [shape] a tensor has at most 2^48 elements: [16777216, 16777217]");
  EXPECT_EQ(thrown([] { Shape{INT64_MAX}; }), "ShapeError: [shape] a tensor has at most 2^48 elements: [9223372036854775807]");
  // 2^80 and 2^128 are 0 in 64 bits, 3 * (2^64 / 3 + 1) is 2.
  EXPECT_EQ(thrown([] { Shape{big, big}; }), "ShapeError: [shape] a tensor has at most 2^48 elements: [1099511627776, 1099511627776]");
  EXPECT_EQ(thrown([] {
              Shape{std::int64_t{1} << 32, std::int64_t{1} << 32};
            }),
            "ShapeError: [shape] a tensor has at most 2^48 elements: [4294967296, 4294967296]");
  EXPECT_EQ(thrown([] {
              Shape{3, 6148914691236517206};
            }),
            "ShapeError: [shape] a tensor has at most 2^48 elements: [3, 6148914691236517206]");
  EXPECT_EQ(thrown([] {
              (Shape{2, big}.with(0, big));
            }),
            "ShapeError: [shape] a tensor has at most 2^48 elements: [1099511627776, 1099511627776]");
}

// As in NumPy: an axis of size 0 does not let the others' product overflow wherever a part of the shape is taken.
TEST(Shape, LeavesSizesOfZeroOutOfTheLimit) {
  constexpr std::int64_t big = std::int64_t{1} << 40;
  EXPECT_EQ((Shape{0, big, 256}.numel()), 0);
  EXPECT_EQ((Shape{0, big, 256}.without(0).numel()), std::int64_t{1} << 48);
  EXPECT_EQ(thrown([] {
              Shape{0, big, big};
            }),
            "ShapeError: [shape] a tensor has at most 2^48 elements: [0, 1099511627776, 1099511627776]");
  EXPECT_EQ(thrown([] {
              Shape{big, big, 0};
            }),
            "ShapeError: [shape] a tensor has at most 2^48 elements: [1099511627776, 1099511627776, 0]");
}

TEST(NormalAxis, CountsFromBothEnds) {
  for (int dim = 1; dim <= 6; ++dim)
    for (int i = 0; i < dim; ++i) {
      EXPECT_EQ(normal_axis("op", i, dim), i);
      EXPECT_EQ(normal_axis("op", i - dim, dim), i);
    }
  EXPECT_EQ(thrown([] { normal_axis("op", 3, 3); }), "ShapeError: [op] there is no such axis: 3 of 3 (from -3 to 2)");
  EXPECT_EQ(thrown([] { normal_axis("op", -4, 3); }), "ShapeError: [op] there is no such axis: -4 of 3 (from -3 to 2)");
  EXPECT_EQ(thrown([] { normal_axis("op", -1, 0); }), "ShapeError: [op] a scalar has no axes: axis -1");
}

TEST(Broadcast, FollowsNumPysRule) {
  struct Case {
    Shape a, b, result;
  };
  const Case cases[] = {{{}, {}, {}},
                        {{}, {3}, {3}},
                        {{1}, {3}, {3}},
                        {{3}, {3}, {3}},
                        {{2, 3}, {3}, {2, 3}},
                        {{2, 3}, {2, 1}, {2, 3}},
                        {{2, 1}, {1, 3}, {2, 3}},
                        {{4, 1, 3}, {2, 1}, {4, 2, 3}},
                        {{1}, {1, 1, 1, 1, 1, 1}, {1, 1, 1, 1, 1, 1}},
                        {{0}, {1}, {0}},
                        {{1, 0}, {5, 1}, {5, 0}},
                        {{0}, {}, {0}},
                        {{2, 3, 4, 5, 6, 7}, {6, 1}, {2, 3, 4, 5, 6, 7}}};
  for (const Case& c : cases) {
    EXPECT_EQ(broadcast("op", c.a, c.b), c.result) << to_string(c.a) << " " << to_string(c.b);
    EXPECT_EQ(broadcast("op", c.b, c.a), c.result) << to_string(c.a) << " " << to_string(c.b);
  }
}

TEST(Broadcast, RefusesOtherSizes) {
  EXPECT_EQ(thrown([] {
              broadcast("add", {2, 3}, {2});
            }),
            "ShapeError: [add] shapes must broadcast: [2, 3] and [2] (sizes equal or 1, aligned at the last axis)");
  EXPECT_EQ(thrown([] { broadcast("add", {0}, {3}); }),
            "ShapeError: [add] shapes must broadcast: [0] and [3] (sizes equal or 1, aligned at the last axis)");
  EXPECT_EQ(thrown([] {
              broadcast("add", {1 << 25, 1}, {1 << 25});
            }),
            "ShapeError: [shape] a tensor has at most 2^48 elements: [33554432, 33554432]");
}
