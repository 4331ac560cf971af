// An optimizer of the user's own: the rule for one element. Everything else comes from the base.
// Last line: loss 0\.0[0-9]*, rate 0\.0100, momentum of 8 elements
#include <capstan/capstan.h>

#include <cstdio>

using namespace capstan;

struct SignumOptions {
  double lr = 1e-3, momentum = 0.9;
};

/// Signum (Bernstein et al., ICML 2018, alg. 2):  m <- b*m + (1-b)*g,  w <- w - lr*sign(m).
struct Signum : optim::Elementwise<Signum, SignumOptions> {
  using Elementwise::Elementwise;
  static constexpr auto name = "signum";
  static constexpr std::array fields = {Field<SignumOptions>{"lr", &SignumOptions::lr},
                                        Field<SignumOptions>{"momentum", &SignumOptions::momentum}};
  static constexpr std::array states = {"momentum"};
  template <class T>
  struct Rule {
    T lr, b;
    Rule(const SignumOptions& o, optim::StepInfo step) : lr(T(step.lr)), b(T(o.momentum)) {}
    void operator()(T& w, T g, T& m) const {
      m = b * m + (1 - b) * g;
      w -= lr * sign(m);
    }
  };
};

int main() {
  manual_seed(0);
  const Tensor x = randn({64, 8}), truth = randn({8}), y = matmul(x, truth);
  Tensor w = parameter(zeros({8}));
  Signum optimizer(std::vector<Tensor>{w}, {.lr = 0.01});
  double last = 0;
  for (int step = 0; step < 500; ++step) {
    Tape tape;
    const Tensor loss = mse_loss(matmul(x, w), y);
    optimizer.step(tape.gradients(loss));
    last = loss.item();
  }
  std::printf("loss %.4f, rate %.4f, momentum of %d elements\n", last, optimizer.lr(),
              static_cast<int>(optimizer.state()["0/momentum"].numel()));
}
