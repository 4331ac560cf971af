#include <capstan/optim/make.h>

#include <cmath>
#include <limits>

#include "all_methods.h"
#include "support.h"

// The rows of the methods of optim/contrib, each with a test of what the method is for.

std::vector<Row> contrib_rows() {
  return {{"adan",
           build<optim::Adan, optim::AdanOptions>,
           {"lr", "beta1", "beta2", "beta3", "eps", "weight_decay", "bias_correction"},
           {{"lr", 0.05}, {"beta1", 0.9}},
           1e-3,
           {felt("lr", 0.2), felt("beta1", 0.5), felt("beta2", 0.5), felt("beta3", 0.9), felt("eps", 0.5), felt("weight_decay", 0.1),
            felt("bias_correction", 0)},
           refusals({"lr", "eps", "weight_decay"}, {"beta1", "beta2", "beta3"}),
           {{{"lr", 0.1}, {"beta1", 0.9}, {"beta2", 0.8}, {"beta3", 0.95}, {"eps", 1e-3}, {"weight_decay", 0.01}, {"bias_correction", 0}}},
           "| exp_avg exp_avg_diff exp_avg_sq last_gradient",
           optim::Decay::own},
          {"prodigy",
           build<optim::Prodigy, optim::ProdigyOptions>,
           {"lr", "beta1", "beta2", "eps", "d0", "d_coef", "weight_decay", "bias_correction"},
           {{"beta2", 0.99}, {"d0", 0.01}},
           0.03,
           {{"lr", {{"d0", 0.01}}, {{"d0", 0.01}, {"lr", 0.5}}},
            {"beta1", {{"d0", 0.01}}, {{"d0", 0.01}, {"beta1", 0.5}}},
            {"beta2", {{"d0", 0.01}}, {{"d0", 0.01}, {"beta2", 0.9}}},
            {"eps", {{"d0", 0.01}}, {{"d0", 0.01}, {"eps", 0.5}}},
            {"d0", {{"d0", 0.01}}, {{"d0", 0.02}}},
            {"d_coef", {{"d0", 0.01}}, {{"d0", 0.01}, {"d_coef", 2}}},
            {"weight_decay", {{"d0", 0.01}}, {{"d0", 0.01}, {"weight_decay", 0.5}}},
            {"bias_correction", {{"d0", 0.01}}, {{"d0", 0.01}, {"bias_correction", 1}}}},
           refusals({"lr", "eps", "weight_decay"}, {"beta1", "beta2"},
                    {{{{"d0", 0}}, "d0 must be above 0: 0"},
                     {{{"d0", NaN}}, "d0 must be finite: nan"},
                     {{{"d_coef", -1}}, "d_coef must be above 0: -1"},
                     {{{"d_coef", inf}}, "d_coef must be finite: inf"}}),
           {{{"lr", 0.5},
             {"beta1", 0.8},
             {"beta2", 0.99},
             {"eps", 1e-3},
             {"d0", 0.01},
             {"d_coef", 0.5},
             {"weight_decay", 0.01},
             {"bias_correction", 1}}},
           "| exp_avg exp_avg_sq s start",
           optim::Decay::own,
           false,
           false,
           1 << 30,
           true,
           {},
           {"d", "r"}},
          {"shampoo",
           build<optim::Shampoo, optim::ShampooOptions>,
           {"lr", "eps", "weight_decay", "update_freq"},
           {{"lr", 0.5}},
           1e-2,
           {felt("lr", 0.2), felt("eps", 0.5), felt("weight_decay", 0.1), felt("update_freq", 1)},
           refusals({"lr", "eps", "weight_decay"}, {}, {{{{"update_freq", 0}}, "update_freq must be at least 1: 0"}}),
           {{{"lr", 0.1}, {"eps", 1e-3}, {"weight_decay", 0.01}, {"update_freq", 3}}},
           "| left right left_root right_root sum",
           optim::Decay::l2,
           true,
           false,
           1 << 17},
          {"sm3",
           build<optim::SM3, optim::SM3Options>,
           {"lr", "eps", "weight_decay"},
           {{"lr", 0.5}},
           1e-3,
           {felt("lr", 0.2), felt("eps", 0.1), felt("weight_decay", 0.1)},
           refusals({"lr", "eps", "weight_decay"}, {}),
           {{{"lr", 0.1}, {"eps", 1e-3}, {"weight_decay", 0.01}}},
           "| sum",
           optim::Decay::l2,
           true}};
}

