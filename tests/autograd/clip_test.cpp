#include <limits>

#include "reference.h"
#include "support.h"

// Clipping by all, by value, and, against tests/oracles/wrappers.txt, by rows and by tensors.

using namespace capstan;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();

/// Gradients that hold exactly g for w.
Gradients slopes(const std::vector<std::pair<Tensor, Tensor>>& of) {
  Tape tape;
  Tensor loss = zeros({}, of.front().first.dtype());
  for (const auto& [w, g] : of) loss = loss + sum(w * g);
  return tape.gradients(loss);
}

Tensor weight() { return p({{0.5, -1.0, 2.0, 0.25}, {0.0, 0.0, 0.0, 0.0}, {1e-3, -2e-3, 0.0, 1e-3}}); }
Tensor slope() { return d({{0.01, 0.02, -0.03, 0.04}, {0.5, -0.25, 1.0, 0.125}, {3.0, -4.0, 0.0, 12.0}}); }

Tensor rows_of(const std::vector<Values>& rows, std::size_t count) {
  Values all;
  for (std::size_t i = 0; i < count; ++i) all.insert(all.end(), rows[i].begin(), rows[i].end());
  return tensor(all).reshape({static_cast<std::int64_t>(count), -1});
}

}  // namespace

TEST(Clip, GlobalNorm) {
  const Tensor a = p({1, 2}), b = p({{3}});
  EXPECT_EQ(global_norm(slopes({{a, d({2, -3})}, {b, d({{6}})}})), 7);
  const Tensor large = parameter(full({1000}, 1));
  Tape other;  // squares of 1e20 do not fit into f32
  EXPECT_NEAR(global_norm(other.gradients(sum(large * 1e20))) / (1e20 * std::sqrt(1000.0)), 1, 1e-7);
}

TEST(Clip, Norm) {
  const Tensor a = p({1, 2}), b = p({3});
  const auto g = [&](double s) { return slopes({{a, d({1 * s, 2 * s})}, {b, d({2 * s})}}); };  // norm 3 s
  const Gradients clipped = clip_norm(g(10), 6);
  EXPECT_TRUE(near(clipped[a], d({2, 4}), 1e-15));
  EXPECT_TRUE(near(clipped[b], d({4}), 1e-15));
  EXPECT_EQ(values(clip_norm(g(1), 3)[a]), (Values{1, 2}));  // at the limit and below nothing changes
  EXPECT_EQ(values(clip_norm(g(1), inf)[b]), (Values{2}));
  EXPECT_EQ(values(clip_norm(g(0), 1)[a]), (Values{0, 0}));
  EXPECT_EQ(thrown([&] { (void)clip_norm(g(1), 0); }), "ValueError: [clip_norm] max_norm must be positive: 0");
  EXPECT_EQ(thrown([&] { (void)clip_norm(g(1), -1.5); }), "ValueError: [clip_norm] max_norm must be positive: -1.5");
  EXPECT_EQ(thrown([&] { (void)clip_norm(g(1), std::nan("")); }), "ValueError: [clip_norm] max_norm must be positive: nan");
  EXPECT_EQ(thrown([&] { (void)clip_norm(g(inf), 1); }), "NotFiniteError: [clip_norm] the gradients' norm must be finite: inf");
  EXPECT_EQ(thrown([&] { (void)clip_norm(g(std::nan("")), 1); }), "NotFiniteError: [clip_norm] the gradients' norm must be finite: nan");
}

TEST(Clip, Value) {
  const Tensor a = p({1, 2, 3}), b = parameter(tensor({1, 2}));
  Tape tape;
  Gradients g = clip_value(tape.gradients(sum(a * d({-5, 0.25, 5})), {.keep = true}), 0.5);
  EXPECT_EQ(values(g[a]), (Values{-0.5, 0.25, 0.5}));
  EXPECT_EQ(values(clip_value(tape.gradients(sum(b * tensor({-5, 0.25})), {.keep = true}), 0.5)[b]), (Values{-0.5, 0.25}));
  EXPECT_EQ(values(clip_value(tape.gradients(sum(a * d({-inf, 7, inf}))), inf)[a]), (Values{-inf, 7, inf}));
  EXPECT_EQ(thrown([&] { (void)clip_value(std::move(g), 0); }), "ValueError: [clip_value] the limit must be positive: 0");
  EXPECT_EQ(thrown([&] { (void)clip_value(std::move(g), -2); }), "ValueError: [clip_value] the limit must be positive: -2");
  EXPECT_EQ(thrown([&] { (void)clip_value(std::move(g), std::nan("")); }), "ValueError: [clip_value] the limit must be positive: nan");
}

