// Trains a multilayer perceptron with Adagrad on the handwritten digits that are shipped, and tests it on every fifth one.
// Shows the whole of a training program: model, batches, optimizer, progress, log, chart.
// Run:       ./run                            (or ./run example digits [flags])
// Last line: accuracy 0\.9[7-9][0-9]+$
// Test:      --seed 0 --threads 1
// Test:      --seed 1
// Test:      --seed 2
// Test:      --seed 3
// Test:      --seed 4
// Last line: diverged at step [0-9]+ \(a lower lr\?\)$
// Test:      --optimizer sgd --lr 1e10 --epochs 2
#include "cli.h"
#include "saved_run.h"

using namespace capstan;

namespace {

void draw(const cli::Flags& flags, const std::string& note = "") {
  cli::draw_losses(flags, "digits",
                   {.title = "Handwritten digits", .x = {.label = "epoch"}, .y = {.label = "cross entropy", .log = true}, .note = note});
}

int run(const cli::Flags& flags) {
  flags.check_targets({"digits.csv", "digits.svg"});
  cli::SavedRun saved(flags);
  const auto [training, test] = data::digits().split(5);
  nn::Sequential model{nn::Linear(64, 512), nn::ReLU(), nn::Linear(512, 10)};
  const auto optimizer = flags.make_optimizer<optim::Adagrad>(model.parameters(), optim::AdagradOptions{.lr = 0.05});
  std::printf("%s\n%s\n", summary(model).c_str(), optimizer->explain().c_str());
  data::Batches batches(training, {.batch_size = 32, .shuffle = true});
  CsvLog log(flags.path("digits.csv"), {"epoch", "loss", "test_loss", "accuracy"}, saved.log_options());
  double total = 0;  // of the losses of this epoch

  saved.add("model", model).add("optimizer", *optimizer).add("batches", batches).add("log", log).add("total", total);
  saved.begin();
  if (saved.finished(batches.epoch())) return draw(flags), 0;

  Progress progress(flags.epochs, batches.size(), {.done = batches.epoch()});
  bool diverged = false;
  double accuracy = 0;
  try {
    while (batches.epoch() < flags.epochs) {
      for (auto [x, y] : batches) {
        Tape tape;
        const Tensor loss = cross_entropy(model(x), y);
        optimizer->step(tape.gradients(loss));
        total += loss.item();
        progress.step({{"loss", loss.item()}});
        if (saved.interrupted()) return saved.exit_code();
      }
      const Tensor logits = model(test.x);
      const double loss = total / static_cast<double>(batches.size());
      accuracy = metrics::accuracy(logits, test.y);
      log.row(static_cast<double>(batches.epoch()), loss, cross_entropy(logits, test.y).item(), accuracy);
      progress.end_epoch({{"loss", loss}, {"accuracy", accuracy}});
      total = 0;
      saved.save();
    }
  } catch (const NotFiniteError&) {
    diverged = true;
  }
  const std::string end = diverged ? "diverged at step " + std::to_string(optimizer->step_count() + 1) : "";
  if (batches.epoch() > 0) draw(flags, end);
  if (diverged)
    std::printf("%s (a lower lr?)\n", end.c_str());
  else
    std::printf("accuracy %.4f\n", accuracy);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run(argc, argv, {.description = "Trains a multilayer perceptron on handwritten digits", .epochs = 30, .saves = true}, run);
}
