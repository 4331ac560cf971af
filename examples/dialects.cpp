// Six libraries compute six different things under the name of Adagrad. For each: the first step at rate 0.1 for gradients of 1,
// 1e-3 and 1e-6, the value of the chapter's 0.1 x1^2 + 2 x2^2 after 20 steps at rate 0.4 from (-5, -2), and the formula; every number
// comes from the optimizer itself, in f64.
// Run:       ./run example dialects        (--optimizer adds a row; --lr is the rate of all)
// Last line: at a gradient of 1e-06 the longest first step is 316,[0-9]+ times the shortest
// Picture:   dialects.svg First step of six dialects of Adagrad, rate 0\.1<
// Test:
// Last line: at a gradient of 1e-06 the longest first step is 1,000,000 times the shortest
// Picture:   dialects.svg First step of six dialects of Adagrad and of sgd lr=0\.1, rate 0\.1<
// Test:      --optimizer "sgd lr=0.1"
#include <capstan/train/problems.h>

#include <algorithm>
#include <cmath>

#include "cli.h"

using namespace capstan;

namespace {

struct Dialect {
  std::string name, spec;
};

/// The options as text, which MakeOptimizer takes.
Dialect dialect(const char* name, const optim::AdagradOptions& options) {
  std::string spec = "adagrad";
  for (const auto& field : optim::Adagrad::fields)
    if (field.name != std::string("lr")) spec += std::string(" ") + field.name + "=" + cli::general(field.get(options));
  return {name, spec};
}

std::vector<Dialect> all_dialects(const cli::Flags& flags) {
  using O = optim::AdagradOptions;
  std::vector<Dialect> all = {dialect("torch", O::torch(1)), dialect("d2l", O::d2l(1)), dialect("optax", O::optax(1)),
                              dialect("keras", O::keras(1)), dialect("mlx", O::mlx(1)), dialect("dynet", O::dynet(1))};
  if (flags.optimizer) all.push_back({*flags.optimizer, *flags.optimizer});
  return all;
}

/// How far the first step goes along a gradient of that size.
double first_step(const MakeOptimizer& make, double gradient) {
  const Tensor w = parameter(zeros({}, DType::f64));
  const auto optimizer = make({{"w", w}});
  Tape tape;
  optimizer->step(tape.gradients(gradient * w));
  return 0 - w.item();  // -w would be -0 where nothing moved
}

/// The value at the end of the chapter's run.
std::string valley_end(const MakeOptimizer& make, std::int64_t steps) {
  Problem valley = problems::valley();
  valley.epochs = steps;
  try {
    return cli::decimals(valley(make).back(), 6);
  } catch (const NotFiniteError&) {
    return "diverged";
  }
}

/// The first line of explain(), without the method's name.
std::string formula(const MakeOptimizer& make) {
  const std::string text = make({{"w", zeros({})}})->explain();
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
  const double lr = flags.lr.value_or(0.1), valley_lr = flags.lr.value_or(0.4);
  std::vector<double> gradients, tiny;
  for (int k = -180; k <= 20; ++k) gradients.push_back(std::pow(10, k / 20.0));
  plot::LineChart chart({.title = "First step of six dialects of Adagrad" + (flags.optimizer ? " and of " + *flags.optimizer : "") +
                                  ", rate " + cli::general(lr),
                         .x = {.label = "gradient", .log = true},
                         .y = {.label = "first step", .log = true}});
  std::printf("First step at rate %g, for gradients of 1, 1e-3 and 1e-6; 0.1 x1^2 + 2 x2^2 after %lld steps at rate %g; the formula\n", lr,
              static_cast<long long>(flags.epochs), valley_lr);
  for (const Dialect& d : all_dialects(flags)) {
    const MakeOptimizer make(d.spec, lr), make_valleys(d.spec, valley_lr);
    tiny.push_back(first_step(make, 1e-6));
    std::printf("%-8s %8s %10.3g %10.3g %10s   %s\n", d.name.c_str(), cli::decimals(first_step(make, 1), 6).c_str(), first_step(make, 1e-3),
                tiny.back(), valley_end(make_valleys, flags.epochs).c_str(), formula(make).c_str());
    std::vector<double> steps;
    for (const double g : gradients) steps.push_back(first_step(make, g));
    chart.add(d.name, gradients, steps);
  }
  flags.save(chart, "dialects.svg");
  const auto [shortest, longest] = std::minmax_element(tiny.begin(), tiny.end());
  const double times = *longest / *shortest;
  if (times > 0 && times < 1e15)
    std::printf("at a gradient of 1e-06 the longest first step is %s times the shortest\n", grouped(times).c_str());
  else
    std::printf("at a gradient of 1e-06 the first steps lie between %g and %g\n", *shortest, *longest);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run(argc, argv, {.description = "The six dialects of Adagrad", .epochs = 20, .epoch = "steps of the chapter's run"}, run);
}
