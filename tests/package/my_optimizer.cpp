// An optimizer of the user's own, that of examples/optimizer_template, is put to the proof and trains.
// Last line: sign_momentum: [0-9]+ promises kept, loss 0\.0[0-9]*, rate 0\.0100, momentum of 8 elements
#include <sign_momentum/sign_momentum.h>

#include <capstan/capstan.h>
#include <capstan/optim/conformance.h>
#include <capstan/optim/make.h>

#include <cstdio>

using namespace capstan;
using sign_momentum::SignMomentum;

int main() {
  // By its name from here on: in make(), and in every program that takes --optimizer.
  optim::register_optimizer<SignMomentum>();

  // Every promise that a method makes: a line for each.
  const auto report = optim::conformance<SignMomentum>({.lr = 0.01});
  std::printf("%s\n", report.text().c_str());
  if (!report) return 1;

  // The method's own numbers, as the paper's formula gives them by hand.
  const auto numbers = optim::follows<SignMomentum>(
      {.lr = 0.125, .momentum = 0.5},
      {.start = {1, -2}, .gradients = {{4, -2}, {-6, 1}, {1, 3}}, .expected = {{0.875, -1.875}, {1, -1.875}, {1.125, -2}}});
  if (numbers.outcome != optim::Property::Outcome::held) return std::printf("%s\n", numbers.message.c_str()), 1;

  manual_seed(0);
  const Tensor x = randn({64, 8}), truth = randn({8}), y = matmul(x, truth);
  Tensor w = parameter(zeros({8}));
  const auto optimizer = optim::make("sign_momentum lr=0.01", {{"w", w}});
  double last = 0;
  for (int step = 0; step < 500; ++step) {
    Tape tape;
    const Tensor loss = mse_loss(matmul(x, w), y);
    optimizer->step(tape.gradients(loss));
    last = loss.item();
  }
  std::printf("sign_momentum: %zu promises kept, loss %.4f, rate %.4f, momentum of %d elements\n", report.properties.size(), last,
              optimizer->lr(), static_cast<int>(optimizer->state()["w/momentum"].numel()));
}