namespace {

/// After how many steps a loss is below `left` of the first; `most` when it is not.
template <class Loss>
int steps_to(const std::string& spec, Tensor w, double left, int most, Loss loss) {
  const auto optimizer = optim::make(spec, {{"w", w}});
  double first = 0;
  for (int t = 0; t < most; ++t) {
    Tape tape;
    const Tensor now = loss(w);
    if (t == 0) first = now.item();
    if (now.item() <= left * first) return t;
    optimizer->step(tape.gradients(now));
  }
  return most;
}

/// At the best of some rates.
template <class Loss>
int fewest_steps_to(const std::string& method, const Tensor& start, double left, int most, Loss loss) {
  for (const char* lr : {"0.003", "0.01", "0.03", "0.1", "0.3", "1", "3"})
    most = steps_to(method + " lr=" + lr, parameter(start.clone()), left, most, loss);
  return most;
}

std::string formula(const std::string& spec) {
  const std::string text = optim::make(spec, {{"w", zeros({2, 3})}})->explain();
  return text.substr(0, text.find('\n'));
}

}  // namespace

TEST(Contrib, AdanIsThroughAValleySoonerThanAdam) {
  const Tensor start = tensor({-1.2, 1.0}, DType::f64);
  const auto valley = [](const Tensor& w) {  // Rosenbrock's
    const Tensor x = w.rows(0, 1), y = w.rows(1, 2);
    return sum(square(1 - x) + 100 * square(y - square(x)));
  };
  const int adan = fewest_steps_to("adan", start, 1e-4, 3000, valley), adam = fewest_steps_to("adam", start, 1e-4, 3000, valley);
  EXPECT_LT(2 * adan, adam) << adan;
}

TEST(Contrib, AdanExplainsItself) {
  EXPECT_EQ(
      formula("adan"),
      "adan: d = g - last g, m <- 0.98*m + (1 - 0.98)*g, v <- 0.92*v + (1 - 0.92)*d, n <- 0.99*n + (1 - 0.99)*(g + 0.92*d)^2, w <- w - "
      "0.001*(m/(1 - 0.98^t) + 0.92*v/(1 - 0.92^t))/(sqrt(n/(1 - 0.99^t)) + 1e-08)");
  EXPECT_EQ(
      formula("adan bias_correction=0 weight_decay=0.5"),
      "adan: d = g - last g, m <- 0.98*m + (1 - 0.98)*g, v <- 0.92*v + (1 - 0.92)*d, n <- 0.99*n + (1 - 0.99)*(g + 0.92*d)^2, (m and n "
      "from g and g^2), w <- w - 0.001*(m + 0.92*v)/(sqrt(n) + 1e-08), w <- w/(1 + 0.001*0.5)");
}

TEST(Contrib, ProdigyNeedsNoRate) {
  for (const double size : {0.01, 1.0, 100.0}) {
    const Tensor bottom = size * wobbles({7}, 50, DType::f64);
    const auto parabola = [&](const Tensor& w) { return sum(square(w - bottom)); };
    const auto steps = [&](const char* spec) { return steps_to(spec, parameter(zeros({7}, DType::f64)), 1e-2, 1000, parabola); };
    EXPECT_LT(steps("prodigy"), 100) << size;
    EXPECT_LT(steps("prodigy bias_correction=true"), 100) << size;
    if (size > 1) {
      EXPECT_EQ(steps("adam"), 1000);
    }
  }
  Tensor w = parameter(ones({2}, DType::f64));
  optim::Prodigy prodigy(Parameters{{"w", w}}, {.d0 = 0.5});
  EXPECT_EQ(prodigy.d(), 0.5);
  for (int t = 0; t < 5; ++t) prodigy.step(Gradients::from({{w, ones({2}, DType::f64)}}));
  EXPECT_GT(prodigy.d(), 0.5);
  EXPECT_EQ(prodigy.state()["prodigy/d"].item(), prodigy.d());
}

