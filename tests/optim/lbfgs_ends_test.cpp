#include <cmath>
#include <fstream>
#include <new>
#include <sstream>

#include "lbfgs.h"

// Where L-BFGS ends, and that it ends somewhere finite.

using namespace capstan;
using End = optim::LBFGS::End;

namespace {

bool all_finite(const Tensor& w) {
  for (const double x : values(w))
    if (!std::isfinite(x)) return false;
  return true;
}

/// "[NIST] Hahn1": a quotient of cubics through 236 points, the parameters times `units`.
struct Hahn1 {
  std::vector<double> x, y;

  Hahn1() {
    std::ifstream in(CAPSTAN_TEST_FILES "/oracles/hahn1.txt");
    for (std::string line; std::getline(in, line);)
      if (double a = 0, b = 0; line[0] != '#' && std::istringstream(line) >> a >> b) {
        x.push_back(a);
        y.push_back(b);
      }
    EXPECT_EQ(x.size(), 236u);
  }
  Tensor loss(const Tensor& w, const std::vector<double>& units) const {
    const Tensor at = tensor(x), b = w * tensor(units);
    const auto k = [&](std::int64_t i) { return b.rows(i, i + 1); };
    const Tensor above = k(0) + at * (k(1) + at * (k(2) + at * k(3))), below = 1 + at * (k(4) + at * (k(5) + at * k(6)));
    return sum(square(above / below - tensor(y)));
  }
};

}  // namespace

// 1.5324382854 is certified. The searches at the end, where nothing in between is a number, once took all evaluations that were left.
TEST(LBFGSEnds, WhereNISTsHahn1HasItsCertifiedResidual) {
  const Hahn1 problem;
  const std::vector<double> units = {1, 1e-2, 1e-4, 1e-6, 1e-2, 1e-4, 1e-6};  // parameters of the size of 1
  for (const std::vector<double>& from :
       {std::vector<double>{10, -1, .05, -1e-5, -.05, 1e-3, -1e-6}, {1, -.1, 5e-3, -1e-6, -5e-3, 1e-4, -1e-7}})
    for (const double tolerance : {0.0, 1e-17}) {
      std::vector<double> start = from;
      for (std::size_t i = 0; i < start.size(); ++i) start[i] /= units[i];
      Tensor w = parameter(tensor(start));
      optim::LBFGS lbfgs(Parameters{{"w", w}}, {.max_iter = 1000, .tolerance_grad = 0, .tolerance_change = tolerance});
      const auto step = [&] { return lbfgs.step(closure([&] { return problem.loss(w, units); })); };
      EXPECT_NEAR(step(), 1.5324382854, 2e-9);
      EXPECT_EQ(lbfgs.ended(), End::no_better_point) << optim::LBFGS::text(lbfgs.ended());
      EXPECT_LT(lbfgs.evaluations(), 600);
      EXPECT_LT(lbfgs.iterations(), lbfgs.evaluations());
      EXPECT_NEAR(step(), 1.5324382854, 2e-9);
      EXPECT_LE(lbfgs.evaluations(), 27);
    }
  // Parameters of 1e-6 and tolerances of 1e-9: it ends too early, as the header says.
  Tensor w = parameter(tensor({1, -.1, 5e-3, -1e-6, -5e-3, 1e-4, -1e-7}, DType::f64));
  optim::LBFGS lbfgs(Parameters{{"w", w}}, {.max_iter = 1000});
  EXPECT_GT(lbfgs.step(closure([&] { return problem.loss(w, std::vector<double>(7, 1)); })), 30);
}

