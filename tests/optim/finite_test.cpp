#include <capstan/autograd/gradients.h>
#include <capstan/optim/average.h>
#include <capstan/optim/chain.h>
#include <capstan/optim/lookahead.h>
#include <capstan/optim/make.h>
#include <capstan/optim/rule_loop.h>
#include <capstan/optim/sam.h>
#include <capstan/optim/whole_tensor.h>

#include <cmath>

#include "all_methods.h"
#include "support.h"

// Finite in, finite out. That every method keeps it is "keeps parameters finite" of the kit; here is what becomes of the element,
// its state and the others.

using namespace capstan;
using namespace optim::transform;

namespace {

bool all_finite(const Tensor& w) {
  for (const double x : values(w))
    if (!std::isfinite(x)) return false;
  return true;
}

double largest(DType dtype) { return dtype == DType::f32 ? std::numeric_limits<float>::max() : std::numeric_limits<double>::max(); }
double smallest(DType dtype) {
  return dtype == DType::f32 ? std::numeric_limits<float>::denorm_min() : std::numeric_limits<double>::denorm_min();
}

/// 1 everywhere but for one element.
Tensor ones_but(std::int64_t n, std::int64_t at, double value, DType dtype) {
  std::vector<double> x(static_cast<std::size_t>(n), 1);
  x[static_cast<std::size_t>(at)] = value;
  return tensor(x).to(dtype);
}

/// A rule that divides by its gradient: infinity and NaN wherever one likes.
struct QuotientOptions {
  double lr = 1, weight_decay = 0;
  bool decoupled = false;
};
struct Quotient : optim::Elementwise<Quotient, QuotientOptions> {
  using Elementwise::Elementwise;
  static constexpr auto name = "quotient";
  static constexpr Field fields[] = {
      {"lr", &QuotientOptions::lr}, {"weight_decay", &QuotientOptions::weight_decay}, {"decoupled", &QuotientOptions::decoupled}};
  static constexpr std::array states = {"count", "sum"};
  static optim::Decay decay(const QuotientOptions& o) { return o.decoupled ? optim::Decay::decoupled : optim::Decay::l2; }
  template <class T>
  struct Rule {
    T lr;
    Rule(const QuotientOptions&, optim::StepInfo step) : lr(T(step.lr)) {}
    void operator()(T& w, T g, T& count, T& sum) const {
      count += T(1);
      sum += g;
      w -= lr * g * g / g;
    }
  };
};

struct ReciprocalOptions {
  double lr = 1;
};
struct Reciprocal : optim::WholeTensor<Reciprocal, ReciprocalOptions> {
  using WholeTensor::WholeTensor;
  static constexpr auto name = "reciprocal";
  static constexpr Field fields[] = {{"lr", &ReciprocalOptions::lr}};
  static constexpr std::array<const char*, 0> states = {};
  static void move(const ReciprocalOptions&, optim::StepInfo step, Tensor& w, const Tensor& g) { w -= step.lr / g; }
};

}  // namespace

TEST(Finite, TestsLookAtTheBits) {
  for (const double x : {0.0, -0.0, 1.0, 1e-320, 1.7e308, -1.7e308}) EXPECT_TRUE(optim::is_finite(x)) << x;
  for (const double x : {inf, -inf, NaN, -NaN}) EXPECT_FALSE(optim::is_finite(x)) << x;
  for (const float x : {0.0f, 1e-45f, -3.4e38f}) EXPECT_TRUE(optim::is_finite(x)) << x;
  for (const double x : {inf, -inf, NaN}) EXPECT_FALSE(optim::is_finite(static_cast<float>(x))) << x;
  EXPECT_EQ(optim::finite_or(2.0, 1.0), 2);
  EXPECT_EQ(optim::finite_or(inf, 1.0), 1);
  EXPECT_EQ(optim::finite_or(std::nanf(""), 1.0f), 1);
  const auto agree = []<class T>(T x) {
    const auto want = optim::is_finite(x) ? static_cast<optim::detail::BitsOf<T>>(-1) : 0;
    EXPECT_EQ(optim::detail::finite_mask<true>(x), want) << x;
    EXPECT_EQ(optim::detail::finite_mask<false>(x), want) << x;
    EXPECT_EQ(optim::detail::masked<T>(want, 3, 5), want ? 3 : 5);
  };
  for (const double x : {0.0, -0.0, 1.0, -1.0, 1e-320, 1.7e308, -1.7e308, inf, -inf, NaN, -NaN}) {
    agree(x);
    agree(static_cast<float>(x));
  }
}

