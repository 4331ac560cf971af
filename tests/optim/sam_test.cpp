#include <capstan/nn/linear.h>
#include <capstan/optim/sam.h>

#include "wrapped.h"

// Sharpness-aware minimisation.

TEST(SAM, IsThePapersAlgorithm) {
  const auto cases = read_cases("wrappers.txt");
  const std::pair<const char*, optim::SAMOptions> all[] = {{"sam", {}}, {"sam_far", {.rho = 0.5}}};
  for (const DType dtype : {DType::f64, DType::f32})
    for (const auto& [name, options] : all) {
      Training run(dtype);
      optim::SAM sam(run.sgd, options);
      EXPECT_EQ(&sam.optimizer(), &run.sgd);
      int t = 0;
      for (const std::vector<double>& want : cases.at(name)) {
        ++t;
        const double loss = gradients_at(run.w, t).loss();
        EXPECT_EQ(sam.step([&] { return gradients_at(run.w, t); }), loss);
        expect_near(run.w, want, name + std::to_string(t));
      }
      EXPECT_EQ(t, 50);
    }
}

TEST(SAM, GoesAsFarAsRhoOverAllParameters) {
  Tensor w = parameter(zeros({1}, DType::f64)), v = parameter(zeros({1}, DType::f64)), idle = parameter(ones({1}, DType::f64)),
         stranger = parameter(ones({1}, DType::f64));
  optim::SGD sgd(Parameters{{"w", w}, {"v", v}, {"idle", idle}}, {.lr = 1});
  optim::SAM sam(sgd, {.rho = 5});
  int calls = 0;
  std::vector<double> seen;
  sam.step([&] {
    ++calls;
    for (const Tensor& t : {w, v, idle, stranger}) seen.push_back(t.item());
    Tape tape;
    return tape.gradients(sum(3.0 * w) + sum(4.0 * v) + sum(100.0 * stranger));
  });
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(seen, (std::vector<double>{0, 0, 1, 1, 3, 4, 1, 1}));
  EXPECT_EQ(w.item(), -3);
  EXPECT_EQ(v.item(), -4);
  EXPECT_EQ(idle.item(), 1);
}

TEST(SAM, GoesAsFarAlongTheSmallestGradient) {
  Tensor w = parameter(ones({2}));
  optim::SGD sgd(Parameters{{"w", w}}, {.lr = 1});
  optim::SAM sam(sgd, {.rho = 0.25});
  std::vector<double> seen;
  sam.step([&] {
    seen.push_back(values(w)[0]);
    return Gradients::from({{w, tensor({1e-40, 0})}});
  });
  EXPECT_EQ(seen, (std::vector<double>{1, 1.25}));
}

TEST(SAM, PutsBackAModelThatTheFunctionConverts) {
  nn::Linear model(2, 1);
  optim::SGD sgd(model.parameters(), {.lr = 1});
  optim::SAM sam(sgd, {.rho = 1});
  const auto all = [&] { return values(model.parameters()["weight"]); };
  const std::vector<double> before = all();
  int calls = 0;
  EXPECT_EQ(thrown([&] {
              sam.step([&] {
                if (++calls == 2) {
                  EXPECT_NE(all(), before);
                  model.to(DType::f64);
                  throw ValueError("enough");
                }
                Tape tape;
                return tape.gradients(sum(model(ones({1, 2}))));
              });
            }),
            "ValueError: enough");
  EXPECT_EQ(model.parameters()["weight"].dtype(), DType::f64);
  EXPECT_EQ(all(), before);
}

TEST(SAM, StepsWhereThereIsNoSlope) {
  Tensor w = parameter(ones({2}));
  optim::SGD sgd(Parameters{{"w", w}}, {.lr = 1});
  optim::SAM(sgd).step([&] { return Gradients::from({{w, zeros({2})}}); });
  EXPECT_EQ(values(w), (std::vector<double>{1, 1}));
}

TEST(SAM, LeavesEverythingAsItWasAfterAnError) {
  Training run;
  EXPECT_EQ(thrown([&] { optim::SAM(run.sgd, {.rho = 0}); }), "ValueError: [sam] rho must be finite and positive: 0");
  EXPECT_EQ(thrown([&] { optim::SAM(run.sgd, {.rho = INFINITY}); }), "ValueError: [sam] rho must be finite and positive: inf");
  optim::SAM sam(run.sgd);
  sam.step([&] { return gradients_at(run.w, 1); });
  const std::string before = bits(run.w) + bits(run.sgd.state());
  for (const int fails : {1, 2}) {
    int call = 0;
    EXPECT_EQ(thrown([&] {
                sam.step([&]() -> Gradients {
                  if (++call == fails) throw ValueError("the batch is gone");
                  return gradients_at(run.w, 2);
                });
              }),
              "ValueError: the batch is gone");
    EXPECT_EQ(bits(run.w) + bits(run.sgd.state()), before);
  }
  EXPECT_EQ(thrown([&] {
              sam.step([&] {
                Tape tape;
                const Tensor one = run.w.rows(0, 1);
                return tape.gradients(sum(run.w) + sum(sqrt(one - one.detach())));
              });
            }),
            "NotFiniteError: [sam] the gradients' norm must be finite: inf");
  EXPECT_EQ(thrown([&] { sam.step([] { return Gradients(); }); }),
            "ValueError: [sgd] none of the 1 parameters has a gradient (were they made from this optimizer's model?)");
  EXPECT_EQ(bits(run.w) + bits(run.sgd.state()), before);
}
