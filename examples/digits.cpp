// Trains a multilayer perceptron with Adagrad on the handwritten digits that are shipped, and tests it on every fifth one.
// Shows the whole of a training program: model, batches, optimizer, progress, log, chart.
// Run:       ./run                            (or ./run example digits [flags])
// Last line: accuracy 0\.9[7-9][0-9]+$
// Test:      --seed 0 --threads 1
// Test:      --seed 1
// Test:      --seed 2
// Test:      --seed 3
// Test:      --seed 4
#include "cli.h"

using namespace capstan;

namespace {

int run(const cli::Flags& flags) {
  const auto [training, test] = data::digits().split(5);
  nn::Sequential model{nn::Linear(64, 512), nn::ReLU(), nn::Linear(512, 10)};
  const auto optimizer = flags.make_optimizer<optim::Adagrad>(model.parameters(), optim::AdagradOptions{.lr = 0.05});
  std::printf("%s\n%s\n", summary(model).c_str(), optimizer->explain().c_str());

  const data::Batches batches(training, {.batch_size = 32, .shuffle = true});
  train::CsvLog log(flags.path("digits.csv"), {"epoch", "loss", "test_loss", "accuracy"}, {.overwrite = true});
  train::Progress progress(flags.epochs, batches.size());
  std::vector<double> epochs, losses, test_losses;
  double accuracy = 0;
  for (std::int64_t epoch = 1; epoch <= flags.epochs; ++epoch) {
    double total = 0;
    for (auto [x, y] : batches) {
      Tape tape;
      const Tensor loss = cross_entropy(model(x), y);
      optimizer->step(tape.gradients(loss));
      total += loss.item();
      progress.step({{"loss", loss.item()}});
    }
    const Tensor logits = model(test.x);
    accuracy = train::accuracy(logits, test.y);
    epochs.push_back(static_cast<double>(epoch));
    losses.push_back(total / static_cast<double>(batches.size()));
    test_losses.push_back(cross_entropy(logits, test.y).item());
    log.row(epoch, losses.back(), test_losses.back(), accuracy);
    progress.end_epoch({{"loss", losses.back()}, {"accuracy", accuracy}});
  }

  train::LineChart chart({.title = "Handwritten digits", .x = {.label = "epoch"}, .y = {.label = "cross entropy", .log = true}});
  chart.add("training", epochs, losses).add("held out", epochs, test_losses);
  std::printf("wrote %s\n", flags.path("digits.csv").c_str());
  flags.save(chart, "digits.svg");
  std::printf("accuracy %.4f\n", accuracy);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run(argc, argv, {.description = "Trains a multilayer perceptron on handwritten digits", .epochs = 30}, run);
}
