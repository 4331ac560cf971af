// The README's resumed run, and what a save costs in memory.
#include <capstan/autograd/ops.h>
#include <capstan/autograd/tape.h>
#include <capstan/core/create.h>
#include <capstan/data/batches.h>
#include <capstan/data/samples.h>
#include <capstan/nn/activations.h>
#include <capstan/nn/embedding.h>
#include <capstan/nn/linear.h>
#include <capstan/nn/sequential.h>
#include <capstan/optim/adagrad.h>
#include <capstan/train/checkpoint.h>
#include <capstan/train/log.h>
#include <capstan/train/metrics.h>

#include <cstdio>
#include <cstring>

#include "../child.h"
#include "support.h"

using namespace capstan;

namespace {

/// What the README shows; returns false when it stops after `steps`, as a process that is killed.
bool train(const std::string& folder, int steps) {
  const std::string path = folder + "/digits.ckpt", log_path = folder + "/digits.csv";
  auto [training, test] = data::digits().split(5);
  nn::Sequential model{nn::Linear(64, 8), nn::ReLU(), nn::Linear(8, 10)};
  optim::Adagrad optimizer(model.parameters(), {.lr = 0.05});

  data::Batches batches(training, {.batch_size = 32, .shuffle = true});
  CsvLog log(log_path, {"epoch", "loss"}, {.append = true});
  double total = 0;

  Checkpoint run(path, {.keep = 2});
  run.add("model", model).add("optimizer", optimizer).add("batches", batches).add("log", log).add("total", total);
  run.load();                    // goes on where the last save was; false when there is none
  while (batches.epoch() < 2) {  // passes that came to their end
    for (auto [x, y] : batches) {
      Tape tape;
      Tensor loss = cross_entropy(model(x), y);
      optimizer.step(tape.gradients(loss));
      total += loss.item();
      if (optimizer.step_count() % 10 == 0) run.save();  // at any step
      if (optimizer.step_count() == steps) return false;
    }
    log.row(static_cast<double>(batches.epoch()), total);
    total = 0;
    run.save_best(metrics::accuracy(model(test.x), test.y));
  }
  return true;
}

/// A line of /proc/self/status in kB.
long kilobytes(const char* what) {
  std::FILE* const file = std::fopen("/proc/self/status", "r");
  char line[256];
  long value = 0;
  while (std::fgets(line, sizeof line, file))
    if (std::strncmp(line, what, std::strlen(what)) == 0) std::sscanf(line + std::strlen(what), "%ld", &value);
  std::fclose(file);
  return value;
}

}  // namespace

TEST(CheckpointGuide, TheReadmesRunGoesOnWithoutARepeatedOrMissingRow) {
  const Folder whole, killed;
  manual_seed(0);
  EXPECT_TRUE(train(whole.file(""), -1));
  manual_seed(0);
  for (const int steps : {15, 25, 47, 75}) {
    EXPECT_FALSE(train(killed.file(""), steps));
    manual_seed(1);
  }
  EXPECT_TRUE(train(killed.file(""), -1));
  EXPECT_EQ(read(killed.file("digits.csv")), read(whole.file("digits.csv")));
  EXPECT_EQ(read(killed.file("digits.ckpt")), read(whole.file("digits.ckpt")));  // the same bytes
  EXPECT_EQ(read(killed.file("digits.ckpt.best")), read(whole.file("digits.ckpt.best")));
}

TEST(CheckpointGuide, ASaveCopiesNoTensor) {
  const Folder folder;
  const std::string ended = in_a_child([&] {
    nn::Embedding table(1 << 20, 16);                                            // 64 MB, and as much of Adagrad's
    optim::Adagrad optimizer(table.parameters(), {.initial_accumulator = 0.1});  // from 0 it would take memory for three rows alone
    {
      Tape tape;
      optimizer.step(tape.gradients(sum(table(tensor({1, 5, 9}, DType::i64)))));
    }
    Checkpoint run(folder.file("x"));
    run.add("model", table).add("optimizer", optimizer);
    std::FILE* const clear = std::fopen("/proc/self/clear_refs", "w");  // the peak is counted from here
    if (!clear || std::fputs("5", clear) < 0 || std::fclose(clear) != 0) return 77;
    const long before = kilobytes("VmRSS:");
    run.save();
    const long peak = kilobytes("VmHWM:");
    if (before < 128 << 10) return 2;
    return static_cast<double>(peak) <= 1.05 * static_cast<double>(before) ? 0 : 3;
  });
  if (ended == "exit 77") GTEST_SKIP() << "this system counts no peak anew";
  EXPECT_EQ(ended, "exit 0");
}
