#include <capstan/core/create.h>
#include <capstan/data/dataset.h>

#include "support.h"

using namespace capstan;
using data::Dataset;
using Values = std::vector<double>;

TEST(Dataset, SplitHoldsOutEveryNthRow) {
  const Dataset set{arange(14).reshape({7, 2}), arange(7, DType::i64)};
  EXPECT_EQ(set.size(), 7);
  const auto [training, test] = set.split(3);
  EXPECT_EQ(values(test.x), (Values{0, 1, 6, 7, 12, 13}));
  EXPECT_EQ(values(test.y), (Values{0, 3, 6}));
  EXPECT_EQ(values(training.x), (Values{2, 3, 4, 5, 8, 9, 10, 11}));
  EXPECT_EQ(values(training.y), (Values{1, 2, 4, 5}));
  EXPECT_EQ(training.x.shape(), (Shape{4, 2}));
  EXPECT_EQ(training.y.shape(), (Shape{4}));
  EXPECT_EQ(training.x.dtype(), DType::f32);
  EXPECT_EQ(training.y.dtype(), DType::i64);
}

TEST(Dataset, SplitCopies) {
  const Dataset set{arange(4), arange(4)};
  const auto [training, test] = set.split(2);
  test.x.data<float>()[0] = 9;
  training.x.data<float>()[0] = 9;
  EXPECT_EQ(values(set.x), (Values{0, 1, 2, 3}));
}

TEST(Dataset, SplitOfAnyTypesAndShapes) {
  const Dataset set{arange(24, DType::f64).reshape({4, 3, 2}), tensor({1, 0, 0, 1}, DType::boolean)};
  const auto [training, test] = set.split(1000);
  EXPECT_EQ(test.x.shape(), (Shape{1, 3, 2}));
  EXPECT_EQ(values(training.x).front(), 6);
  EXPECT_EQ(values(training.x).back(), 23);
  EXPECT_EQ(values(test.y), (Values{1}));
  EXPECT_EQ(values(training.y), (Values{0, 0, 1}));
  EXPECT_EQ(training.y.dtype(), DType::boolean);
}

TEST(Dataset, Refuses) {
  const Tensor x = zeros({4, 2}), y = zeros({3});
  EXPECT_EQ(thrown([&] { (void)Dataset{x, y}.size(); }), "ShapeError: [Dataset] x and y must have as many rows: x [4, 2], y [3]");
  EXPECT_EQ(thrown([&] { (void)Dataset{x, y}.split(2); }), "ShapeError: [split] x and y must have as many rows: x [4, 2], y [3]");
  EXPECT_EQ(thrown([&] { (void)Dataset{zeros({}), y}.size(); }), "ShapeError: [Dataset] x and y must have rows: x [], y [3]");
  EXPECT_EQ(thrown([&] { (void)Dataset{x, zeros({})}.size(); }), "ShapeError: [Dataset] x and y must have rows: x [4, 2], y []");
  EXPECT_TRUE(thrown([&] { (void)Dataset{}.size(); }).starts_with("ValueError: ")) << "undefined tensors";
  const Dataset set{x, x};
  for (const std::int64_t every : {1, 0, -5})
    EXPECT_EQ(thrown([&] { (void)set.split(every); }),
              "ValueError: [split] every must be 2 or more, or no row is left for training: " + std::to_string(every));
  const Dataset one{zeros({1, 2}), zeros({1})}, none{zeros({0, 2}), zeros({0})};
  EXPECT_EQ(thrown([&] { (void)one.split(2); }), "ShapeError: [split] a set must have two rows or more to be split: x [1, 2]");
  EXPECT_EQ(thrown([&] { (void)none.split(2); }), "ShapeError: [split] a set must have two rows or more to be split: x [0, 2]");
}
