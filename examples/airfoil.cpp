// Linear regression on NASA's airfoil self-noise with Adagrad, twice: from scratch, with the update rule written here, and
// concise, with the library's layer and optimizer. The data are as in the chapter: every column standardised over all 1,503
// rows, the first 1,500 rows in batches of 10; the loss is squared with the half, (prediction - y)^2 / 2.
// Run:       ./run data airfoil && ./run example airfoil        (or --data FILE, or CAPSTAN_DATA=FOLDER; or --data synthetic)
// Last line: loss: 0\.24[2-8], [0-9.]+ sec/epoch
// Picture:   airfoil.svg Adagrad on synthetic data<
// Test:           --data synthetic
// Last line: loss: 0\.24[2-8], [0-9.]+ sec/epoch
// Picture:   airfoil.svg Adagrad on the airfoil data<
// Test with data:
// Last line: loss: 0\.[0-9]+, [0-9.]+ sec/epoch
// Picture:   airfoil.svg Adagrad from scratch and rmsprop lr=0\.01 on synthetic data<
// Picture:   airfoil.svg rmsprop lr=0\.01<
// Test:           --data synthetic --optimizer "rmsprop lr=0.01"
#include "airfoil_table.h"
#include "cli.h"

#include <chrono>

using namespace capstan;

namespace {

using airfoil::used_rows;

/// The loss over all examples after every 200 of them; the clock stands still meanwhile.
class Record {
 public:
  template <class Loss>
  void batch(std::int64_t size, Loss loss) {
    seen_ += size;
    if (seen_ % 200 == 0) look(loss);
  }
  /// After the last batch, which no 200 may end with.
  template <class Loss>
  void end(Loss loss) {
    if (seen_ % 200 != 0) look(loss);
  }
  void print() const {
    const double passes = static_cast<double>(seen_) / used_rows;
    std::printf("loss: %.3f, %.6f sec/epoch\n", losses.back(), seconds_ / passes);
  }

  std::vector<double> epochs, losses;

 private:
  using Clock = std::chrono::steady_clock;

  template <class Loss>
  void look(Loss loss) {
    const auto now = Clock::now();
    seconds_ += std::chrono::duration<double>(now - start_).count();
    epochs.push_back(static_cast<double>(seen_) / used_rows);
    losses.push_back(loss().item());
    start_ = Clock::now();
  }

  Clock::time_point start_ = Clock::now();
  double seconds_ = 0;
  std::int64_t seen_ = 0;
};

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
        adagrad(parameters, tape.gradients(squared_loss(matmul(x, w, {.transpose_b = true}) + b, y)), lr);
      }
      record.batch(x.size(0), loss);
    }
  record.end(loss);
  return record;
}

// Concise: the library's layer and optimizer.

Record concise(const data::Dataset& examples, const cli::Flags& flags) {
  nn::Linear model(5, 1);
  nn::init::normal(model.weight, 0, 0.01);
  nn::init::zeros(model.bias);
  const auto optimizer = flags.make_optimizer<optim::Adagrad>(model.parameters(), optim::AdagradOptions::optax(0.1));
  std::printf("%s\n", optimizer->explain().c_str());
  Record record;
  const auto loss = [&] { return mse_loss(model(examples.x), examples.y) / 2; };
  for (std::int64_t epoch = 0; epoch < flags.epochs; ++epoch)
    for (auto [x, y] : data::Batches(examples, {.batch_size = 10, .shuffle = true})) {
      {
        Tape tape;
        optimizer->step(tape.gradients(mse_loss(model(x), y) / 2));
      }
      record.batch(x.size(0), loss);
    }
  record.end(loss);
  return record;
}

int run(const cli::Flags& flags) {
  const std::filesystem::path path = airfoil::path_of(flags.data);
  if (flags.data != "synthetic") airfoil::require_there(path);
  const data::Dataset examples =
      flags.data == "synthetic" ? airfoil::examples_of(airfoil::synthetic_table(), "synthetic data") : airfoil::read_examples(path);

  const double lr = flags.others_lr().value_or(0.1);
  std::printf("%s, squared loss with the half\n\nAdagrad from scratch, rate %g\n",
              flags.data == "synthetic" ? "synthetic data" : path.c_str(), lr);
  const Record scratch = from_scratch(examples, flags.epochs, lr);
  scratch.print();
  std::printf("\nconcise, ");
  const Record library = concise(examples, flags);

  const std::string other = flags.optimizer ? " from scratch and " + *flags.optimizer : "";
  train::LineChart chart({.title = "Adagrad" + other + (flags.data == "synthetic" ? " on synthetic data" : " on the airfoil data"),
                          .x = {.label = "epoch", .low = 0},
                          .y = {.label = "squared loss / 2"}});
  chart.add(flags.optimizer ? "Adagrad from scratch" : "from scratch", scratch.epochs, scratch.losses);
  chart.add(flags.optimizer.value_or("concise"), library.epochs, library.losses);
  flags.save(chart, "airfoil.svg");
  library.print();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run(argc, argv, {.description = "Linear regression with Adagrad, from scratch and concise", .epochs = 2, .has_data = true},
                  run);
}
