// The smallest complete program: a network for handwritten digits, trained with Adagrad.
// Run:       ./run example hello
// Last line: accuracy 0\.9[0-9]+
#include <capstan/capstan.h>
using namespace capstan;

int main() {
  manual_seed(0);
  auto [training, test] = data::digits().split(5);  // shipped: 1,797 handwritten digits; every fifth row is held out

  nn::Sequential model{nn::Linear(64, 64), nn::ReLU(), nn::Linear(64, 10)};
  optim::Adagrad optimizer(model.parameters(), {.lr = 0.05});

  for (int epoch = 0; epoch < 10; ++epoch)
    for (auto [x, y] : data::Batches(training, {.batch_size = 32, .shuffle = true})) {
      Tape tape;  // recording starts here, for this thread, and ends with the scope
      Tensor loss = cross_entropy(model(x), y);
      optimizer.step(tape.gradients(loss));  // the tape feeds gradients into the optimizer: no zero_grad, no stale .grad
    }
  std::printf("accuracy %.3f\n", metrics::accuracy(model(test.x), test.y));
}
