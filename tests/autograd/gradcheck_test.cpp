// gradcheck itself, and controls: wrong gradients that it must find.
#include <capstan/autograd/gradcheck.h>

#include <limits>

#include "ops_table.h"

using namespace capstan;

namespace {

/// Checks x -> pass(x) * x, where pass gives the gradient `change` instead of the right one.
template <class Change>
GradcheckResult with(const Tensor& x, Change change) {
  return gradcheck([change](const Args& in) { return pass(in[0], change) * in[0]; }, {x});
}

}  // namespace

TEST(GradcheckControl, TheRightGradientIsAccepted) {
  const GradcheckResult r = with(numbers({3, 3}), [](const Tensor& dy) { return dy; });
  EXPECT_TRUE(r) << r.message;
  EXPECT_TRUE(r.ok);
  EXPECT_LT(r.worst, 1e-9);
}

TEST(GradcheckControl, AFactorOf1e5TooMuchIsFound) {
  EXPECT_FALSE(with(numbers({3, 3}), [](const Tensor& dy) { return dy * (1 + 1e-5); }));
  EXPECT_FALSE(with(numbers({3, 3}), [](const Tensor& dy) { return dy * (1 - 1e-5); }));
  EXPECT_FALSE(with(d(0.7), [](const Tensor& dy) { return dy * (1 + 1e-5); }));
}

TEST(GradcheckControl, AMissingElementIsFound) {
  for (std::int64_t missing = 0; missing < 9; ++missing) {
    const GradcheckResult r = with(numbers({3, 3}), [missing](const Tensor& dy) {
      const Tensor g = dy.clone();
      g.data<double>()[missing] = 0;
      return g;
    });
    EXPECT_FALSE(r);
    EXPECT_EQ(r.message.rfind("input 0, element " + std::to_string(missing) + ": gradient ", 0), 0u) << r.message;
  }
}

TEST(GradcheckControl, AMissingTermIsFound) {
  const auto product = [](const Args& in) {  // d(a b) without a db
    return record("product", in[0].detach() * in[1].detach(), {in[0], in[1]},
                  [b = saved(in[1])](const Tensor& dy, Inputs& dx) { dx.add(0, dy * b.get()); });
  };
  const GradcheckResult r = gradcheck(product, {d({2, 3}), d({5, 7})});
  EXPECT_FALSE(r);
  EXPECT_EQ(r.message.rfind("input 1, element ", 0), 0u) << r.message;
}

TEST(GradcheckControl, ATransposedGradientIsFound) {
  EXPECT_FALSE(with(numbers({3, 3}), [](const Tensor& dy) { return transpose(dy); }));
  const auto product = [](const Args& in) {  // db = a dy instead of a^T dy
    return record("product", matmul(in[0].detach(), in[1].detach()), {in[0], in[1]},
                  [a = saved(in[0]), b = saved(in[1])](const Tensor& dy, Inputs& dx) {
                    dx.add(0, matmul(dy, b.get(), {.transpose_b = true}));
                    dx.add(1, matmul(a.get(), dy));
                  });
  };
  EXPECT_FALSE(gradcheck(product, {numbers({3, 3}), numbers({3, 3}, -2, 2, 1)}));
}

TEST(GradcheckControl, TheWrongSignAndTheWrongRowAreFound) {
  EXPECT_FALSE(with(numbers({2, 3}), [](const Tensor& dy) { return -dy; }));
  EXPECT_FALSE(with(numbers({2, 3}), [](const Tensor& dy) {
    const Tensor g = dy.clone();
    for (int i = 0; i < 3; ++i) std::swap(g.data<double>()[i], g.data<double>()[i + 3]);
    return g;
  }));
}

// A sum over all elements would not see this one: what is too much here is too little there.
TEST(GradcheckControl, ErrorsThatCancelInASumAreFound) {
  EXPECT_FALSE(with(numbers({4}), [](const Tensor& dy) { return dy + d({1e-4, -1e-4, 1e-4, -1e-4}); }));
}

