// Six libraries compute six different things under the name of Adagrad. For each: the formula with its numbers, the first
// step at rate 0.1 for gradients of 1, 1e-3 and 1e-6, and where the chapter's run on 0.1 x1^2 + 2 x2^2 ends (rate 0.4, 20 steps
// from (-5, -2)); every number comes from the optimizer itself, in f64.
// Run:       ./run example dialects        (--optimizer adds a row; --lr, or its lr=, is the rate of all)
// Last line: at a gradient of 1e-06 the longest first step is 316,[0-9]+ times the shortest
// Picture:   dialects.svg First step of six dialects of Adagrad, rate 0\.1<
// Test:
// Last line: at a gradient of 1e-06 the longest first step is 1,000,000 times the shortest
// Picture:   dialects.svg First step of six dialects of Adagrad and of sgd lr=0\.1, rate 0\.1<
// Test:      --optimizer "sgd lr=0.1"
#include "cli.h"

#include <algorithm>
#include <cmath>
#include <functional>

using namespace capstan;

namespace {

using Make = std::function<std::unique_ptr<optim::Optimizer>(const Parameters&, double lr)>;

struct Row {
  std::string name;
  Make make;
};

Row dialect(const char* name, optim::AdagradOptions (*options)(double lr)) {
  return {name, [=](const Parameters& parameters, double lr) { return std::make_unique<optim::Adagrad>(parameters, options(lr)); }};
}

std::vector<Row> all_rows(const cli::Flags& flags) {
  using optim::AdagradOptions;
  std::vector<Row> rows = {dialect("torch", AdagradOptions::torch), dialect("d2l", AdagradOptions::d2l),
                           dialect("optax", AdagradOptions::optax), dialect("keras", AdagradOptions::keras),
                           dialect("mlx", AdagradOptions::mlx),     dialect("dynet", AdagradOptions::dynet)};
  if (flags.optimizer)
    rows.push_back({*flags.optimizer, [spec = *flags.optimizer](const Parameters& parameters, double lr) {
                      auto optimizer = optim::make(spec, parameters);
                      optimizer->set_lr(lr);
                      return optimizer;
                    }});
  return rows;
}

/// How far the first step goes along a gradient of that size.
double first_step(const Row& row, double lr, double gradient) {
  Tensor w = parameter(zeros({}, DType::f64));
  const auto optimizer = row.make({{"w", w}}, lr);
  Tape tape;
  optimizer->step(tape.gradients(gradient * w));
  return 0 - w.item();  // -w would be -0 where nothing moved
}

/// Where the run ends: " -2.382563  -0.158591", or at which step f was not finite any more.
std::string trace(const Row& row, double lr, std::int64_t steps) {
  Tensor x1 = parameter(tensor(-5, DType::f64)), x2 = parameter(tensor(-2, DType::f64));
  const auto optimizer = row.make({{"x1", x1}, {"x2", x2}}, lr);
  for (std::int64_t i = 0; i < steps; ++i) {
    Tape tape;
    const Tensor f = 0.1 * square(x1) + 2 * square(x2);
    if (!std::isfinite(f.item())) return "diverged at step " + std::to_string(i);
    optimizer->step(tape.gradients(f));
  }
  char text[96];
  std::snprintf(text, sizeof text, "%9s  %9s", cli::decimals(x1.item(), 6).c_str(), cli::decimals(x2.item(), 6).c_str());
  return text;
}

/// The first line of explain(), without the method's name.
std::string formula(const Row& row, double lr) {
  const std::string text = row.make({{"w", zeros({})}}, lr)->explain();
  return text.substr(text.find(": ") + 2, text.find('\n') - text.find(": ") - 2);
}

/// "316,228": a whole number in groups of three digits.
std::string grouped(double value) {
  std::string digits = std::to_string(static_cast<long long>(value + 0.5));
  for (std::size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, ",");
  return digits;
}

int run(const cli::Flags& flags) {
  flags.check_targets({"dialects.svg"});
  const double lr = flags.lr.value_or(0.1), trace_lr = flags.lr.value_or(0.4);
  const std::vector<Row> rows = all_rows(flags);
  int width = 7;
  for (const Row& row : rows) width = std::max(width, static_cast<int>(row.name.size()));
  std::printf("%-*s   first step at rate %g, gradient of    after %lld steps at rate %g\n", width, "", lr,
              static_cast<long long>(flags.epochs), trace_lr);
  std::printf("%-*s        1       1e-3       1e-6         x1         x2   formula\n", width, flags.optimizer ? "method" : "adagrad");
  double longest = 0, shortest = INFINITY;
  std::vector<double> gradients;
  for (int k = -180; k <= 20; ++k) gradients.push_back(std::pow(10, k / 20.0));
  const std::string rate = ", rate " + cli::general(lr);
  plot::LineChart chart({.title = "First step of six dialects of Adagrad" + (flags.optimizer ? " and of " + *flags.optimizer : "") + rate,
                         .x = {.label = "gradient", .log = true},
                         .y = {.label = "first step", .log = true}});
  for (const Row& row : rows) {
    const double tiny = first_step(row, lr, 1e-6);
    std::printf("%-*s %8s %10.3g %10.3g  %-20s   %s\n", width, row.name.c_str(), cli::decimals(first_step(row, lr, 1), 6).c_str(),
                first_step(row, lr, 1e-3), tiny, trace(row, trace_lr, flags.epochs).c_str(), formula(row, lr).c_str());
    longest = std::max(longest, tiny);
    shortest = std::min(shortest, tiny);
    std::vector<double> steps;
    for (const double g : gradients) steps.push_back(first_step(row, lr, g));
    chart.add(row.name, gradients, steps);
  }
  flags.save(chart, "dialects.svg");
  const double times = longest / shortest;
  if (times > 0 && times < 1e15)
    std::printf("at a gradient of 1e-06 the longest first step is %s times the shortest\n", grouped(times).c_str());
  else
    std::printf("at a gradient of 1e-06 the first steps lie between %g and %g\n", shortest, longest);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run(argc, argv, {.description = "The six dialects of Adagrad", .epochs = 20, .epoch = "steps of the chapter's run"}, run);
}