TEST(Contrib, ProdigyExplainsItself) {
  EXPECT_EQ(
      formula("prodigy"),
      "prodigy: r <- sqrt(0.999)*r + (1 - sqrt(0.999))*1*d^2*<g, w0 - w>, s <- sqrt(0.999)*s + (1 - sqrt(0.999))*1*d^2*g, m <- 0.9*m + "
      "(1 - 0.9)*d*g, v <- 0.999*v + (1 - 0.999)*d^2*g^2, w <- w - 1*d*m/(sqrt(v) + d*1e-08), d <- max(d, r/|s|) (from 1e-06)");
  EXPECT_NE(formula("prodigy weight_decay=0.5 d_coef=2").find(", w <- w - 1*d*0.5*w, "), std::string::npos);
  EXPECT_NE(formula("prodigy weight_decay=0.5 d_coef=2").find("max(d, 2*r/|s|)"), std::string::npos);
  EXPECT_NE(formula("prodigy bias_correction=1").find("(1*sqrt(1 - 0.999^t)/(1 - 0.9^t))*d*m"), std::string::npos);
}

TEST(Contrib, ShampooSolvesAMatrixProblemSoonerThanAdagrad) {
  manual_seed(5);
  const auto side = [](std::int64_t n) {  // 30 times as steep one way as another, in a turned basis
    const Tensor q = qr(randn({n, n}, DType::f64)).q;
    std::vector<double> steep;
    for (std::int64_t i = 0; i < n; ++i) steep.push_back(std::pow(30, static_cast<double>(i) / static_cast<double>(n - 1)) / 10);
    return matmul(q * tensor(steep), q, {.transpose_b = true});
  };
  const Tensor a = side(8), b = side(6), bottom = randn({8, 6}, DType::f64), start = zeros({8, 6}, DType::f64);
  const auto loss = [&](const Tensor& w) { return sum(square(matmul(matmul(a, w - bottom), b))); };
  const auto steps = [&](const char* method) { return fewest_steps_to(method, start, 1e-3, 1000, loss); };
  const int shampoo = steps("shampoo update_freq=1"), seldom = steps("shampoo"), adagrad = steps("adagrad");
  EXPECT_LT(5 * shampoo, adagrad) << shampoo;
  EXPECT_LT(seldom, adagrad);
}

TEST(Contrib, ShampooMovesWhatHasNoRootsAsAdagradDoes) {
  for (const Shape& shape : {Shape{}, Shape{5}, Shape{1, 2049}, Shape{2049, 1, 1}, Shape{0, 3}}) {
    Tensor a = parameter(zeros(shape, DType::f64)), b = parameter(zeros(shape, DType::f64));
    const auto shampoo = optim::make("shampoo", {{"a", a}}), adagrad = optim::make("adagrad lr=0.1 eps=1e-4", {{"b", b}});
    for (int t = 0; t < 3; ++t) {
      const Tensor g = wobbles(shape, 10 * t, DType::f64);
      shampoo->step(Gradients::from({{a, g}}));
      adagrad->step(Gradients::from({{b, g}}));
    }
    for (std::size_t i = 0; i < values(a).size(); ++i) EXPECT_NEAR(values(a)[i], values(b)[i], 1e-15) << to_string(shape);
  }
  Tensor w = parameter(zeros({3, 2, 2}));
  optim::Shampoo shampoo(Parameters{{"w", w}});
  shampoo.step(Gradients::from({{w, ones({3, 2, 2})}}));
  EXPECT_EQ(names(shampoo.state()).substr(names(shampoo.state()).find("w/")), "w/step w/left w/right w/left_root w/right_root w/sum");
  EXPECT_TRUE(shampoo.state()["w/right_root"].shape() == (Shape{4, 4}));
}

