#include <capstan/autograd/tape.h>
#include <capstan/core/create.h>
#include <capstan/data/batches.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "support.h"

using namespace capstan;
using data::Batches;
using data::Dataset;
using Values = std::vector<double>;

namespace {

Dataset numbered(std::int64_t rows) {
  return {arange(static_cast<double>(3 * rows), DType::f64).reshape({rows, 3}), arange(static_cast<double>(rows), DType::i64)};
}

// The labels of one pass, one list for each batch; checks that x and y stay together.
std::vector<Values> pass(Batches<>& batches) {
  std::vector<Values> all;
  for (auto [x, y] : batches) {
    EXPECT_EQ(x.size(0), y.size(0));
    EXPECT_EQ(x.dtype(), DType::f64);
    EXPECT_EQ(y.dtype(), DType::i64);
    const Values v = values(x), label = values(y);
    for (std::size_t i = 0; i < label.size(); ++i)
      for (std::size_t j = 0; j < 3; ++j) EXPECT_EQ(v[3 * i + j], 3 * label[i] + static_cast<double>(j));
    all.push_back(label);
  }
  EXPECT_EQ(static_cast<std::int64_t>(all.size()), batches.size());
  return all;
}

std::vector<Values> pass(Batches<>&& batches) { return pass(batches); }

Values flat(const std::vector<Values>& batches) {
  Values all;
  for (const Values& b : batches) all.insert(all.end(), b.begin(), b.end());
  return all;
}

Values sorted(Values v) {
  std::sort(v.begin(), v.end());
  return v;
}

Values upto(std::size_t n) {
  Values v(n);
  std::iota(v.begin(), v.end(), 0);
  return v;
}

}  // namespace

TEST(Batches, InOrder) {
  const Dataset set = numbered(7);
  EXPECT_EQ(pass(Batches(set, {.batch_size = 3, .shuffle = false})), (std::vector<Values>{{0, 1, 2}, {3, 4, 5}, {6}}));
  EXPECT_EQ(pass(Batches(set, {.batch_size = 4, .shuffle = false})), (std::vector<Values>{{0, 1, 2, 3}, {4, 5, 6}}));
  EXPECT_EQ(pass(Batches(set, {.batch_size = 3, .shuffle = false, .drop_last = true})), (std::vector<Values>{{0, 1, 2}, {3, 4, 5}}));
  EXPECT_EQ(pass(Batches(set, {.batch_size = 7, .shuffle = false, .drop_last = true})), (std::vector<Values>{upto(7)}));
  EXPECT_EQ(pass(Batches(set, {.batch_size = 8, .shuffle = false})), (std::vector<Values>{upto(7)}));
  EXPECT_EQ(pass(Batches(set, {.batch_size = std::numeric_limits<std::int64_t>::max(), .shuffle = false})), (std::vector<Values>{upto(7)}));
  EXPECT_EQ(pass(Batches(set.x, set.y, {.batch_size = 6, .shuffle = false, .drop_last = true})), (std::vector<Values>{upto(6)}));
}

TEST(Batches, InOrderAreViews) {
  const Dataset set = numbered(5);
  for (auto [x, y] : Batches(set, {.batch_size = 2, .shuffle = false})) {
    EXPECT_EQ(x.data<double>(), set.x.data<double>() + 3 * y.data<std::int64_t>()[0]);
    EXPECT_EQ(y.data<std::int64_t>(), set.y.data<std::int64_t>() + y.data<std::int64_t>()[0]);
  }
}

TEST(Batches, Sizes) {
  const Dataset set = numbered(10);
  const auto size = [&](std::int64_t batch, bool drop) { return Batches(set, {.batch_size = batch, .drop_last = drop}).size(); };
  EXPECT_EQ(size(3, false), 4);
  EXPECT_EQ(size(3, true), 3);
  EXPECT_EQ(size(5, false), 2);
  EXPECT_EQ(size(5, true), 2);
  EXPECT_EQ(size(1, true), 10);
  EXPECT_EQ(size(99, false), 1);
  EXPECT_EQ(Batches(numbered(33)).size(), 2);  // 32 by default
}

TEST(Batches, ShuffledHoldEveryRowOnce) {
  const Dataset set = numbered(103);
  manual_seed(1);
  const auto batches = pass(Batches(set, {.batch_size = 10, .shuffle = true}));
  EXPECT_EQ(batches.size(), 11U);
  EXPECT_EQ(batches.back().size(), 3U);
  EXPECT_NE(flat(batches), upto(103));
  EXPECT_EQ(sorted(flat(batches)), upto(103));
  const Values dropped = sorted(flat(pass(Batches(set, {.batch_size = 10, .shuffle = true, .drop_last = true}))));
  EXPECT_EQ(dropped.size(), 100U);
  EXPECT_EQ(std::adjacent_find(dropped.begin(), dropped.end()), dropped.end());
}