TEST(LBFGSEnds, AtFiniteParametersWhereInnerProductsOverflow) {
  struct Case {
    double start;
    std::int64_t n;
    DType dtype;
    bool powers;
  };
  for (const Case& c : {Case{50, 1, DType::f32, false},
                        {45, 50, DType::f32, false},
                        {80, 50, DType::f32, false},
                        {88, 1, DType::f32, false},
                        {1e7, 50, DType::f32, true},
                        {700, 50, DType::f64, false},
                        {709, 1, DType::f64, false},
                        {1e70, 3, DType::f64, true}})
    for (const bool search : {true, false}) {
      Tensor w = parameter(full({c.n}, c.start, c.dtype));
      optim::LBFGS lbfgs(Parameters{{"w", w}}, {.max_iter = 100, .line_search = search});
      const auto loss = [&] { return c.powers ? sum(square(square(w))) : sum(exp(w) - w); };
      double now = loss().item();
      const double first = now;
      for (int t = 0; t < 20; ++t) {
        const double before = now;
        now = lbfgs.step(closure([&] {
          EXPECT_TRUE(all_finite(w));
          return loss();
        }));
        EXPECT_TRUE(all_finite(w)) << c.start;
        EXPECT_TRUE(std::isfinite(now)) << c.start;
        if (search) {
          EXPECT_LE(now, before) << c.start;
        }
      }
      if (!search) continue;
      EXPECT_LT(now, 1e-2 * first) << c.start;
      if (c.dtype == DType::f32 && !c.powers) {
        EXPECT_NEAR(values(w)[0], 0, 1e-3) << c.start;
      }
    }
}

// From the largest numbers there is no way on, and none is taken.
TEST(LBFGSEnds, WhereItIsWhenNothingElseIsFinite) {
  for (const DType dtype : {DType::f32, DType::f64}) {
    const double most = dtype == DType::f32 ? 3.4e38 : 1.79e308;
    Tensor w = parameter(full({2}, most, dtype));
    for (const bool search : {true, false}) {
      optim::LBFGS lbfgs(Parameters{{"w", w}}, {.lr = most / 2, .line_search = search});
      lbfgs.step(closure([&] { return sum(w * -1e-9); }));
      EXPECT_TRUE(all_finite(w));
    }
    optim::LBFGS lbfgs(Parameters{{"w", w}}, {.lr = most});
    for (int t = 0; t < 3; ++t) lbfgs.step(Gradients::from({{w, full({2}, t == 1 ? 1 : -1, dtype)}}));
    EXPECT_TRUE(all_finite(w));
  }
}

// Without a search a loss that is not finite ends the step one iteration back, and the next one starts afresh.
TEST(LBFGSEnds, OneIterationBackWithoutASearch) {
  Tensor w = parameter(tensor({4.0}, DType::f64));
  optim::LBFGS lbfgs(Parameters{{"w", w}}, {.lr = 30, .line_search = false});
  const auto step = [&] { return lbfgs.step(closure([&] { return sum(square(w) - 2 * log(w)); })); };
  EXPECT_NEAR(step(), 16 - 2 * std::log(4.0), 1e-14);
  EXPECT_EQ(lbfgs.ended(), End::not_finite);
  EXPECT_EQ(w.item(), 4);
  EXPECT_EQ(lbfgs.state()["w/memory"].data<double>()[1], 0);
  lbfgs.set_lr(0.5);
  EXPECT_LT(step(), 1.5);
  EXPECT_TRUE(all_finite(w));
}