// The direction is right, and goes on to be, where the squares have no room.
TEST(Contrib, ShampooTakesGradientsOfAnySize) {
  for (const DType dtype : {DType::f32, DType::f64}) {
    const double most = dtype == DType::f32 ? std::numeric_limits<float>::max() : std::numeric_limits<double>::max();
    for (const double size : {most, most / 4}) {
      Tensor w = parameter(zeros({2, 2}, dtype));
      optim::Shampoo shampoo(Parameters{{"w", w}}, {.lr = 1, .update_freq = 1});
      for (int t = 0; t < 20; ++t) {
        const std::vector<double> before = values(w);
        shampoo.step(Gradients::from({{w, tensor({{0.6 * size, 0.0}, {0.0, -0.8 * size}}, DType::f64).to(dtype)}}));
        EXPECT_LT(values(w)[0], before[0] - 0.01);
        EXPECT_GT(values(w)[3], before[3] + 0.01);
      }
    }
  }
}

// The other eigenvalues of one u v^T are rounding alone; their roots, if they counted for less than a unit, would be most of the step.
TEST(Contrib, ShampooTakesNoDirectionFromRounding) {
  for (const DType dtype : {DType::f32, DType::f64}) {
    const Tensor u = wobbles({5, 1}, 3, DType::f64), v = wobbles({1, 4}, 20, DType::f64);
    Tensor w = parameter(zeros({5, 4}, dtype));
    optim::Shampoo shampoo(Parameters{{"w", w}}, {.lr = 0.5, .eps = 0});
    shampoo.step(Gradients::from({{w, matmul(u, v).to(dtype)}}));
    const Tensor step = -0.5 * matmul(u / norm(u), v / norm(v));
    const double most = dtype == DType::f32 ? 1e-4 : 1e-8;
    for (std::size_t i = 0; i < values(w).size(); ++i) EXPECT_NEAR(values(w)[i], values(step)[i], most) << name(dtype);
  }
}

TEST(Contrib, ShampooExplainsItself) {
  EXPECT_EQ(
      formula("shampoo weight_decay=0.5"),
      "shampoo: g <- g + 0.5*w, L <- L + g g', R <- R + g' g, w <- w - 0.1*(L + 1e-04*I)^(-1/4) g (R + 1e-04*I)^(-1/4), the roots every "
      "10 steps, before in steps 1, 2, 4, ... (vectors: s <- s + g^2, w <- w - 0.1*g/(sqrt(s) + 1e-04))");
}

TEST(Contrib, SM3HasOneNumberForEachRowAndColumn) {
  const Parameters w = {{"w", zeros({1000, 500})}};
  EXPECT_NE(optim::make("sm3", w)->explain().find(", 6000 bytes of state"), std::string::npos) << optim::make("sm3", w)->explain();
  EXPECT_NE(optim::make("adagrad", w)->explain().find(", 2000000 bytes of state"), std::string::npos);
  // And moves like Adagrad where each row has one size of gradient.
  Tensor a = parameter(zeros({3, 2}, DType::f64)), b = parameter(zeros({3, 2}, DType::f64));
  const auto sm3 = optim::make("sm3", {{"a", a}}), adagrad = optim::make("adagrad lr=0.1", {{"b", b}});
  for (int t = 0; t < 5; ++t) {
    const Tensor g = tensor({{1.0, -1.0}, {0.0, 0.0}, {0.5, 0.5}}, DType::f64);
    sm3->step(Gradients::from({{a, g}}));
    adagrad->step(Gradients::from({{b, g}}));
  }
  for (std::size_t i = 0; i < 6; ++i) EXPECT_NEAR(values(a)[i], values(b)[i], 1e-15);
  // Of any number of axes, of none too.
  for (const Shape& shape : {Shape{}, Shape{4}, Shape{2, 3, 4}, Shape{0, 3}}) {
    Tensor x = parameter(zeros(shape));
    optim::SM3 of_any(Parameters{{"x", x}});
    of_any.step(Gradients::from({{x, ones(shape)}}));
    for (const double moved : values(x)) EXPECT_NEAR(moved, -0.1, 1e-6);
    EXPECT_EQ(of_any.state()["x/sum"].numel(), shape.dim() == 0 ? 1 : shape.dim() == 1 ? 4 : shape.dim() == 3 ? 9 : 3);
  }
}

TEST(Contrib, SM3ExplainsItself) {
  EXPECT_EQ(formula("sm3"), "sm3: v = min(s of each slice) + g^2, s <- max(v over the slice), w <- w - 0.1*g/(sqrt(v) + 1e-10)");
}
