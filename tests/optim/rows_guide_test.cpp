#include <capstan/nn/embedding.h>
#include <capstan/optim/adagrad.h>

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
}
