#include <capstan/nn/embedding.h>
#include <capstan/optim/adagrad.h>
#include <capstan/optim/sparse_adam.h>

#include "support.h"

// The program of docs/sparse.md.

using namespace capstan;

TEST(RowsGuide, TouchesTheRowsThatWereSeen) {
  nn::Embedding users(100'000, 16);
  optim::Adagrad optimizer(users.parameters(), {.lr = 0.1});
  const Tensor seen = tensor({7, 42, 7}, DType::i64);

  Tape tape;
  optimizer.step(tape.gradients(sum(square(users(seen)))));  // reads and writes rows 7 and 42, of the table and of its state

  const Tensor sums = optimizer.live_state()["weight/sum"];
  for (std::int64_t row = 0; row < 100'000; ++row) ASSERT_EQ(sums.data<float>()[row * 16] != 0, row == 7 || row == 42) << row;

  optim::SparseAdam lazy(users.parameters(), {.lr = 0.01});
  Tape again;
  lazy.step(again.gradients(sum(square(users(seen)))));
  EXPECT_EQ(lazy.step_count(), 1);
}

TEST(RowsGuide, BagsOfLookUps) {
  nn::EmbeddingBag words(1 << 16, 8, {.mode = BagMode::mean, .padding_idx = 0});
  const Tensor index = tensor({5, 9, 5, 7, 0}, DType::i64), offsets = tensor({0, 3, 3}, DType::i64);
  const Tensor y = words(index, offsets);  // [3, 8]: the mean of rows 5, 9 and 5; of none, which is 0; of row 7, for 0 is padding

  ASSERT_EQ(y.shape(), (Shape{3, 8}));
  const float *w = words.weight.data<float>(), *rows = y.data<float>();
  for (std::int64_t j = 0; j < 8; ++j) {
    EXPECT_EQ(rows[j], (w[5 * 8 + j] + w[9 * 8 + j] + w[5 * 8 + j]) / 3);
    EXPECT_EQ(rows[8 + j], 0);
    EXPECT_EQ(rows[16 + j], w[7 * 8 + j]);
  }
}