TEST(GradcheckControl, NanAtAnyElementIsFound) {
  for (int at = 0; at < 4; ++at)
    for (const double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
      const GradcheckResult r = with(numbers({4}), [at, bad](const Tensor& dy) {
        const Tensor g = dy.clone();
        g.data<double>()[at] = bad;
        return g;
      });
      EXPECT_FALSE(r) << at << ' ' << bad;
      EXPECT_FALSE(r.worst <= 1e300);
      EXPECT_EQ(r.message.rfind("input 0, element " + std::to_string(at) + ": ", 0), 0u) << r.message;
    }
}

TEST(Gradcheck, TheMessageNamesInputElementAndBothValues) {
  const GradcheckResult r =
      gradcheck([](const Args& in) { return in[0] + pass(in[1], [](const Tensor& dy) { return dy * 3; }); }, {d(1), d(2)});
  EXPECT_FALSE(r);
  // The weight of a single element is cos(0.4) + 1.9.
  EXPECT_EQ(r.message.rfind("input 1, element 0: gradient 8.463182982008655, central difference 2.82106", 0), 0u) << r.message;
}

TEST(Gradcheck, LeavesItsInputsAlone) {
  const Tensor x = p({1.5, 2.5});
  EXPECT_TRUE(gradcheck([](const Args& in) { return exp(in[0]); }, {x}));
  EXPECT_EQ(values(x), (Values{1.5, 2.5}));
  EXPECT_EQ(x.version(), 0u);
  Tape tape;  // nor does it touch a tape that runs
  EXPECT_TRUE(gradcheck([](const Args& in) { return exp(in[0]); }, {x}));
  EXPECT_EQ(tape.size(), 0u);
  EXPECT_EQ(values(tape.gradients(sum(x))[x]), (Values{1, 1}));
}

TEST(Gradcheck, AnInputThatTheResultDoesNotDependOn) {
  EXPECT_TRUE(gradcheck([](const Args& in) { return in[0] * 2; }, {d({1, 2}), d({3})}));
  EXPECT_FALSE(gradcheck([](const Args& in) { return in[0] * in[1].detach(); }, {d({1, 2}), d({3, 4})}));
}

TEST(Gradcheck, StepAndTolerance) {
  const auto f = [](const Args& in) { return exp(in[0] * 3); };
  EXPECT_TRUE(gradcheck(f, {d({1})}, {.step = 1e-6, .tolerance = 1e-6}));
  EXPECT_FALSE(gradcheck(f, {d({1})}, {.step = 1e-1}));
  EXPECT_FALSE(gradcheck(f, {d({1})}, {.tolerance = 1e-16}));
}

TEST(Gradcheck, Refuses) {
  const auto f = [](const Args& in) { return exp(in[0]); };
  EXPECT_EQ(thrown([&] {
              (void)gradcheck(f, {tensor({1, 2})});
            }),
            "ValueError: [gradcheck] inputs must be f64: f32 [2] (convert with to())");
  EXPECT_EQ(thrown([&] {
              (void)gradcheck(f, {d(1), tensor({{1}}, DType::i64)});
            }),
            "ValueError: [gradcheck] inputs must be f64: i64 [1, 1] (convert with to())");
  EXPECT_EQ(thrown([&] { (void)gradcheck(f, {d(1)}, {.step = 0}); }),
            "ValueError: [gradcheck] step and tolerance must be positive: 0, 1e-07");
  EXPECT_EQ(thrown([&] { (void)gradcheck(f, {d(1)}, {.tolerance = -1}); }),
            "ValueError: [gradcheck] step and tolerance must be positive: 1e-05, -1");
  EXPECT_EQ(thrown([&] { (void)gradcheck(f, {d(1)}, {.step = std::nan("")}); }),
            "ValueError: [gradcheck] step and tolerance must be positive: nan, 1e-07");
  EXPECT_EQ(thrown([&] { gradcheck(f, {d(1)}, {.order = 3}); }), "ValueError: [gradcheck] order must be 1 or 2: 3");
}