TEST(Batches, ShuffledAreCopies) {
  const Dataset set = numbered(8);
  for (auto [x, y] : Batches(set, {.batch_size = 8, .shuffle = true})) {
    x.data<double>()[0] = -1;
    y.data<std::int64_t>()[0] = -1;
  }
  EXPECT_EQ(values(set.y), upto(8));
  EXPECT_EQ(values(set.x), upto(24));
}

TEST(Batches, EachPassHasAnOrderOfItsOwn) {
  const Dataset set = numbered(50);
  manual_seed(3);
  Batches batches(set, {.batch_size = 7, .shuffle = true});
  const Values first = flat(pass(batches)), second = flat(pass(batches));
  EXPECT_NE(first, second);
  manual_seed(3);
  EXPECT_EQ(flat(pass(batches)), first);
  EXPECT_EQ(flat(pass(Batches(set, {.batch_size = 9, .shuffle = true}))), second);  // the order does not depend on the batch
  manual_seed(4);
  EXPECT_NE(flat(pass(batches)), first);
}

TEST(Batches, DrawsOnceAPassAndOnlyToShuffle) {
  const Dataset set = numbered(5);
  manual_seed(0);
  const Generator& g = default_generator(Purpose::shuffle);
  pass(Batches(set));  // in order by default
  EXPECT_EQ(g.draw, 0U);
  pass(Batches(set, {.shuffle = true}));
  EXPECT_EQ(g.draw, 1U);
  Generator own{9, 2, 0};
  const Values one = flat(pass(Batches(set, {.shuffle = true, .generator = &own})));
  EXPECT_EQ(g.draw, 1U);
  EXPECT_EQ(own.draw, 1U);
  own.draw = 0;
  EXPECT_EQ(values(permutation(5, own)), one);
}

TEST(Batches, OfAnyTypesAndShapes) {
  manual_seed(0);
  const auto check = [](const Tensor& x) {
    const Values all = values(x);
    const std::size_t width = all.size() / 6;
    for (auto [b, index] : Batches(x, arange(6, DType::i64), {.batch_size = 4, .shuffle = true})) {
      EXPECT_EQ(b.shape(), x.shape().with(0, index.numel()));
      const Values v = values(b), rows = values(index);
      for (std::size_t i = 0; i < v.size(); ++i) EXPECT_EQ(v[i], all[static_cast<std::size_t>(rows[i / width]) * width + i % width]);
    }
  };
  for (const DType dtype : {DType::f32, DType::f64, DType::i64}) {
    check(arange(6, dtype));
    check(arange(6, dtype).reshape({6, 1}));
    check(arange(12, dtype).reshape({6, 2}));
    check(arange(30, dtype).reshape({6, 5}));
    check(arange(6 * 35, dtype).reshape({6, 5, 7}));
    check(zeros({6, 0}, dtype));
  }
  check(tensor({1, 0, 0, 1, 1, 0}, DType::boolean));
}

TEST(Batches, AreConstants) {
  Dataset set{zeros({4, 2}), zeros({4})};
  set.x.set_requires_grad(true);
  Tape tape;
  for (const bool shuffle : {false, true})
    for (auto [x, y] : Batches(set, {.batch_size = 2, .shuffle = shuffle})) EXPECT_FALSE(x.requires_grad());
  EXPECT_EQ(tape.size(), 0U);
  EXPECT_TRUE(set.x.requires_grad());
}

TEST(Batches, OutliveTheHandlesTheyWereMadeOf) {
  const auto make = [] { return Batches(numbered(4), {.batch_size = 4, .shuffle = false}); };
  EXPECT_EQ(flat(pass(make())), upto(4));
}

TEST(Batches, Refuse) {
  const Dataset set = numbered(5);
  for (const std::int64_t size : {0, -3})
    EXPECT_EQ(thrown([&] { Batches(set, {.batch_size = size}); }),
              "ValueError: [Batches] batch_size must be 1 or more: " + std::to_string(size));
  EXPECT_EQ(thrown([&] { Batches(set, {.batch_size = 6, .drop_last = true}); }),
            "ValueError: [Batches] drop_last must leave a batch: batch_size 6, rows 5");
  EXPECT_EQ(thrown([&] { Batches(set.x, zeros({4})); }), "ShapeError: [Batches] x and y must have as many rows: x [5, 3], y [4]");
  EXPECT_EQ(thrown([&] { Batches(set.x, zeros({})); }), "ShapeError: [Batches] x and y must have rows: x [5, 3], y []");
  EXPECT_EQ(thrown([&] { Batches(zeros({0, 3}), zeros({0})); }), "ShapeError: [Batches] x and y must not be empty: x [0, 3], y [0]");
  EXPECT_TRUE(thrown([&] { Batches(Tensor(), Tensor()); }).starts_with("ValueError: ")) << "undefined tensors";
}
