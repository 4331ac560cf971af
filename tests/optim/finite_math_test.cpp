#include "support.h"

#include <capstan/optim/elementwise.h>

// A file of a user's that is compiled with -ffast-math, which lets a compiler take every number for finite.

using namespace capstan;

namespace {

struct FastOptions {
  double lr = 1;
};
struct Fast : optim::Elementwise<Fast, FastOptions> {
  using Elementwise::Elementwise;
  static constexpr auto name = "fast";
  static constexpr Field fields[] = {{"lr", &FastOptions::lr}};
  static constexpr std::array states = {"sum"};
  template <class T>
  struct Rule {
    T lr;
    Rule(const FastOptions&, optim::StepInfo step) : lr(T(step.lr)) {}
    void operator()(T& w, T g, T& sum) const {
      sum += g * g;
      w -= lr * g * g;
    }
  };
};

}  // namespace

TEST(FiniteMath, LeavesAnElementAllTheSame) {
  for (const DType dtype : {DType::f32, DType::f64}) {
    Tensor w = parameter(full({41}, 1, dtype));
    Fast fast(Parameters{{"w", w}});
    std::vector<double> slope(41, 1);
    slope[5] = slope[33] = slope[40] = dtype == DType::f32 ? 1e30 : 1e300;
    fast.step(Gradients::from({{w, tensor(slope).to(dtype)}}));
    const std::vector<double> now = values(w);
    for (std::size_t i = 0; i < now.size(); ++i) EXPECT_EQ(now[i], slope[i] > 1 ? 1 : 0) << i;
    const std::vector<double> sums = values(fast.state()["w/sum"]);
    for (std::size_t i = 0; i < sums.size(); ++i) EXPECT_EQ(sums[i], slope[i] > 1 ? 0 : 1) << i;
  }
}
