// A product that makes a large gradient sees whether it is finite, and step() looks no more; what comes after takes that back.
#include <capstan/autograd/gradient_table.h>
#include <capstan/core/kernels/table.h>
#include <capstan/optim/sgd.h>

#include <limits>

#include "support.h"

using namespace capstan;

namespace {
constexpr double inf = std::numeric_limits<double>::infinity();
}  // namespace

TEST(Gradients, AProductLooksForNan) {
  const std::int64_t n = 130;
  const bool looks = kernels::isa_level() >= 3;  // below, BLAS computes such products
  for (const DType dtype : {DType::f32, DType::f64}) {
    const Tensor x = randn({40, n}).to(dtype), w = parameter(randn({n, n}).to(dtype));
    const auto known = [&](const Gradients& g) { return g.table()->find(w.header())->known_finite(); };
    const auto refuse = [&](const Gradients& g) {
      optim::SGD sgd(Parameters{{"w", w}});
      const std::string text = thrown([&] { sgd.step(g); });
      EXPECT_TRUE(text.starts_with("NotFiniteError: [sgd] step 1: the gradient for 'w' must be finite: ")) << text;
      return !known(g);
    };
    const auto spoiled = [&](const Tensor& g) {
      Tensor bad = g.clone();
      bad *= inf;
      return bad;
    };
    {
      Tape tape;
      EXPECT_EQ(known(tape.gradients(sum(linear(x, w)))), looks);
      Tape next;
      EXPECT_EQ(known(next.gradients(sum(matmul(x, w) + linear(x, w)))), looks);
      Tape small;  // what a step looks through at once is not looked at before
      EXPECT_FALSE(known(small.gradients(sum(w * 2.0))));
    }
    {
      Tensor bad = x.clone();
      bad.rows(4, 5) *= inf;
      Tape tape;
      EXPECT_FALSE(known(tape.gradients(sum(linear(bad, w)))));
    }
    for (const bool product_last : {false, true}) {
      Tape tape;
      const Tensor first = product_last ? sum(sqrt(w * 0.0)) : sum(linear(x, w)),
                   second = product_last ? sum(linear(x, w)) : sum(sqrt(w * 0.0));
      EXPECT_TRUE(refuse(tape.gradients(first + second)));
    }
    {
      Tape tape;
      tape.hook(w, [&](const Tensor& g) { return spoiled(g); });
      EXPECT_TRUE(refuse(tape.gradients(sum(linear(x, w)))));
    }
    {
      Tape tape;  // in place
      tape.hook(w, [&](const Tensor& g) {
        Tensor same = g;
        const NoGrad pause;
        same *= inf;
      });
      EXPECT_TRUE(thrown([&] { (void)tape.gradients(sum(linear(x, w))); }).starts_with("ValueError: [*=] a gradient is read-only: "));
    }
    {
      Tape tape;  // the first run's finding is not the second's
      const Tensor loss = sum(linear(x, w));
      EXPECT_EQ(known(tape.gradients(loss, {.keep = true})), looks);
      tape.hook(w, [&](const Tensor& g) { return spoiled(g); });
      EXPECT_TRUE(refuse(tape.gradients(loss)));
    }
  }
}