TEST(ClipAdaptive, IsThePapersEquation) {
  const auto cases = read_cases("wrappers.txt");
  struct {
    const char* name;
    double clipping, eps;
  } const all[] = {{"agc", 0.01, 1e-3}, {"agc_loose", 0.1, 0.05}};
  for (const auto& c : all)
    for (const DType dtype : {DType::f64, DType::f32}) {
      const Tensor w = parameter(weight().to(dtype).clone()), v = parameter(d({0.3, -0.4, 1.2}).to(dtype)),
                   last = parameter(ones({2}, dtype));
      const Tensor g = slope().to(dtype), gv = d({0.05, 0.0, -0.12}).to(dtype), other = full({2}, 1e6, dtype);
      const Gradients clipped = clip_adaptive(slopes({{w, g}, {v, gv}, {last, other}}), {{"w", w}, {"v", v}}, c.clipping, c.eps);
      const double tolerance = dtype == DType::f64 ? 1e-14 : 1e-6;
      EXPECT_TRUE(near(clipped[w], rows_of(cases.at(c.name), 3), tolerance)) << c.name;
      EXPECT_TRUE(near(clipped[v], tensor(cases.at(c.name).at(3)), tolerance)) << c.name;
      EXPECT_TRUE(same_bits(clipped[last], other));  // it is not among the parameters
    }
  const Tensor w = weight();
  const Gradients by_default = clip_adaptive(slopes({{w, slope()}}), {{"w", w}});
  EXPECT_TRUE(near(by_default[w], rows_of(cases.at("agc"), 3), 1e-14));
}

TEST(ClipRows, LimitsEachRow) {
  const auto cases = read_cases("wrappers.txt");
  for (const DType dtype : {DType::f64, DType::f32}) {
    const Tensor w = parameter(weight().to(dtype).clone()), g = slope().to(dtype);
    const Gradients clipped = clip_rows(slopes({{w, g}}), 0.5);
    EXPECT_TRUE(near(clipped[w], rows_of(cases.at("clip_rows"), 3), dtype == DType::f64 ? 1e-14 : 1e-6));
    EXPECT_TRUE(same_bits(clipped[w].rows(0, 1), g.rows(0, 1)));  // short enough: to the bit
  }
}

TEST(ClipEach, LimitsEachTensor) {
  const auto cases = read_cases("wrappers.txt");
  for (const DType dtype : {DType::f64, DType::f32}) {
    const Tensor w = parameter(weight().to(dtype).clone()), v = p({3, 4}), empty = parameter(zeros({0, 3}, DType::f64)),
                 small = parameter(slope().to(dtype).clone()), g = slope().to(dtype);
    const Gradients clipped = clip_each(slopes({{w, g}, {small, 0.01 * g}}), 0.5);
    EXPECT_TRUE(near(clipped[w], rows_of(cases.at("clip_each"), 3), dtype == DType::f64 ? 1e-14 : 1e-6));
    EXPECT_TRUE(same_bits(clipped[small], 0.01 * g));  // short enough: to the bit
    const Gradients others = clip_each(slopes({{v, d({3, 4})}, {empty, empty.clone()}}), 2.5);
    EXPECT_EQ(values(others[v]), (Values{1.5, 2}));
    EXPECT_EQ(others[empty].numel(), 0);
  }
}

TEST(ClipRows, TakesATensorOfOneAxisOrNoneAsOneRow) {
  const Tensor v = p({3, 4}), x = p(8), cube = p({{{3, 0}, {0, 4}}, {{1, 0}, {0, 0}}}), nothing = parameter(zeros({0, 3}, DType::f64)),
               hollow = parameter(zeros({3, 0}, DType::f64));
  const Gradients clipped = clip_rows(slopes({{v, d({3, 4})},
                                              {x, d(-8)},
                                              {cube, d({{{3, 0}, {0, 4}}, {{1, 0}, {0, 0}}})},
                                              {nothing, nothing.clone()},
                                              {hollow, hollow.clone()}}),
                                      2.5);
  EXPECT_EQ(values(clipped[v]), (Values{1.5, 2}));
  EXPECT_EQ(values(clipped[x]), (Values{-2.5}));
  EXPECT_EQ(values(clipped[cube]), (Values{1.5, 0, 0, 2, 1, 0, 0, 0}));
  EXPECT_EQ(clipped[nothing].numel(), 0);
  EXPECT_EQ(clipped[hollow].numel(), 0);
}

TEST(ClipRows, LeavesAHandleFromBeforeAlone) {
  const Tensor v = p({3, 4});
  Gradients g = slopes({{v, d({3, 4})}});
  const Tensor before = g[v];
  g = clip_rows(std::move(g), 2.5);
  EXPECT_EQ(values(before), (Values{3, 4}));
  EXPECT_EQ(values(g[v]), (Values{1.5, 2}));
  EXPECT_NE(thrown([&] { g[v] *= 2; }), "nothing");  // read-only, as before
  const Tensor again = g[v];
  g = clip_adaptive(std::move(g), {{"v", v}}, 0.1);
  EXPECT_EQ(values(again), (Values{1.5, 2}));
  EXPECT_TRUE(near(g[v], d({0.3, 0.4}), 1e-15));
  EXPECT_NE(thrown([&] { g[v] *= 2; }), "nothing");
}