TEST(LBFGSEnds, AndSaysWhy) {
  const auto end = [](optim::LBFGSOptions o, double start, int times = 1) {
    Tensor w = parameter(tensor({start, 1.0}, DType::f64));
    optim::LBFGS lbfgs(Parameters{{"w", w}}, o);
    EXPECT_EQ(lbfgs.ended(), End::not_begun);
    const Tensor steep = tensor({1.0, 3.0}, DType::f64);
    for (int t = 0; t < times; ++t) lbfgs.step(closure([&] { return sum(steep * square(w)); }));
    EXPECT_LE(lbfgs.iterations(), o.max_iter);
    return optim::LBFGS::text(lbfgs.ended());
  };
  EXPECT_STREQ(end({.tolerance_change = 0}, 1), "small_gradient");
  EXPECT_STREQ(end({.tolerance_grad = 0, .tolerance_change = 1e-6}, 1, 3), "flat");
  EXPECT_STREQ(end({.tolerance_grad = 0, .tolerance_change = 0.05, .line_search = false}, 0.1), "flat");
  EXPECT_STREQ(end({.max_iter = 1}, 1), "max_iter");
  EXPECT_STREQ(end({.max_eval = 2}, 1), "max_eval");
  EXPECT_STREQ(end({.max_eval = 1}, 1), "max_eval");
  EXPECT_STREQ(end({.lr = 1e-3, .tolerance_grad = 0, .tolerance_change = 1e-2, .line_search = false}, 1), "small_step");
  EXPECT_STREQ(end({.lr = 2, .line_search = false}, 0), "small_change");  // from 1 to -1
  EXPECT_STREQ(optim::LBFGS::text(End::not_finite), "not_finite");
  EXPECT_STREQ(optim::LBFGS::text(End::not_begun), "not_begun");
}

// PyTorch moves with max_iter = 1, too: the evaluations of a search do not count against 5/4 of 1.
TEST(LBFGSEnds, AfterOneIterationSomewhereElse) {
  Tensor w = parameter(tensor({-1.2, 1.0}, DType::f64));
  optim::LBFGS lbfgs(Parameters{{"w", w}}, {.lr = 100, .max_iter = 1});
  const auto loss = [&] { return 100 * sum(square(w.rows(1, 2) - square(w.rows(0, 1)))) + sum(square(1 - w.rows(0, 1))); };
  double before = loss().item();
  for (int t = 0; t < 5; ++t) {
    const double now = lbfgs.step(closure(loss));
    EXPECT_LT(now, before);
    EXPECT_EQ(lbfgs.iterations(), 1);
    EXPECT_GE(lbfgs.evaluations(), 2);
    before = now;
  }
}

// k iterations of one step are k steps of one.
TEST(LBFGSEnds, WithoutASearchAsSingleStepsDo) {
  Tensor one = parameter(tensor({1.0, -2.0}, DType::f64)), other = parameter(one.detach().clone());
  optim::LBFGS whole(Parameters{{"w", one}}, {.lr = 0.3, .max_iter = 6, .line_search = false}),
      single(Parameters{{"w", other}}, {.lr = 0.3});
  const auto loss = [](const Tensor& w) { return sum(exp(w)) + sum(square(square(w))); };
  for (int t = 0; t < 3; ++t) {
    whole.step(closure([&] { return loss(one); }));
    EXPECT_EQ(whole.iterations(), 6);
    EXPECT_EQ(whole.evaluations(), 6);
    for (int i = 0; i < 6; ++i) single.step(closure([&] { return loss(other); })());
    EXPECT_EQ(single.iterations(), 1);
    EXPECT_EQ(single.ended(), End::max_iter);
    EXPECT_EQ(bits(one), bits(other));
  }
}

// Whatever is thrown, and wherever: the next step is a step.
TEST(LBFGSEnds, AndBeginsAgainAfterAThrow) {
  for (const bool search : {true, false})
    for (int at = 1; at < 12; ++at) {
      Tensor w = parameter(tensor({-1.2, 1.0}, DType::f64));
      optim::LBFGS lbfgs(Parameters{{"w", w}}, {.lr = search ? 1 : 0.1, .max_iter = 4, .line_search = search});
      const auto loss = [&] { return 100 * sum(square(w.rows(1, 2) - square(w.rows(0, 1)))) + sum(square(1 - w.rows(0, 1))); };
      int calls = 0;
      bool failed = false;
      for (int t = 0; t < 12 && !failed; ++t) {
        const std::string fresh = bits(lbfgs.state()) + bits(w);
        const int first = calls + 1;
        try {
          lbfgs.step([&] {
            if (++calls == at) throw std::bad_alloc();
            return closure(loss)();
          });
        } catch (const std::bad_alloc&) {
          failed = true;
          if (at <= first + (search ? 1 : 0)) {  // before an iteration was complete
            EXPECT_EQ(bits(lbfgs.state()) + bits(w), fresh) << at;
          }
        }
      }
      EXPECT_TRUE(failed);
      const double before = loss().item();
      EXPECT_LE(lbfgs.step(closure(loss)), search ? before : INFINITY) << at;
      EXPECT_GE(lbfgs.iterations(), 1);
    }
}

