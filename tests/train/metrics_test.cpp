#include <capstan/core/create.h>
#include <capstan/train/metrics.h>

#include <cmath>

#include "support.h"

using namespace capstan;
using metrics::accuracy;

TEST(Accuracy, CountsRowsWhoseLargestLogitIsTheLabel) {
  const Tensor logits = tensor({{1, 5, 2}, {9, 8, 7}, {0, 1, 2}, {-3, -2, -1}});
  EXPECT_EQ(accuracy(logits, tensor({1, 0, 2, 2}, DType::i64)), 1.0);
  EXPECT_EQ(accuracy(logits, tensor({1, 0, 2, 0}, DType::i64)), 0.75);
  EXPECT_EQ(accuracy(logits, tensor({0, 1, 0, 0}, DType::i64)), 0.0);
  EXPECT_EQ(accuracy(logits.to(DType::f64), tensor({1, 1, 2, 2}, DType::i64)), 0.75);
}

TEST(Accuracy, TheFirstOfEqualLogitsCounts) {
  const Tensor logits = tensor({{4, 7, 7}, {4, 7, 7}});
  EXPECT_EQ(accuracy(logits, tensor({1, 2}, DType::i64)), 0.5);
  EXPECT_EQ(accuracy(logits, tensor({2, 2}, DType::i64)), 0.0);
}

TEST(Accuracy, ARowWithANanIsWrong) {
  const double infinity = HUGE_VAL;
  const Tensor logits = tensor({{NAN, 1, 2}, {1, 2, NAN}, {1, 9, NAN}, {1, infinity, 2}, {-infinity, -infinity, -infinity}});
  EXPECT_EQ(accuracy(logits, tensor({0, 2, 1, 1, 0}, DType::i64)), 0.4);
}

TEST(Accuracy, ReadsAWindowOfRows) {
  const Tensor logits = tensor({{1, 0}, {0, 1}, {0, 1}, {1, 0}}), labels = tensor({1, 1, 1, 1}, DType::i64);
  EXPECT_EQ(accuracy(logits.rows(1, 3), labels.rows(1, 3)), 1.0);
}

TEST(Accuracy, RefusesWhatDoesNotFit) {
  const Tensor logits = zeros({4, 3}), labels = zeros({4}, DType::i64);
  EXPECT_EQ(thrown([&] { accuracy(logits, zeros({5}, DType::i64)); }),
            "ShapeError: [accuracy] logits must be [n, classes] and labels [n]: [4, 3] and [5]");
  EXPECT_EQ(thrown([&] {
              accuracy(logits, zeros({4, 1}, DType::i64));
            }),
            "ShapeError: [accuracy] logits must be [n, classes] and labels [n]: [4, 3] and [4, 1]");
  EXPECT_EQ(thrown([&] { accuracy(zeros({4}), labels); }),
            "ShapeError: [accuracy] logits must be [n, classes] and labels [n]: [4] and [4]");
  EXPECT_EQ(thrown([&] { accuracy(logits, zeros({4})); }),
            "ValueError: [accuracy] logits must be f32 or f64 and labels i64: f32 and f32 (convert with to())");
  EXPECT_EQ(thrown([&] { accuracy(logits.to(DType::i64), labels); }),
            "ValueError: [accuracy] logits must be f32 or f64 and labels i64: i64 and i64 (convert with to())");
  EXPECT_EQ(thrown([&] {
              accuracy(zeros({0, 3}), zeros({0}, DType::i64));
            }),
            "ValueError: [accuracy] there must be at least one row: logits are [0, 3]");
  EXPECT_EQ(thrown([&] {
              accuracy(logits, tensor({0, 1, 3, 2}, DType::i64));
            }),
            "ValueError: [accuracy] labels must lie in [0, 3): label 3 in row 2");
  EXPECT_EQ(thrown([&] {
              accuracy(logits, tensor({0, -1, 2, 2}, DType::i64));
            }),
            "ValueError: [accuracy] labels must lie in [0, 3): label -1 in row 1");
  EXPECT_EQ(thrown([&] { accuracy(zeros({4, 0}), labels); }), "ValueError: [accuracy] labels must lie in [0, 0): label 0 in row 0");
}