// In a piece of 256 and a shorter one, in blocks of 4 and in what is left; by each instruction set; with each kind of decay.
TEST(Finite, AnElementThatWouldNotBeIsLeftWithItsState) {
  constexpr std::int64_t n = 256 + 41;
  for (const DType dtype : {DType::f32, DType::f64})
    for (const QuotientOptions& o : {QuotientOptions{}, {.weight_decay = 0.5}, {.weight_decay = 0.5, .decoupled = true}})
      for (const int level : {1, 3, 4}) {
        if (level > optim::detail::isa_level && optim::detail::isa_level > 0) continue;
        const int chosen = optim::detail::isa_level;
        for (std::int64_t at = 0; at < n; at += at < 250 ? 25 : 1) {
          Tensor w = parameter(full({n}, 2, dtype)), plain = parameter(full({n}, 2, dtype));
          Quotient a(Parameters{{"w", w}}, o), b(Parameters{{"w", plain}}, o);
          optim::detail::isa_level = level;
          a.step(Gradients::from({{w, ones_but(n, at, o.weight_decay != 0 && !o.decoupled ? -1 : 0, dtype)}}));  // with its L2 0, too
          b.step(Gradients::from({{plain, ones_but(n, at, 1, dtype)}}));
          optim::detail::isa_level = chosen;
          const std::vector<double> x = values(w), y = values(plain), count = values(a.state()["w/count"]),
                                    sum = values(a.state()["w/sum"]), others = values(b.state()["w/sum"]);
          for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
            const bool here = i == static_cast<std::size_t>(at);
            EXPECT_EQ(x[i], here ? 2 : y[i]) << i;
            EXPECT_EQ(count[i], here ? 0 : 1) << i;
            EXPECT_EQ(sum[i], here ? 0 : others[i]) << i;
          }
        }
      }
}

TEST(Finite, MomentumGoesOnAfterAGradientThatWasTooLarge) {
  for (const DType dtype : {DType::f32, DType::f64}) {
    Tensor w = parameter(zeros({1}, dtype));
    optim::SGD sgd(Parameters{{"w", w}}, {.lr = 1, .momentum = 0.5});
    const double most = largest(dtype);
    sgd.step(Gradients::from({{w, full({1}, most * 0.9, dtype)}}));
    sgd.step(Gradients::from({{w, full({1}, most * 0.9, dtype)}}));  // m would be infinite
    const double there = w.item();
    EXPECT_TRUE(std::isfinite(there));
    sgd.step(Gradients::from({{w, full({1}, -most * 0.5, dtype)}}));
    EXPECT_TRUE(std::isfinite(w.item()));
    EXPECT_NE(w.item(), there);
  }
  for (const char* spec : {"lion", "signum momentum=0.9"}) {  // whose sign of an infinite average would be the same for good
    Tensor w = parameter(zeros({3}));
    const auto o = optim::make(spec, Parameters{{"w", w}}, {{"lr", 1}});
    for (int t = 0; t < 50; ++t) o->step(Gradients::from({{w, full({3}, largest(DType::f32))}}));
    for (const auto& [name, t] : o->state()) EXPECT_TRUE(all_finite(t.to(DType::f64))) << name;
    const double low = values(w)[0];
    for (int t = 0; t < 200; ++t) o->step(Gradients::from({{w, full({3}, -largest(DType::f32))}}));
    EXPECT_GT(values(w)[0], low) << spec;
  }
}

TEST(Finite, LARSTakesTheSmallestGradients) {
  for (const DType dtype : {DType::f32, DType::f64})
    for (const double g : {smallest(dtype), -smallest(dtype), largest(dtype)}) {
      Tensor w = parameter(full({4}, 2, dtype)), scaled = parameter(full({4}, 2, dtype));
      optim::LARS a(Parameters{{"w", w}}, {.lr = 0.5, .trust_coefficient = 0.1}),
          b(Parameters{{"w", scaled}}, {.lr = 0.5, .trust_coefficient = 0.1});
      a.step(Gradients::from({{w, full({4}, g, dtype)}}));
      b.step(Gradients::from({{scaled, full({4}, g > 0 ? 1 : -1, dtype)}}));
      for (const double x : values(w)) EXPECT_NEAR(x, values(scaled)[0], 1e-6) << g;  // its step has no size of g in it
      EXPECT_NEAR(values(w)[0], g > 0 ? 1.9 : 2.1, 1e-6);
    }
}

