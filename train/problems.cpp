// The problems of a comparison. Each makes an Attempt: fresh parameters, and a function that trains them for an epoch.
#include <capstan/train/problems.h>

#include <capstan/autograd/ops.h>
#include <capstan/autograd/tape.h>
#include <capstan/core/create.h>
#include <capstan/core/error.h>
#include <capstan/core/random.h>
#include <capstan/data/batches.h>
#include <capstan/data/samples.h>
#include <capstan/nn/activations.h>
#include <capstan/nn/embedding.h>
#include <capstan/nn/init.h>
#include <capstan/nn/linear.h>
#include <capstan/nn/sequential.h>

#include <cmath>
#include <functional>
#include <memory>
#include <numbers>

namespace capstan {

struct detail::Attempt {
  Parameters parameters;
  std::function<double(optim::Optimizer&)> epoch;  // the score after it
};

using detail::Attempt;

std::vector<double> Problem::operator()(const MakeOptimizer& make) const {
  manual_seed(seed);
  const Attempt attempt = begin(*this);
  const auto optimizer = make(attempt.parameters);
  std::vector<double> scores;
  while (std::ssize(scores) < epochs) scores.push_back(attempt.epoch(*optimizer));
  return scores;
}

std::vector<std::string> Problem::suited(const std::vector<std::string>& specs) const {
  Problem untrained = *this;
  untrained.epochs = 0;
  std::vector<std::string> taken;
  for (const std::string& spec : specs) {
    optim::make(spec, {{"x", zeros({1, 1})}});  // a wrong one is refused, and not left out
    try {
      untrained(MakeOptimizer(spec, options.rates.front()));
      taken.push_back(spec);
    } catch (const ValueError&) {
      continue;
    }
  }
  return taken;
}

Comparison compare(const std::vector<std::string>& specs, const Problem& problem) {
  return compare(
      specs, [&](const MakeOptimizer& make) { return problem(make); }, problem.options);
}

std::vector<Comparison> compare(const std::vector<std::string>& specs, const std::vector<Problem>& problems) {
  for (Problem problem : problems) {
    problem.epochs = 0;
    for (const std::string& spec : specs) problem(MakeOptimizer(spec, 1));
  }
  std::vector<Comparison> results;
  for (const Problem& problem : problems) results.push_back(compare(specs, problem));
  return results;
}

namespace {

/// A function of the plane, from a point; its value after so many steps.
template <class F>
Attempt descent(double from1, double from2, int steps, F f) {
  const Tensor x1 = parameter(tensor(from1, DType::f64)), x2 = parameter(tensor(from2, DType::f64));
  return {{{"x1", x1}, {"x2", x2}}, [=](optim::Optimizer& optimizer) {
            for (int step = 0; step < steps; ++step) {
              Tape tape;
              optimizer.step(tape.gradients(f(x1, x2)));
            }
            return f(x1, x2).item();
          }};
}

/// A model that learns from examples; the mean loss of a pass over them.
template <class Loss>
Attempt learning(nn::Sequential made, const data::Dataset& examples, std::int64_t batch_size, Loss loss) {
  const auto model = std::make_shared<nn::Sequential>(std::move(made));
  return {model->parameters(),
          [=, batches = data::Batches(examples, {.batch_size = batch_size, .shuffle = true})](optim::Optimizer& optimizer) mutable {
            double total = 0;
            for (auto [x, y] : batches) {
              Tape tape;
              const Tensor l = loss((*model)(x), y);
              optimizer.step(tape.gradients(l));
              total += l.item();
            }
            return total / static_cast<double>(batches.size());
          }};
}

Tensor squared_error(const Tensor& prediction, const Tensor& y) { return mse_loss(prediction, y); }
Tensor sum_of_words(const Tensor& values) { return sum(values, 1); }

Attempt begin_valley(const Problem&) {
  return descent(-5, -2, 1, [](const Tensor& x1, const Tensor& x2) { return 0.1 * square(x1) + 2 * square(x2); });
}

Attempt begin_rosenbrock(const Problem&) {
  return descent(-1.2, 1, 50, [](const Tensor& x1, const Tensor& x2) { return square(1 - x1) + 100 * square(x2 - square(x1)); });
}

Attempt begin_digits(const Problem& digits) {
  nn::Sequential model{nn::Linear(64, 64), nn::ReLU(), nn::Linear(64, 10)};
  return learning(std::move(model), digits.examples, 32,
                  [](const Tensor& logits, const Tensor& labels) { return cross_entropy(logits, labels); });
}

Attempt begin_sparse(const Problem&) {
  constexpr std::int64_t words = 2000, examples = 2000, length = 10;
  const Tensor x = (exp(std::log(words) * uniform({examples, length})) - 1).to(DType::i64);
  nn::Sequential model{nn::Embedding(words, 1), sum_of_words}, truth{nn::Embedding(words, 1), sum_of_words};
  nn::init::zeros(model.get<nn::Embedding>(0).weight);
  return learning(std::move(model), {x, truth(x) + 0.1 * randn({examples, 1})}, 10, squared_error);
}

Attempt begin_moving_target(const Problem&) {
  constexpr int turn = 500;
  const Tensor w = parameter(zeros({2}));
  return {{{"w", w}}, [w](optim::Optimizer& optimizer) {
            double distance = 0;
            for (int i = 0; i < turn; ++i) {
              const double angle = 2 * std::numbers::pi * i / turn;
              const Tensor target = tensor({std::cos(angle), std::sin(angle)}), x = randn({1, 2}), y = matmul(x, target) + 0.1 * randn({1});
              Tape tape;
              optimizer.step(tape.gradients(mse_loss(matmul(x, w), y)));
              distance += norm(w - target).item();
            }
            return distance / turn;
          }};
}

Attempt begin_mlp(const Problem&) {
  nn::Sequential model{nn::Linear(8, 40), nn::Tanh(), nn::Linear(40, 40), nn::Tanh(), nn::Linear(40, 1)};
  nn::Sequential truth{nn::Linear(8, 16), nn::Tanh(), nn::Linear(16, 1)};
  for (auto& [name, weight] : truth.parameters()) nn::init::normal(weight, 0, 0.5);
  const Tensor x = randn({1000, 8});
  return learning(std::move(model), {x, truth(x)}, 20, squared_error);
}

Problem problem(const char* name, const char* title, const char* score, const char* epoch, Attempt (*begin)(const Problem&)) {
  return {name, {.title = title, .score = score, .progress = epoch}, begin};
}

}  // namespace

Problem problems::valley() { return problem("valley", "0.1 x1² + 2 x2²", "value", "step", begin_valley); }
Problem problems::rosenbrock() { return problem("rosenbrock", "Rosenbrock's valley", "value", "50 steps", begin_rosenbrock); }
Problem problems::digits(const std::string& share) {
  Problem digits = problem("digits", "Handwritten digits", "cross entropy", "epoch", begin_digits);
  digits.examples = data::digits(share).split(5).first;
  return digits;
}
Problem problems::sparse() { return problem("sparse", "Rare features", "squared error", "epoch", begin_sparse); }
Problem problems::moving_target() { return problem("moving_target", "A moving target", "distance", "turn", begin_moving_target); }
Problem problems::mlp() { return problem("mlp", "A network that learns another", "squared error", "epoch", begin_mlp); }
std::vector<Problem> problems::all(const std::string& share) {
  return {valley(), rosenbrock(), digits(share), sparse(), moving_target(), mlp()};
}

}  // namespace capstan
