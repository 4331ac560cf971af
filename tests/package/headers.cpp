// Every part of the library that a program can include beside capstan.h, and methods with each optional member: no warning of the
// compiler's comes from the headers, nor from what they make of a user's class.
// Last line: 3 methods
#include <capstan/capstan.h>
#include <capstan/core/xtensor.h>
#include <capstan/optim/chain.h>
#include <capstan/optim/conformance.h>
#include <capstan/optim/make.h>
#include <capstan/optim/methods.h>
#include <capstan/optim/own_part.h>
#include <capstan/optim/whole_tensor.h>
#include <capstan/train/compare.h>
#include <capstan/train/contour.h>
#include <capstan/train/problems.h>
#include <capstan/train/rate_microscope.h>

#include <cstdio>

using namespace capstan;

struct Options {
  double lr = 0.1, start = 0.5, weight_decay = 0.01;
  bool slow = false;
};

/// w <- w - lr*g/s with s <- s + |g|, or 2 s with `slow`.
struct Sums : optim::Elementwise<Sums, Options> {
  using Elementwise::Elementwise;
  static constexpr auto name = "sums";
  static constexpr auto source = "nobody's";
  static constexpr Field fields[] = {
      {"lr", &Options::lr}, {"start", &Options::start}, {"weight_decay", &Options::weight_decay}, {"slow", &Options::slow}};
  static constexpr std::array states = {"sum"};
  template <class T>
  struct Rule {
    T lr;
    Rule(const Options& o, optim::StepInfo step) : lr(T(step.lr) / (o.slow ? T(2) : T(1))) {}
    void operator()(T& w, T g, T& s) const {
      s += abs(g);
      w -= lr * g / s;
    }
    T rate(T s) const { return lr / s; }
  };
  static double initial(const Options& o, std::size_t) { return o.start; }
  static optim::Decay decay(const Options& o) { return o.slow ? optim::Decay::decoupled : optim::Decay::l2; }
  static void check(const Options& o) {
    if (!(o.start > 0)) throw ValueError("[sums] start must be > 0");
  }
  static std::string formula(const Options&) { return "s <- s + |g|, w <- w - lr*g/s"; }
};

/// w <- w - lr*g/s with s <- s + sum|g|, one s for the tensor.
struct Sum : optim::WholeTensor<Sum, Options> {
  using WholeTensor::WholeTensor;
  static constexpr auto name = "sum";
  static constexpr Field fields[] = {{"lr", &Options::lr}, {"weight_decay", &Options::weight_decay}};
  static constexpr std::array states = {"sum"};
  static Shape slot_shape(std::size_t, const Shape&) { return {}; }
  static double initial(const Options& o, std::size_t) { return o.start; }
  static std::string formula(const Options&) { return "s <- s + sum|g|, w <- w - lr*g/s"; }
  static void move(const Options&, optim::StepInfo step, Tensor& w, const Tensor& g, Tensor& s) {
    s += sum(abs(g));
    w -= step.lr * g / s;
  }
};

int main() {
  const Tensor w = parameter(ones({2, 3}));
  Sums sums(std::vector<Tensor>{w});
  Sum sum_of_all(std::vector<Tensor>{w});
  optim::LBFGS lbfgs(std::vector<Tensor>{w});
  int methods = 0;
  for (optim::Optimizer* o : std::vector<optim::Optimizer*>{&sums, &sum_of_all}) {
    Tape tape;
    o->step(tape.gradients(sum(square(w))));
    methods += !o->explain().empty();
  }
  lbfgs.step([&] {
    Tape tape;
    return tape.gradients(sum(square(w)));
  });
  std::printf("%d methods\n", methods + !lbfgs.explain().empty());
}
