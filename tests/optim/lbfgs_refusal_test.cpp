#include <capstan/nn/linear.h>

#include <cmath>

#include "lbfgs.h"

// What L-BFGS refuses, and that nothing has moved then.

using namespace capstan;

TEST(LBFGSRefusal, LeavesParametersWhereTheyWereWhenTheClosureThrows) {
  Tensor w = parameter(tensor({-1.2, 1.0}, DType::f64));
  optim::LBFGS lbfgs(Parameters{{"w", w}}, {.max_iter = 5});
  int calls = 0;
  const auto failing = [&](int at) {
    calls = 0;
    return thrown([&] {
      lbfgs.step([&] {
        if (++calls == at) throw ValueError("enough");
        Tape tape;
        return tape.gradients(rosenbrock(w));
      });
    });
  };
  const std::string start = bits(w);
  EXPECT_EQ(failing(1), "ValueError: enough");
  EXPECT_EQ(bits(w), start);
  EXPECT_EQ(failing(2), "ValueError: enough");
  EXPECT_EQ(bits(w), start);
  double before = rosenbrock(w).item();
  for (int t = 0; t < 20; ++t) {  // and goes on from there
    const double loss = lbfgs.step(closure([&] { return rosenbrock(w); }));
    EXPECT_LE(loss, before);
    before = loss;
  }
  EXPECT_NEAR(values(w)[0], 1, 1e-3);
}

TEST(LBFGSRefusal, LetsItsFunctionChangeNothingUnderIt) {
  Tensor w = parameter(tensor({-1.2, 1.0}, DType::f64)), late = parameter(ones({3}, DType::f64));
  optim::LBFGS lbfgs(Parameters{{"w", w}}, {.max_iter = 5});
  const TensorMap fresh = lbfgs.state();
  const std::string start = bits(w);
  const auto step = [&](auto meddle) {
    int calls = 0;
    return thrown([&] {
      lbfgs.step([&] {
        if (++calls == 2) meddle();
        Tape tape;
        return tape.gradients(rosenbrock(w));
      });
    });
  };
  const auto text = [](const char* call) {
    return std::string("ValueError: [lbfgs] ") + call +
           " must not be called by the function that computes the gradients: a step of this optimizer is under way";
  };
  const auto gradients = [&] {
    Tape tape;
    return tape.gradients(rosenbrock(w));
  };
  EXPECT_EQ(step([&] { lbfgs.add_parameters(Parameters{{"late", late}}); }), text("add_parameters()"));
  EXPECT_EQ(step([&] { lbfgs.load_state(fresh); }), text("load_state()"));
  EXPECT_EQ(step([&] { lbfgs.step(gradients); }), text("step()"));
  EXPECT_EQ(step([&] { lbfgs.step(gradients()); }), text("step()"));
  EXPECT_EQ(bits(w), start);
  EXPECT_EQ(lbfgs.parameters().size(), 1u);
  EXPECT_EQ(step([] {}), "nothing");
}

TEST(LBFGSRefusal, PutsBackAModelThatItsFunctionConverts) {
  nn::Linear model(2, 1);
  optim::LBFGS lbfgs(model.parameters());
  const auto all = [&] { return values(model.parameters()["weight"]); };
  const std::vector<double> before = all();
  int calls = 0;
  EXPECT_EQ(thrown([&] {
              lbfgs.step([&] {
                if (++calls == 2) {
                  EXPECT_NE(all(), before);
                  model.to(DType::f64);
                  throw ValueError("enough");
                }
                Tape tape;
                return tape.gradients(sum(square(model(ones({1, 2})) - 1)));
              });
            }),
            "ValueError: enough");
  EXPECT_EQ(all(), before);
}

TEST(LBFGSRefusal, RefusesAMemoryThatCannotBe) {
  Tensor w = parameter(tensor({-1.2, 1.0}, DType::f64));
  optim::LBFGS lbfgs(Parameters{{"w", w}}, {.max_iter = 5, .history_size = 10});
  lbfgs.step(closure([&] { return rosenbrock(w); }));
  const std::string before = bits(lbfgs.state());
  const auto load = [&](std::vector<double> memory) {
    return thrown([&] { lbfgs.load_state(without(lbfgs.state(), "w/memory", tensor(memory))); });
  };
  const std::string wrong = "ValueError: [lbfgs] the state does not fit this optimizer:\n  w/memory: no memory has ";
  EXPECT_EQ(load({50, 1, 10}), wrong + "50 of 10 pairs");
  EXPECT_EQ(load({-1, 1, 10}), wrong + "-1 of 10 pairs");
  EXPECT_EQ(load({0.5, 1, 10}), wrong + "0.5 of 10 pairs");
  EXPECT_EQ(load({1, 0.5, 10}), wrong + "1 of 10 pairs");
  EXPECT_EQ(load({std::nan(""), 1, 10}), wrong + "nan of 10 pairs");
  EXPECT_EQ(load({1, 1, 1e300}), wrong + "1 of 1e+300 pairs");
  EXPECT_EQ(bits(lbfgs.state()), before);
  EXPECT_EQ(load({1, 1, 10}), "nothing");
}

TEST(LBFGSRefusal, RefusesAFirstGradientThatIsNotFinite) {
  Tensor w = parameter(tensor({0.0}, DType::f64));
  optim::LBFGS lbfgs(Parameters{{"w", w}});
  EXPECT_EQ(thrown([&] { lbfgs.step(closure([&] { return sum(sqrt(w)); })); }),
            "NotFiniteError: [lbfgs] step 1: the gradient for 'w' must be finite: inf at [0] (a lower lr, clip_value(), or "
            "set_check_finite(false))");
  w.assign(ones({1}, DType::f64));
  const auto named = closure([&] { return sum(square(w)); });  // a constant closure is one too
  EXPECT_LT(lbfgs.step(named), 1e-12);
}
