#include <cmath>

#include "all_methods.h"
#include "support.h"

// What the methods of whole tensors do beside their trajectories.

TEST(WholeTensors, HaveSlotsOfTheirOwnShapes) {
  Tensor matrix = parameter(wobbles({2, 3}, 0, DType::f32)), vector = parameter(wobbles({4}, 9, DType::f32)),
         scalar = parameter(wobbles({}, 20, DType::f32)), cube = parameter(wobbles({2, 3, 4}, 30, DType::f32)),
         none = parameter(zeros({0, 3}));
  const Parameters all = {{"m", matrix}, {"v", vector}, {"s", scalar}, {"c", cube}, {"n", none}};
  const auto step = [&](optim::Optimizer& optimizer) {
    optimizer.step(
        Gradients::from({{matrix, ones({2, 3})}, {vector, ones({4})}, {scalar, ones({})}, {cube, ones({2, 3, 4})}, {none, zeros({0, 3})}}));
    std::string shapes;
    for (const auto& [name, t] : optimizer.state())
      if (name.find('/') == 1 && !name.ends_with("/step")) shapes += name + to_string(t.shape()) + " ";
    return shapes;
  };
  optim::Adafactor adafactor(all);
  EXPECT_EQ(step(adafactor),
            "m/row_var[2, 1] m/col_var[1, 3] m/variance[0] v/row_var[0] v/col_var[0] v/variance[4] s/row_var[0] s/col_var[0] s/variance[] "
            "c/row_var[2, 3, 1] c/col_var[2, 1, 4] c/variance[0] n/row_var[0, 1] n/col_var[1, 3] n/variance[0] ");
  EXPECT_NE(adafactor.explain().find("35 elements, 108 bytes of state"), std::string::npos) << adafactor.explain();
  optim::RowwiseAdagrad rowwise(all);
  EXPECT_EQ(step(rowwise), "m/sum[2] v/sum[4] s/sum[] c/sum[2] n/sum[0] ");
  optim::FullMatrixAdagrad full(all);
  EXPECT_EQ(step(full),
            "m/outer_sum[6, 6] m/outer_rest[6, 6] v/outer_sum[4, 4] v/outer_rest[4, 4] s/outer_sum[1, 1] s/outer_rest[1, 1] "
            "c/outer_sum[24, 24] c/outer_rest[24, 24] n/outer_sum[0, 0] n/outer_rest[0, 0] ");
  optim::LAMB lamb(all);
  optim::LARS lars(all);
  optim::ScheduleFreeAdamW free(all);
  for (optim::Optimizer* optimizer :
       {static_cast<optim::Optimizer*>(&lamb), static_cast<optim::Optimizer*>(&lars), static_cast<optim::Optimizer*>(&free)})
    step(*optimizer);
  for (const auto& entry : all)
    for (const double x : values(entry.tensor)) EXPECT_TRUE(std::isfinite(x)) << entry.name;
}

TEST(Muon, MovesMatricesOnly) {
  Tensor w = parameter(ones({2, 3})), b = parameter(ones({3})), s = parameter(ones({}));
  const std::string tail = " (give the others to another optimizer)";
  EXPECT_EQ(thrown([&] {
              optim::Muon muon(Parameters{{"w", w}, {"b", b}});
            }),
            "ValueError: [muon] moves matrices only: 'b' has the shape [3]" + tail);
  optim::Muon muon(Parameters{{"w", w}});
  const std::string before = bits(muon.state());
  EXPECT_EQ(thrown([&] { muon.add_parameters({{"s", s}}); }), "ValueError: [muon] moves matrices only: 's' has the shape []" + tail);
  EXPECT_EQ(bits(muon.state()), before);
}

// The polynomial's aim: whatever the gradient's singular values, those of the step are near 1.
TEST(Muon, MakesAllDirectionsEquallyLong) {
  for (const Shape& shape : {Shape{3, 3}, Shape{2, 5}, Shape{5, 2}}) {
    Tensor w = parameter(zeros(shape, DType::f64));
    optim::Muon muon(Parameters{{"w", w}}, {.lr = 1, .weight_decay = 0, .momentum = 0});
    Tensor g = wobbles(shape, 0, DType::f64);
    muon.step(Gradients::from({{w, g}}));
    const bool tall = shape[0] > shape[1];
    const Tensor gram = matmul(w, w, {.transpose_a = tall, .transpose_b = !tall});
    const double scale = std::max(1.0, static_cast<double>(shape[0]) / static_cast<double>(shape[1]));
    for (std::int64_t i = 0; i < gram.size(0); ++i) {
      const double own = gram.rows(i, i + 1).reshape({-1}).data<double>()[i] / scale;
      EXPECT_GT(own, 0.4);
      EXPECT_LT(own, 1.6);
    }
  }
}

TEST(FullMatrixAdagrad, RefusesWhatIsTooLarge) {
  Tensor w = parameter(zeros({5, 205}));
  EXPECT_EQ(thrown([&] {
              optim::FullMatrixAdagrad full(Parameters{{"w", w}});
            }),
            "ValueError: [full_matrix_adagrad] a parameter may have 1024 elements: 'w' has 1025 (adagrad keeps the diagonal only)");
}