// What it tells is of the last step, and a step that was refused, or threw, is one.
TEST(LBFGSEnds, AndTellsNothingOfAnEarlierStep) {
  Tensor w = parameter(tensor({-1.2, 1.0}, DType::f64));
  optim::LBFGS lbfgs(Parameters{{"w", w}}, {.max_iter = 2, .max_eval = 100});
  optim::Optimizer& base = lbfgs;
  const auto loss = [&] { return sum(square(square(w))); };
  const auto good = [&] {
    lbfgs.step(closure(loss));
    EXPECT_EQ(lbfgs.ended(), End::max_iter);
    EXPECT_EQ(lbfgs.iterations(), 2);
    EXPECT_GE(lbfgs.evaluations(), 3);
  };
  const auto expect_none = [&](const char* after, int evaluations) {
    EXPECT_EQ(lbfgs.ended(), End::not_begun) << after << ": " << optim::LBFGS::text(lbfgs.ended());
    EXPECT_EQ(lbfgs.iterations(), 0) << after;
    EXPECT_EQ(lbfgs.evaluations(), evaluations) << after;
  };
  const Gradients steep = Gradients::from({{w, full({2}, INFINITY, DType::f64)}});
  for (int at = 1; at <= 2; ++at) {
    good();
    int calls = 0;
    EXPECT_THROW(lbfgs.step([&] {
      if (++calls == at) throw std::bad_alloc();
      return closure(loss)();
    }),
                 std::bad_alloc);
    expect_none("a closure that throws", at);
  }
  good();
  EXPECT_NE(thrown([&] { lbfgs.step([&]() -> Gradients { return {}; }); }), "nothing");
  expect_none("a closure without gradients", 1);
  good();
  EXPECT_NE(thrown([&] { base.step(Gradients()); }), "nothing");
  expect_none("no gradients", 0);
  good();
  EXPECT_NE(thrown([&] { base.step(steep); }), "nothing");
  expect_none("a gradient that is not finite", 0);
  good();
  const TensorMap state = lbfgs.state();
  EXPECT_NE(thrown([&] { lbfgs.load_state(without(state, "w/memory")); }), "nothing");
  EXPECT_EQ(lbfgs.ended(), End::max_iter);  // nothing was changed
  lbfgs.load_state(state);
  expect_none("load_state()", 0);
  good();
  EXPECT_NE(thrown([&] { lbfgs.add_parameters({{"w", w}}); }), "nothing");
  EXPECT_EQ(lbfgs.ended(), End::max_iter);
  lbfgs.add_parameters({{"v", parameter(ones({1}))}});
  expect_none("add_parameters()", 0);
}

// A step that is refused inside of another is not the last.
TEST(LBFGSEnds, WhateverItsFunctionAsksItFor) {
  Tensor w = parameter(tensor({-1.2, 1.0}, DType::f64));
  optim::LBFGS lbfgs(Parameters{{"w", w}}, {.max_iter = 2, .max_eval = 100});
  int calls = 0;
  lbfgs.step([&] {
    Gradients g = closure([&] { return sum(square(square(w))); })();
    if (++calls > 1) {
      EXPECT_NE(thrown([&] { lbfgs.step(g); }), "nothing");
      EXPECT_EQ(lbfgs.ended(), End::not_begun);
      EXPECT_EQ(lbfgs.evaluations(), calls);
    }
    return g;
  });
  EXPECT_EQ(lbfgs.ended(), End::max_iter);
  EXPECT_EQ(lbfgs.iterations(), 2);
  EXPECT_EQ(lbfgs.evaluations(), calls);
}