TEST(ClipRows, RefuseWhatCannotBe) {
  const Tensor v = p({1, 1});
  const Parameters parameters{{"v", v}};
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto g = [&](double x) {
    Tape tape;
    return tape.gradients(sum(v.rows(0, 1)) + x * sum(sqrt(v.rows(1, 2) - v.rows(1, 2).detach())));  // infinitely steep
  };
  EXPECT_EQ(thrown([&] { (void)clip_rows(g(0), 0); }), "ValueError: [clip_rows] max_norm must be positive: 0");
  EXPECT_EQ(thrown([&] { (void)clip_rows(g(0), nan); }), "ValueError: [clip_rows] max_norm must be positive: nan");
  EXPECT_EQ(thrown([&] { (void)clip_adaptive(g(0), parameters, -1); }), "ValueError: [clip_adaptive] clipping must be positive: -1");
  EXPECT_EQ(thrown([&] { (void)clip_adaptive(g(0), parameters, 0.01, 0); }), "ValueError: [clip_adaptive] eps must be positive: 0");
  EXPECT_EQ(thrown([&] { (void)clip_rows(g(1), 1); }),
            "NotFiniteError: [clip_rows] the norm of row 0 of a gradient [2] must be finite: inf");
  EXPECT_EQ(thrown([&] { (void)clip_adaptive(g(1), parameters); }),
            "NotFiniteError: [clip_adaptive] the norm of row 0 of a gradient [2] must be finite: inf");
  EXPECT_EQ(thrown([&] { (void)clip_each(g(0), -0.5); }), "ValueError: [clip_each] max_norm must be positive: -0.5");
  EXPECT_EQ(thrown([&] { (void)clip_each(g(1), 1); }), "NotFiniteError: [clip_each] the norm of a gradient [2] must be finite: inf");
  EXPECT_EQ(clip_each(Gradients(), 1).size(), 0u);
  EXPECT_EQ(clip_rows(Gradients(), 1).size(), 0u);
  EXPECT_EQ(clip_adaptive(Gradients(), parameters).size(), 0u);
}

// No finite gradient is refused, and what is brought down has the norm that was asked for, however large or small.
TEST(Clip, NormsWhoseSquaresCannotBeHeld) {
  for (const DType dtype : {DType::f32, DType::f64}) {
    const bool single = dtype == DType::f32;
    const double most = single ? static_cast<double>(std::numeric_limits<float>::max()) : std::numeric_limits<double>::max();
    const Tensor w = parameter(zeros({2}, dtype)), v = parameter(zeros({2, 2}, dtype));
    const auto g = [&](double x, double y) { return slopes({{w, tensor({3 * x, 4 * x}, dtype)}, {v, tensor({{y, 0}, {0, 0}}, dtype)}}); };
    for (const double x : {single ? 1e37 : 1e200, single ? 1e-37 : 1e-200, single ? 1e-40 : 1e-310, 1.}) {
      const double held = tensor(x, dtype).item();
      EXPECT_NEAR(global_norm(g(x, 0)) / held, 5, 1e-3) << x;
      EXPECT_NEAR(global_norm(g(0, x)) / held, 1, 1e-9) << x;
      for (const double limit : {1., 1e-30, held / 2}) {
        if (!(limit < held)) continue;
        const auto brought_down = [&](const Gradients& clipped) {
          EXPECT_NEAR(norm(clipped[w].to(DType::f64) / limit).item(), 1, 1e-3) << x << " to " << limit;
        };
        brought_down(clip_norm(g(x, 0), limit));
        brought_down(clip_each(g(x, 0), limit));
        brought_down(clip_rows(g(x, 0), limit));
      }
      EXPECT_TRUE(same_bits(clip_norm(g(x, 0), 6 * held)[w], g(x, 0)[w])) << x;
    }
    EXPECT_EQ(global_norm(g(0, 0)), 0);
    // Beyond f64 itself: the norm is infinite, and clipping still goes.
    const Gradients all = slopes({{w, tensor({most, -most}, dtype)}, {v, tensor({{most, most}, {most, most}}, dtype)}});
    EXPECT_EQ(std::isinf(global_norm(all)), !single);
    const Gradients clipped = clip_norm(all.clone(), 6);
    EXPECT_NEAR(values(clipped[w])[1], -std::sqrt(6.), 1e-5);
    EXPECT_NEAR(values(clipped[v])[3], std::sqrt(6.), 1e-5);
    EXPECT_NEAR(values(clip_each(all.clone(), 6)[v])[2], 3, 1e-6);
    const Gradients adaptive = clip_adaptive(all.clone(), {{"w", w}}, 0.5, 2);
    EXPECT_NEAR(values(adaptive[w])[0], std::sqrt(0.5), 1e-6);
    EXPECT_EQ(values(adaptive[v])[0], most);
  }
}