// Rotating the coordinates rotates the path, which the diagonal form does not do.
TEST(FullMatrixAdagrad, KnowsNoCoordinates) {
  const double c = std::cos(0.7), s = std::sin(0.7);
  const auto turn = [&](const std::vector<double>& x) { return std::vector<double>{c * x[0] - s * x[1], s * x[0] + c * x[1]}; };
  const auto off = [&](auto make) {
    Tensor a = parameter(zeros({2}, DType::f64)), b = parameter(zeros({2}, DType::f64));
    const auto one = make(a), two = make(b);
    for (int t = 0; t < 5; ++t) {
      const Tensor g = wobbles({2}, 10 * t, DType::f64);
      one->step(Gradients::from({{a, g}}));
      two->step(Gradients::from({{b, tensor(turn(values(g)))}}));
    }
    const std::vector<double> want = turn(values(a)), is = values(b);
    return std::max(std::abs(want[0] - is[0]), std::abs(want[1] - is[1]));
  };
  EXPECT_LT(off([](Tensor& w) { return std::make_unique<optim::FullMatrixAdagrad>(Parameters{{"w", w}}); }), 1e-12);
  EXPECT_GT(off([](Tensor& w) { return std::make_unique<optim::Adagrad>(Parameters{{"w", w}}); }), 1e-4);
}

TEST(ScheduleFree, AveragesWhereItsStepsWent) {
  Tensor w = parameter(tensor({1.0, -2.0}, DType::f64)), idle = parameter(ones({1}, DType::f64));
  optim::ScheduleFreeAdamW free(Parameters{{"w", w}, {"idle", idle}}, {.lr = 0.5, .beta1 = 0.75, .beta2 = 0.5});
  EXPECT_EQ(values(free.averaged()["w"]), (std::vector<double>{1, -2}));
  std::vector<double> z = {1, -2}, x = z, v = {0, 0};
  double total = 0;
  for (int t = 1; t <= 4; ++t) {
    const double rate = t < 3 ? 0.5 : 0.25, largest = 0.5;  // a rate that falls still counts as the largest
    free.set_lr(rate);
    const Tensor g = wobbles({2}, 7 * t, DType::f64);
    free.step(Gradients::from({{w, g}}));
    total += largest * largest;
    for (std::size_t i = 0; i < 2; ++i) {
      const double gi = values(g)[i];
      v[i] = 0.5 * v[i] + 0.5 * gi * gi;
      z[i] -= rate * gi / (std::sqrt(v[i] / (1 - std::pow(0.5, t))) + 1e-8);
      x[i] += largest * largest / total * (z[i] - x[i]);
      EXPECT_NEAR(values(free.averaged()["w"])[i], x[i], 1e-14);
      EXPECT_NEAR(values(w)[i], 0.25 * z[i] + 0.75 * x[i], 1e-14);
    }
  }
  EXPECT_EQ(bits(free.averaged()["idle"]), bits(idle));
  EXPECT_FALSE(free.averaged()["w"].requires_grad());
}

TEST(WholeTensors, AZeroGradientDividesNothingByZero) {
  for (const DType dtype : {DType::f32, DType::f64}) {
    const Tensor w = parameter(ones({2, 3}, dtype)), row = tensor({{1, 2, 3}, {0, 0, 0}}, dtype);
    for (const double eps : {0.0, 1e-44, 1e-50, 1e-300}) {
      if (dtype == DType::f32 && eps > 0 && eps < 1e-45) continue;  // refused: finite_test.cpp
      optim::Muon muon(Parameters{{"w", w}}, {.weight_decay = 0, .eps = eps});
      muon.step(Gradients::from({{w, zeros({2, 3}, dtype)}}));
      optim::Adafactor adafactor(Parameters{{"w", w}}, {.eps1 = eps});
      adafactor.step(Gradients::from({{w, zeros({2, 3}, dtype)}}));
      EXPECT_EQ(values(w), (std::vector<double>{1, 1, 1, 1, 1, 1})) << eps;
      const Tensor v = parameter(ones({2, 3}, dtype));
      optim::Adafactor other(Parameters{{"v", v}}, {.eps1 = eps});
      other.step(Gradients::from({{v, row}}));
      EXPECT_EQ(values(v.detach().rows(1, 2)), (std::vector<double>{1, 1, 1})) << eps;
      for (const double x : values(v)) EXPECT_TRUE(std::isfinite(x));
      if (eps == 0) continue;  // refused by the others
      const Tensor a = parameter(ones({2, 3}, dtype)), b = parameter(ones({2, 3}, dtype));
      optim::LAMB lamb(Parameters{{"a", a}}, {.eps = eps, .weight_decay = 0});
      optim::ScheduleFreeAdamW free(Parameters{{"b", b}}, {.eps = eps});
      for (const Tensor& g : {zeros({2, 3}, dtype), row}) {
        lamb.step(Gradients::from({{a, g}}));
        free.step(Gradients::from({{b, g}}));
        EXPECT_EQ(values(a.detach().rows(1, 2)), (std::vector<double>{1, 1, 1})) << eps;
        EXPECT_EQ(values(b.detach().rows(1, 2)), (std::vector<double>{1, 1, 1})) << eps;
      }
    }
  }
}
