// The example of docs/sparse.md: a linear model from a file of LIBSVM's text, and a run that is stopped inside a pass.
#include <capstan/capstan.h>
#include <capstan/data/libsvm.h>

#include "support.h"

using namespace capstan;

namespace {

/// Rows whose label is the sign of feature 1 minus that of feature 2, with one of a thousand others beside.
std::string rows_by_sign(int rows) {
  std::string text;
  for (int i = 0; i < rows; ++i) {
    const bool first = i * 7919 % 13 < 6;
    text += std::string(first ? "+1 1" : "-1 2") + ":0.5 " + std::to_string(3 + i * 31 % 1000) + ":1\n";
  }
  return text;
}

}  // namespace

TEST(LibsvmGuide, AModelFromAFile) {
  const Folder folder;
  const std::string path = folder.file("train.libsvm");
  ::write(path, rows_by_sign(2000));
  manual_seed(1);
  const auto train = [&](int stop, bool resume) {
    int steps = 0;
    double loss_now = 0;
    data::Libsvm file(path, {.features = 1 << 20, .labels = data::Labels::binary, .base = 1});
    data::Batches batches(file, {.batch_size = 50, .shuffle_buffer = 500});
    nn::SparseLinear model(1 << 20);
    optim::Adagrad optimizer(model.parameters(), {.lr = 0.5});
    Checkpoint run(folder.file("run"));
    run.add("model", model).add("optimizer", optimizer).add("batches", batches);
    if (resume) run.load();
    while (batches.epoch() < 2)
      for (auto [x, y] : batches) {
        Tape tape;
        Tensor loss = binary_cross_entropy_with_logits(model(x), y);
        optimizer.step(tape.gradients(loss));
        loss_now = loss.item();
        if (++steps == stop) {
          run.save();
          return loss_now;
        }
      }
    return loss_now;
  };
  const double whole = train(0, false);
  EXPECT_LT(whole, 0.1);
  manual_seed(1);
  train(33, false);
  manual_seed(2);
  EXPECT_EQ(train(0, true), whole);
}