TEST(Finite, AverageThatGrowsWithoutBoundStaysWhereItIs) {
  Tensor w = parameter(ones({3}));
  optim::LARS lars(Parameters{{"w", w}}, {.lr = 1, .trust_coefficient = 1, .momentum = 4});
  for (int t = 0; t < 150; ++t) lars.step(Gradients::from({{w, ones({3})}}));
  EXPECT_TRUE(all_finite(w));
  EXPECT_TRUE(all_finite(lars.state()["w/momentum"]));
  Tensor v = parameter(ones({3}));
  optim::ScheduleFreeAdamW free(Parameters{{"v", v}}, {.lr = 1e38});
  for (int t = 0; t < 6; ++t) free.step(Gradients::from({{v, ones({3})}}));  // z goes from 0 by 1e38
  EXPECT_TRUE(all_finite(v));
  EXPECT_TRUE(all_finite(free.state()["v/z"]));
}

TEST(Finite, FTRLLeavesAnElementWhoseSquareOverflows) {
  Tensor w = parameter(full({3}, 0.5));
  optim::FTRL ftrl(Parameters{{"w", w}});
  ftrl.step(Gradients::from({{w, ones_but(3, 1, 1.9e19, DType::f32)}}));
  EXPECT_EQ(values(w)[1], 0.5);
  EXPECT_NE(values(w)[0], 0.5);
  ftrl.step(Gradients::from({{w, ones({3})}}));
  EXPECT_EQ(values(w)[1], values(w.detach()).at(1));
  EXPECT_LT(values(w)[1], 0.5);  // and moves on
  EXPECT_TRUE(all_finite(ftrl.state()["w/accumulator"]));
}

TEST(Finite, FullMatrixAdagradKeepsTheDirectionOfWhatItCannotHold) {
  for (const DType dtype : {DType::f32, DType::f64}) {
    const double huge = dtype == DType::f32 ? 1e20 : 1e160, most = largest(dtype);
    for (const double size : {huge, most}) {
      Tensor w = parameter(zeros({2}, dtype));
      optim::FullMatrixAdagrad full(Parameters{{"w", w}}, {.lr = 1});
      full.step(Gradients::from({{w, tensor({0.6 * size, 0.8 * size}, DType::f64).to(dtype)}}));
      EXPECT_NEAR(values(w)[0], -0.6, 1e-5);
      EXPECT_NEAR(values(w)[1], -0.8, 1e-5);
      for (int t = 0; t < 3; ++t) full.step(Gradients::from({{w, tensor({0.6 * size, -0.8 * size}, DType::f64).to(dtype)}}));
      EXPECT_TRUE(all_finite(w));
      EXPECT_TRUE(all_finite(full.state()["w/outer_sum"]));
      EXPECT_TRUE(all_finite(full.state()["w/outer_rest"]));
      EXPECT_GT(values(w)[1], -0.8);
    }
  }
}

TEST(Finite, AdafactorForgetsWhatWasTooLarge) {
  for (const Shape& shape : {Shape{4}, Shape{2, 2}}) {
    Tensor w = parameter(ones(shape));
    optim::Adafactor adafactor(Parameters{{"w", w}}, {.lr = 0.1});
    adafactor.step(Gradients::from({{w, full(shape, 1e30)}}));
    EXPECT_TRUE(all_finite(w));
    EXPECT_NEAR(values(w)[0], 0.9, 1e-5);
    for (int t = 0; t < 20; ++t) adafactor.step(Gradients::from({{w, full(shape, -1e30)}}));
    EXPECT_GT(values(w)[0], 0.9);
  }
  // Squares of squares do not overflow either: a matrix of 1e10 moves as one of 1.
  Tensor a = parameter(ones({2, 2})), b = parameter(ones({2, 2}));
  optim::Adafactor large(Parameters{{"w", a}}), small(Parameters{{"w", b}});
  large.step(Gradients::from({{a, full({2, 2}, 1e10)}}));
  small.step(Gradients::from({{b, ones({2, 2})}}));
  EXPECT_NEAR(values(a)[0], values(b)[0], 1e-6);
}

