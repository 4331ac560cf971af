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

using namespace capstan;

namespace {

/// The losses of each epoch.
struct History {
  std::vector<double> epochs, training, held_out;
  double accuracy = 0;
};

/// Goes on until the epochs are done or, which is thrown, the loss is not finite any more.
void train_model(nn::Sequential& model, optim::Optimizer& optimizer, const cli::Flags& flags, History& history) {
  const auto [training, test] = data::digits().split(5);
  data::Batches batches(training, {.batch_size = 32, .shuffle = true});
  CsvLog log(flags.path("digits.csv"), {"epoch", "loss", "test_loss", "accuracy"}, {.overwrite = true});
  Progress progress(flags.epochs, batches.size());
  for (std::int64_t epoch = 1; epoch <= flags.epochs; ++epoch) {
    double total = 0;
    for (auto [x, y] : batches) {
      Tape tape;
      const Tensor loss = cross_entropy(model(x), y);
      optimizer.step(tape.gradients(loss));
      total += loss.item();
      progress.step({{"loss", loss.item()}});
    }
    const Tensor logits = model(test.x);
    history.accuracy = metrics::accuracy(logits, test.y);
    history.epochs.push_back(static_cast<double>(epoch));
    history.training.push_back(total / static_cast<double>(batches.size()));
    history.held_out.push_back(cross_entropy(logits, test.y).item());
    log.row(epoch, history.training.back(), history.held_out.back(), history.accuracy);
    progress.end_epoch({{"loss", history.training.back()}, {"accuracy", history.accuracy}});
  }
}

int run(const cli::Flags& flags) {
  flags.check_targets({"digits.csv", "digits.svg"});
  nn::Sequential model{nn::Linear(64, 512), nn::ReLU(), nn::Linear(512, 10)};
  const auto optimizer = flags.make_optimizer<optim::Adagrad>(model.parameters(), optim::AdagradOptions{.lr = 0.05});
  std::printf("%s\n%s\n", summary(model).c_str(), optimizer->explain().c_str());

  History history;
  bool diverged = false;
  try {
    train_model(model, *optimizer, flags, history);
  } catch (const NotFiniteError&) {
    diverged = true;
  }
  const std::string end = diverged ? "diverged at step " + std::to_string(optimizer->step_count() + 1) : "";
  std::printf("wrote %s\n", flags.path("digits.csv").c_str());
  if (!history.epochs.empty()) {
    plot::LineChart chart(
        {.title = "Handwritten digits", .x = {.label = "epoch"}, .y = {.label = "cross entropy", .log = true}, .note = end});
    chart.add("training", history.epochs, history.training).add("held out", history.epochs, history.held_out);
    flags.save(chart, "digits.svg");
  }
  if (diverged)
    std::printf("%s (a lower lr?)\n", end.c_str());
  else
    std::printf("accuracy %.4f\n", history.accuracy);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run(argc, argv, {.description = "Trains a multilayer perceptron on handwritten digits", .epochs = 30}, run);
}
