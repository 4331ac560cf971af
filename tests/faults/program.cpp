// Trains a small network, saves after every third batch, and goes on from what is there: what tests/faults/*.py disturb.
//   fault_program FOLDER EPOCHS       goes on and trains; prints "saved n" when a save after n steps has returned; a signal makes it save
//   and
//                                     leave
//   fault_program FOLDER holds        prints what a resume finds, as the line above does at its beginning: "holds n", or "holds nothing"
//   fault_program FOLDER formats      reads a file of each format, in.*; writes what it has read as one of each, out.*
// An error is one line on stderr and exit code 1.
#include <capstan/capstan.h>
#include <capstan/data/idx.h>
#include <capstan/data/npy.h>
#include <capstan/data/safetensors.h>
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

  /// Takes the newest save, and says after how many steps that was.
  void resume() {
    if (checkpoint.load()) saved = {steps, batches.epoch()};
    std::printf(saved.first < 0 ? "holds nothing\n" : "holds %lld\n", static_cast<long long>(steps));
  }

  /// Goes on to the end, or until a signal arrives; the exit code.
  int train(std::int64_t epochs) {
    const StopSignal stop;
    resume();
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

void copy_formats(const std::string& folder) {
  const std::string in = folder + "/in.", out = folder + "/out.";
  TensorMap all;
  for (const auto& [name, tensor] : load(in + "safetensors")) all.insert("safetensors " + name, tensor);
  for (const auto& [name, tensor] : data::read_npz(in + "npz")) all.insert("npz " + name, tensor);
  for (const auto& [name, tensor] : data::read_npz(in + "deflated.npz")) all.insert("deflated " + name, tensor);
  all.insert("npy", data::read_npy(in + "npy"));
  all.insert("idx", data::read_idx(in + "idx"));
  all.insert("idx.gz", data::read_idx(in + "idx.gz"));
  all.insert("csv", data::read_table(in + "csv"));
  save(out + "safetensors", all);
  data::write_npz(out + "npz", all);
  data::write_npy(out + "npy", all["npy"]);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  try {
    const std::string what = argv[2];
    if (what == "formats") {
      copy_formats(argv[1]);
      return 0;
    }
    manual_seed(5);
    Run run(argv[1]);
    if (what != "holds") return run.train(std::atoll(argv[2]));
    run.resume();
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