TEST(Finite, OneElementOfLAMBStopsAndTheOthersDoNot) {
  for (const double beta2 : {0.999, 0.0}) {
    Tensor w = parameter(ones({3}));
    optim::LAMB lamb(Parameters{{"w", w}}, {.lr = 0.1, .beta2 = beta2});
    lamb.step(Gradients::from({{w, ones_but(3, 1, 1e25, DType::f32)}}));
    for (int t = 0; t < 3; ++t) lamb.step(Gradients::from({{w, ones({3})}}));
    EXPECT_TRUE(all_finite(w));
    EXPECT_LT(values(w)[0], 0.9);
  }
}

TEST(Finite, WholeTensorsOfAUsersAreLeftElementByElement) {
  Tensor w = parameter(full({3}, 5, DType::f64));
  Reciprocal reciprocal(Parameters{{"w", w}});
  reciprocal.step(Gradients::from({{w, tensor({1.0, 0.0, 2.0}, DType::f64)}}));
  EXPECT_EQ(values(w), (std::vector<double>{4, 5, 4.5}));
}

TEST(Finite, AMeanOfNumbersWhoseDifferenceIsNone) {
  Tensor w = parameter(zeros({1}));
  optim::Chain mean(Parameters{{"w", w}}, optim::transform::chain(accumulate(2), scale_by_learning_rate(1)));
  mean.step(Gradients::from({{w, full({1}, 3e38)}}));
  mean.step(Gradients::from({{w, full({1}, -2e38)}}));
  EXPECT_NEAR(w.item(), -0.5e38, 1e32);
}

TEST(Finite, NormsOfFiniteGradientsAreFinite) {
  for (const double size : {5e-324, 1e-200, 1e200, 1.7e308}) {
    Tensor w = parameter(zeros({3, 1}, DType::f64));
    const auto g = [&] { return Gradients::from({{w, full({3, 1}, size, DType::f64)}}); };
    if (size < 1e308) {
      EXPECT_NEAR(global_norm(g()) / size, std::sqrt(3.0), size < 1e-300 ? 1 : 1e-12);
    }
    if (size < 1) continue;
    EXPECT_NEAR(values(clip_norm(g(), 1)[w])[0], 1 / std::sqrt(3.0), 1e-12);
    EXPECT_NEAR(values(clip_rows(g(), 1)[w])[0], 1, 1e-12);
    EXPECT_NEAR(values(clip_each(g(), 1)[w])[0], 1 / std::sqrt(3.0), 1e-12);
    optim::Chain chain(Parameters{{"w", w}}, optim::transform::chain(clip_by_row_norm(1), scale_by_learning_rate(1)));
    chain.step(g());
    EXPECT_NEAR(values(w)[0], -1, 1e-12);
  }
}

TEST(Finite, WrappersTakeWhatIsFinite) {
  for (const DType dtype : {DType::f32, DType::f64}) {
    const double most = largest(dtype);
    for (const double size : {smallest(dtype), most}) {
      Tensor w = parameter(full({2}, 1, dtype));
      optim::SGD sgd(Parameters{{"w", w}}, {.lr = 1e-3});
      optim::SAM sam(sgd, {.rho = 0.5});
      std::vector<double> seen;
      sam.step([&] {
        seen = values(w);
        return Gradients::from({{w, full({2}, size, dtype)}});
      });
      for (const double x : seen)
        EXPECT_NEAR(x, 1 + 0.5 / std::sqrt(2.0), dtype == DType::f64 || size == most ? 0.2 : 1e-6)
            << size;  // of norms at the ends of f64 little is exact
      EXPECT_TRUE(all_finite(w));
    }
    Tensor w = parameter(full({2}, most, dtype));  // the difference to -most is no number
    optim::SGD sgd(Parameters{{"w", w}}, {.lr = 1});
    optim::Lookahead lookahead(sgd, {.period = 1, .alpha = 0.5});
    optim::EMA ema(Parameters{{"w", w}}, {.decay = 0.5});
    ema.update();
    w.assign(full({2}, -most, dtype));
    lookahead.step(Gradients::from({{w, zeros({2}, dtype)}}));
    EXPECT_EQ(values(w), (std::vector<double>{0, 0}));
    w.assign(full({2}, -most, dtype));
    ema.update();
    ema.swap();
    EXPECT_EQ(values(w), (std::vector<double>{0, 0}));
  }
}
