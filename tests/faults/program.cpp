// Trains a small network, saves after every third batch, and goes on from what is there: what tests/faults/*.py disturb.
//   fault_program FOLDER EPOCHS       trains; prints "saved n" when a save after n steps has returned; a signal makes it save and leave
//   fault_program FOLDER holds        prints what a resume would find: "holds n", or "holds nothing"
// An error is one line on stderr and exit code 1.
#include <capstan/capstan.h>
#include <capstan/train/checkpoint.h>
#include <capstan/train/log.h>
#include <capstan/train/stop_signal.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <utility>

using namespace capstan;

namespace {

struct Run {
  nn::Sequential model{nn::Linear(4, 8), nn::ReLU(), nn::Dropout(0.1), nn::Linear(8, 1)};
  optim::Adagrad optimizer{model.parameters(), {.lr = 0.1}};
  data::Batches<> batches{data::Dataset{normal({40, 4}), normal({40, 1})}, {.batch_size = 8, .shuffle = true}};
  std::int64_t steps = 0;
  std::pair<std::int64_t, std::int64_t> saved{-1, -1};  // after which step, in which pass: the last step's pass may not be counted yet
  Checkpoint checkpoint;
  CsvLog log;

  explicit Run(const std::string& folder)
      : checkpoint(folder + "/run.ckpt", {.keep = 2}), log(folder + "/log.csv", {"step", "loss"}, {.append = true}) {
    checkpoint.add("model", model).add("optimizer", optimizer).add("batches", batches).add("steps", steps).add("log", log);
  }

  void save() {
    const std::pair now{steps, batches.epoch()};
    if (saved == now) return;  // by this run or the one before
    checkpoint.save();
    saved = now;
    std::printf("saved %lld\n", static_cast<long long>(steps));
    std::fflush(stdout);
  }

  /// Goes on to the end, or until a signal arrives; the exit code.
  int train(std::int64_t epochs) {
    const StopSignal stop;
    if (checkpoint.load()) saved = {steps, batches.epoch()};
    save();  // before the first row, so that the log never has one without a checkpoint
    while (batches.epoch() < epochs) {
      for (auto [x, y] : batches) {
        Tape tape;
        const Tensor loss = mse_loss(model(x), y);
        optimizer.step(tape.gradients(loss));
        log.row(++steps, loss.item());
        if (steps % 3 == 0 || stop.arrived()) save();
        if (steps % 10 == 0) checkpoint.save_best(static_cast<double>(steps));
        if (stop.arrived()) return stop.exit_code();
      }
    }
    save();
    return 0;
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  try {
    manual_seed(5);
    Run run(argv[1]);
    const std::string what = argv[2];
    if (what != "holds") return run.train(std::atoll(argv[2]));
    if (run.checkpoint.load())
      std::printf("holds %lld\n", static_cast<long long>(run.steps));
    else
      std::printf("holds nothing\n");
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
