// Trains a multilayer perceptron with Adam on 60,000 photographs of clothes, Fashion-MNIST, and tests it on the 10,000 of its test set.
// Shows data of a real size: compressed IDX files are read, the rate falls as a cosine, and each class is looked at in the end.
// Run:       ./run example fashion            (which installs Debian's package; or --data FOLDER with the four files as published)
// Package:   dataset-fashion-mnist
// It ends with: accuracy 0.8971, after half a minute on two cores
#include <capstan/optim/schedule.h>

#include <algorithm>
#include <array>

#include "cli.h"
#include "saved_run.h"

using namespace capstan;

namespace {

constexpr std::array classes = {"T-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"};

/// The loss and the class of each row, a thousand rows at a time.
struct Outcome {
  double loss = 0, accuracy = 0;
  std::vector<std::int64_t> predicted;
};

Outcome evaluate(nn::Sequential& model, const data::Dataset& set) {
  Outcome outcome;
  for (auto [x, y] : data::Batches(set, {.batch_size = 1000})) {
    const Tensor logits = model(x), predicted = argmax(logits, 1);
    const double share = static_cast<double>(x.size(0)) / static_cast<double>(set.size());
    outcome.loss += share * cross_entropy(logits, y).item();
    outcome.accuracy += share * metrics::accuracy(logits, y);
    outcome.predicted.insert(outcome.predicted.end(), predicted.data<std::int64_t>(), predicted.data<std::int64_t>() + predicted.numel());
  }
  return outcome;
}

/// How many of each class are found, and what the others are taken for most often.
void print_classes(const std::vector<std::int64_t>& predicted, const Tensor& labels) {
  std::array<std::array<int, 10>, 10> count{};
  for (std::size_t i = 0; i < predicted.size(); ++i)
    ++count[static_cast<std::size_t>(labels.data<std::int64_t>()[i])][static_cast<std::size_t>(predicted[i])];
  for (std::size_t k = 0; k < classes.size(); ++k) {
    auto others = count[k];
    others[k] = 0;
    const auto most = static_cast<std::size_t>(std::max_element(others.begin(), others.end()) - others.begin());
    std::printf("%-10s  %4d found, %3d taken for %s\n", classes[k], count[k][k], others[most], classes[most]);
  }
}

void draw(const cli::Flags& flags, const std::string& note = "") {
  cli::draw_losses(flags, "fashion", {.title = "Fashion-MNIST", .x = {.label = "epoch"}, .y = {.label = "cross entropy"}, .note = note});
}

int run(const cli::Flags& flags) {
  flags.check_targets({"fashion.csv", "fashion.svg"});
  cli::SavedRun saved(flags, cli::Epochs::are_fixed);  // the rate falls over all of them
  const auto [training, test] = flags.data ? data::fashion_mnist(*flags.data) : data::fashion_mnist();
  nn::Sequential model{nn::Linear(784, 256), nn::ReLU(), nn::Linear(256, 256), nn::ReLU(), nn::Linear(256, 10)};
  const auto optimizer = flags.make_optimizer<optim::Adam>(model.parameters(), optim::AdamOptions{.lr = 1e-3});
  std::printf("%s\n%s\n", summary(model).c_str(), optimizer->explain().c_str());

  data::Batches batches(training, {.batch_size = 128, .shuffle = true});
  const optim::Schedule rate = optim::schedule::cosine(optimizer->lr(), flags.epochs * batches.size());
  CsvLog log(flags.path("fashion.csv"), {"epoch", "loss", "test_loss", "accuracy"}, saved.log_options());
  double total = 0;  // of the losses of this epoch

  saved.add("model", model).add("optimizer", *optimizer).add("batches", batches).add("log", log).add("total", total);
  saved.begin();
  if (saved.finished(batches.epoch())) return draw(flags), 0;

  Progress progress(flags.epochs, batches.size(), {.done = batches.epoch()});
  Outcome outcome;
  try {
    while (batches.epoch() < flags.epochs) {
      for (auto [x, y] : batches) {
        optimizer->set_lr(rate(optimizer->step_count()));
        Tape tape;
        const Tensor loss = cross_entropy(model(x), y);
        optimizer->step(tape.gradients(loss));
        total += loss.item();
        progress.step({{"loss", loss.item()}});
        if (saved.interrupted()) return saved.exit_code();
      }
      outcome = evaluate(model, test);
      const double loss = total / static_cast<double>(batches.size());
      log.row(batches.epoch(), loss, outcome.loss, outcome.accuracy);
      progress.end_epoch({{"loss", loss}, {"accuracy", outcome.accuracy}});
      total = 0;
      saved.save();
    }
  } catch (const NotFiniteError&) {
    const std::string end = "diverged at step " + std::to_string(optimizer->step_count() + 1);
    if (batches.epoch() > 0) draw(flags, end);
    std::printf("%s (a lower lr?)\n", end.c_str());
    return 0;
  }
  print_classes(outcome.predicted, test.y);
  draw(flags);
  std::printf("accuracy %.4f\n", outcome.accuracy);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run(argc, argv,
                  {.description = "Trains a multilayer perceptron on Fashion-MNIST",
                   .epochs = 15,
                   .data = "the folder with the four files (default: where Debian installs them)",
                   .saves = true},
                  run);
}

// How it is tested, in one pass over the data instead of 15:
// Last line: accuracy 0\.8[2-9][0-9]+$
// Picture:   fashion.svg Fashion-MNIST<
// Test with /usr/share/datasets/fashion-mnist: --epochs 1 --seed 0
// Last line: diverged at step [0-9]+ \(a lower lr\?\)$
// Test with /usr/share/datasets/fashion-mnist: --optimizer "sgd lr=1e10" --epochs 1
