// Batches of the rows of a CsrMatrix.
#include <capstan/autograd/ops.h>
#include <capstan/autograd/tape.h>
#include <capstan/core/create.h>
#include <capstan/data/sparse_dataset.h>

#include <algorithm>
#include <numeric>

#include "support.h"

using namespace capstan;
using data::Batches;
using data::SparseDataset;

namespace {

/// Row i has i % 3 features, the first in column i, each with the value i + 1; y is i.
SparseDataset numbered(std::int64_t rows) {
  CsrBuilder builder(rows + 2, DType::f64);
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < i % 3; ++j) builder.add(i + j, static_cast<double>(i + 1));
    builder.end_row();
  }
  return {builder.take(), arange(static_cast<double>(rows), DType::i64)};
}

/// The labels of one pass; checks that x and y stay together.
Values pass(Batches<SparseDataset>& batches) {
  Values all;
  for (auto [x, y] : batches) {
    EXPECT_EQ(x.rows(), y.size(0));
    const Values dense = values(x.to_dense());
    for (std::int64_t r = 0; r < x.rows(); ++r) {
      const std::int64_t i = y.data<std::int64_t>()[r];
      for (std::int64_t c = 0; c < x.columns(); ++c)
        EXPECT_EQ(dense[static_cast<std::size_t>(r * x.columns() + c)], c >= i && c < i + i % 3 ? static_cast<double>(i + 1) : 0);
      all.push_back(static_cast<double>(i));
    }
  }
  return all;
}
Values pass(Batches<SparseDataset>&& batches) { return pass(batches); }

Values upto(std::size_t n) {
  Values v(n);
  std::iota(v.begin(), v.end(), 0);
  return v;
}

}  // namespace

TEST(SparseBatches, InOrderAreViews) {
  const SparseDataset set = numbered(7);
  EXPECT_EQ(pass(Batches(set, {.batch_size = 3})), upto(7));
  EXPECT_EQ(pass(Batches(set, {.batch_size = 1})), upto(7));
  EXPECT_EQ(pass(Batches(set, {.batch_size = 100})), upto(7));
  EXPECT_EQ(pass(Batches(set, {.batch_size = 3, .drop_last = true})), upto(6));
  for (auto [x, y] : Batches(set, {.batch_size = 3}))
    EXPECT_EQ(x.values().data<double>(), set.x.values().data<double>() + set.x.crow().data<std::int64_t>()[y.data<std::int64_t>()[0]]);
}

TEST(SparseBatches, ShuffledHoldEveryRowOnce) {
  manual_seed(1);
  Values labels = pass(Batches(numbered(50), {.batch_size = 8, .shuffle = true}));
  EXPECT_NE(labels, upto(50));
  std::sort(labels.begin(), labels.end());
  EXPECT_EQ(labels, upto(50));
}

TEST(SparseBatches, AreConstants) {
  const SparseDataset made = numbered(5);
  const SparseDataset set{made.x.with_values(parameter(made.x.values().clone())), made.y};
  Tape tape;
  for (const bool shuffle : {false, true})
    for (auto [x, y] : Batches(set, {.batch_size = 2, .shuffle = shuffle})) EXPECT_FALSE(x.values().requires_grad());
  EXPECT_EQ(tape.size(), 0U);
}

TEST(SparseBatches, ResumeInTheMiddleOfAPass) {
  manual_seed(4);
  Batches batches(numbered(20), {.batch_size = 3, .shuffle = true});
  TensorMap place;
  Values rest;
  for (auto [x, y] : batches) {
    if (place.size() > 0)
      for (const double label : values(y)) rest.push_back(label);
    else if (values(y)[0] > 9)
      place = batches.state();
  }
  ASSERT_GT(place.size(), 0U);
  manual_seed(5);
  Batches again(numbered(20), {.batch_size = 3, .shuffle = true});
  again.load_state(place);
  EXPECT_EQ(pass(again), rest);
}

TEST(SparseBatches, FingerprintKnowsEveryTensor) {
  const SparseDataset set = numbered(4);
  const Batches batches(set, {.batch_size = 3});
  std::vector<std::string> seen{batches.fingerprint()};
  EXPECT_TRUE(seen[0].starts_with("csr [4, 6] i64 [5] ")) << seen[0];
  EXPECT_TRUE(seen[0].ends_with(", batch_size 3")) << seen[0];
  for (Tensor t : {set.x.crow(), set.x.col(), set.x.values(), set.y}) {
    t += t;
    seen.push_back(batches.fingerprint());
    EXPECT_NE(seen.back(), seen[seen.size() - 2]) << to_string(t);
  }
}

TEST(SparseBatches, Refuse) {
  const SparseDataset set = numbered(5);
  EXPECT_EQ(set.size(), 5);
  const SparseDataset wrong{set.x, zeros({4})};
  EXPECT_EQ(thrown([&] { Batches batches(wrong); }), "ShapeError: [Batches] x and y must have as many rows: x [5, 7], y [4]");
  EXPECT_EQ(thrown([&] { (void)wrong.size(); }), "ShapeError: [SparseDataset] x and y must have as many rows: x [5, 7], y [4]");
  EXPECT_EQ(thrown([&] {
              Batches batches(SparseDataset{set.x, zeros({})});
            }),
            "ShapeError: [Batches] x and y must have as many rows: x [5, 7], y []");
  EXPECT_EQ(thrown([&] { Batches batches(numbered(0)); }), "ShapeError: [Batches] x and y must not be empty: x [0, 2], y [0]");
  EXPECT_TRUE(thrown([&] { Batches batches(SparseDataset{}); }).starts_with("ValueError: ")) << "undefined";
  EXPECT_EQ(thrown([&] { Batches batches(set, {.batch_size = 0}); }), "ValueError: [Batches] batch_size must be 1 or more: 0");
}
