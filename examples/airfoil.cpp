// Linear regression on NASA's airfoil self-noise with Adagrad, twice: from scratch, with the update rule written here, and
// concise, with the library's layer and optimizer. The data are as in the chapter: every column standardised over all 1,503
// rows, the first 1,500 rows in batches of 10; the loss is squared with the half, (prediction - y)^2 / 2.
// Run:       ./run data airfoil && ./run example airfoil        (or --data FILE, or CAPSTAN_DATA=FOLDER; or --data synthetic)
// Last line: loss: 0\.24[2-8], [0-9.]+ sec/epoch
#include "airfoil.h"

#include <algorithm>
#include <cmath>
#include <utility>

using namespace capstan;

namespace {

using airfoil::Record;

Tensor squared_loss(const Tensor& prediction, const Tensor& y) { return mean(square(prediction - y)) / 2; }

// From scratch: the state, the rule and the loop.

struct Parameter {
  Tensor w, s;  // the value, and the sum of its squared gradients
};

void adagrad(std::vector<Parameter>& parameters, const Gradients& gradients, double lr) {
  const NoGrad pause;
  for (auto& [w, s] : parameters) {
    const Tensor g = gradients[w];
    s += square(g);
    w -= lr * g / sqrt(s + 1e-6);
  }
}

Record from_scratch(const data::Dataset& examples, std::int64_t epochs, double lr) {
  const Tensor w = parameter(normal({1, 5}, 0, 0.01)), b = parameter(zeros({1}));
  std::vector<Parameter> parameters = {{w, zeros_like(w)}, {b, zeros_like(b)}};
  Record record;
  const auto loss = [&] { return squared_loss(linear(examples.x, w, b), examples.y); };
  for (std::int64_t epoch = 0; epoch < epochs; ++epoch)
    for (auto [x, y] : data::Batches(examples, {.batch_size = 10, .shuffle = true})) {
      {
        Tape tape;
        const Tensor batch_loss = squared_loss(matmul(x, w, {.transpose_b = true}) + b, y);
        record.diverged = !std::isfinite(batch_loss.item());
        if (record.diverged) return record;
        adagrad(parameters, tape.gradients(batch_loss), lr);
      }
      record.batch(x.size(0), loss);
    }
  record.end(loss);
  return record;
}

// Concise: the library's layer and optimizer.

struct Concise {
  Record record;
  double lr;
};

/// Nothing when it was interrupted.
std::optional<Concise> concise(const data::Dataset& examples, const cli::Flags& flags, cli::SavedRun& saved) {
  nn::Linear model(5, 1);
  nn::init::normal(model.weight, 0, 0.01);
  nn::init::zeros(model.bias);
  const auto optimizer = flags.make_optimizer<optim::Adagrad>(model.parameters(), optim::AdagradOptions::optax(0.1));
  std::printf("%s\n", optimizer->explain().c_str());
  data::Batches batches(examples, {.batch_size = 10, .shuffle = true});
  Record record;
  saved.add("model", model).add("optimizer", *optimizer).add("batches", batches);
  record.add_to(saved);
  record.apart([&] { saved.begin(); });
  saved.finished(batches.epoch());

  const auto loss = [&] { return mse_loss(model(examples.x), examples.y) / 2; };
  try {
    while (batches.epoch() < flags.epochs) {
      for (auto [x, y] : batches) {
        {
          Tape tape;
          optimizer->step(tape.gradients(mse_loss(model(x), y) / 2));
        }
        record.batch(x.size(0), loss);
        if (saved.interrupted()) return std::nullopt;
      }
      record.apart([&] { saved.save(); });
    }
    record.end(loss);
  } catch (const NotFiniteError&) {
    record.diverged = true;
  }
  return Concise{record, optimizer->lr()};
}

/// The losses so far; on a log axis when one curve would otherwise leave the other no height.
void draw(const cli::Flags& flags, const std::string& title, const std::vector<std::pair<std::string, const Record*>>& curves) {
  double least = INFINITY, most = 0;
  std::string note;
  for (const auto& [name, record] : curves) {
    if (record->diverged) note += (note.empty() ? "" : ", ") + record->divergence(name);
    for (const double loss : record->losses)
      if (std::isfinite(loss)) least = std::min(least, loss), most = std::max(most, loss);
  }
  if (!(least <= most)) {
    std::printf("no picture: no loss is finite after 200 examples\n");
    return;
  }
  plot::LineChart chart({.title = title,
                         .x = {.label = "epoch", .low = 0, .whole = true},
                         .y = {.label = "squared loss / 2", .log = least > 0 && most > 100 * least},
                         .note = note});
  for (const auto& [name, record] : curves)
    if (!record->losses.empty()) chart.add(name, record->epochs, record->losses);
  flags.save(chart, "airfoil.svg");
}

int run(const cli::Flags& flags) {
  flags.check_targets({"airfoil.svg"});
  cli::SavedRun saved(flags, cli::Epochs::are_fixed);  // the run from scratch draws its random numbers first, for all of them
  const std::filesystem::path path = airfoil::path_of(flags.data);
  if (flags.data != "synthetic") airfoil::require_there(path);
  const data::Dataset examples =
      flags.data == "synthetic" ? airfoil::examples_of(airfoil::synthetic_table(), "synthetic data") : airfoil::read_examples(path);

  const double lr = flags.others_lr().value_or(0.1);
  std::printf("%s, squared loss with the half\n\nAdagrad from scratch, rate %g\n",
              flags.data == "synthetic" ? "synthetic data" : path.c_str(), lr);
  const Record scratch = from_scratch(examples, flags.epochs, lr);
  scratch.print("Adagrad from scratch");
  std::printf("\nconcise, ");
  const std::optional<Concise> library = concise(examples, flags, saved);
  if (!library) return saved.exit_code();

  const std::string other = flags.optimizer ? " from scratch and " + *flags.optimizer : "";
  const std::string name = flags.optimizer ? cli::with_rate(*flags.optimizer, library->lr) : "concise";
  draw(flags, "Adagrad" + other + (flags.data == "synthetic" ? " on synthetic data" : " on the airfoil data"),
       {{flags.optimizer ? "Adagrad from scratch, lr " + cli::general(lr) : "from scratch", &scratch}, {name, &library->record}});
  library->record.print(name);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run(argc, argv,
                  {.description = "Linear regression with Adagrad, from scratch and concise",
                   .epochs = 2,
                   .data = "the table, its folder, or \"synthetic\" (default: CAPSTAN_DATA)",
                   .saves = true},
                  run);
}

// How it is tested:
// Picture:   airfoil.svg Adagrad on synthetic data<
// Test:           --data synthetic
// Last line: loss: 0\.24[2-8], [0-9.]+ sec/epoch
// Picture:   airfoil.svg Adagrad on the airfoil data<
// Test with data:
// Last line: loss: 0\.[0-9]+, [0-9.]+ sec/epoch
// Picture:   airfoil.svg Adagrad from scratch and rmsprop lr=0\.01 on synthetic data<
// Picture:   airfoil.svg rmsprop lr=0\.01<
// Test:           --data synthetic --optimizer "rmsprop lr=0.01"
// Last line: sgd lr=1e4 diverged at step 6$
// Picture:   airfoil.svg Adagrad from scratch, lr 0\.1<
// Picture:   airfoil.svg sgd lr=1e4 diverged at step 6<
// Test:           --data synthetic --optimizer "sgd lr=1e4"
// Last line: loss: 0\.[0-9]+, [0-9.]+ sec/epoch
// Picture:   airfoil.svg Adagrad from scratch, lr 0\.1<
// Picture:   airfoil.svg adagrad, lr 0\.01<
// Picture:   airfoil.svg 3<
// Test:           --data synthetic --optimizer adagrad --epochs 3
