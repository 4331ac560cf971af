#include <capstan/capstan.h>
#include <capstan/optim/conformance.h>
#include <capstan/optim/sparse_adam.h>

#include <cmath>
#include <sstream>

#include "../files.h"
#include "rows_step.h"

// Lazy Adam: the rows of the gradient alone, and no others ever.

using namespace capstan;
using namespace rows_step;

namespace {

/// As in tests/oracles/sparse_adam.py.
Gradients gradients_at(const Tensor& w, std::int64_t t) {
  const std::vector<std::int64_t> looks = t == 10 ? std::vector<std::int64_t>{} : std::vector{t % 5, t * t % 5};
  const Tensor rows = tensor(looks), now = index_select(w.detach(), 0, rows).to(DType::f64), values = empty(now.shape(), DType::f64);
  for (std::int64_t i = 0; i < values.numel(); ++i)
    values.data<double>()[i] = (now.data<double>()[i] - 0.3 * static_cast<double>(i % 2 + 1)) * static_cast<double>(i / 2 + 1);
  return Gradients::from({{w, RowSparse{rows, values.to(w.dtype()), w.shape()}}});
}

struct Oracle {
  std::vector<std::string> cases;
  std::vector<std::pair<std::int64_t, Values>> wanted[3];
};
Oracle oracle() {
  Oracle all;
  std::istringstream in(read(CAPSTAN_TEST_FILES "/oracles/sparse_adam.txt"));
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string word, lr, beta1, beta2, eps;
    words >> word;
    if (word == "case") {
      words >> lr >> beta1 >> beta2 >> eps;
      all.cases.push_back("sparse_adam lr=" + lr + " beta1=" + beta1 + " beta2=" + beta2 + " eps=" + eps);
    } else {
      auto& [t, w] = all.wanted[all.cases.size() - 1].emplace_back();
      words >> t;
      for (double x; words >> x;) w.push_back(x);
    }
  }
  return all;
}

}  // namespace

TEST(SparseAdam, FollowsPyTorchs) {
  const Oracle all = oracle();
  ASSERT_EQ(all.cases.size(), 3u);
  for (std::size_t c = 0; c < 3; ++c)
    for (const DType dtype : {DType::f64, DType::f32}) {
      const Tensor w = parameter((arange(-5, 7, 1, DType::f64) * 0.125).reshape({6, 2}).to(dtype).clone());
      const auto optimizer = optim::make(all.cases[c], {{"w", w}});
      ASSERT_EQ(all.wanted[c].size(), 5u);
      std::int64_t t = 0;
      for (const auto& [until, wanted] : all.wanted[c]) {
        while (t < until) optimizer->step(gradients_at(w, ++t));
        const Values now = values(w);
        ASSERT_EQ(now.size(), wanted.size());
        for (std::size_t i = 0; i < now.size(); ++i)
          EXPECT_NEAR(now[i], wanted[i], dtype == DType::f64 ? 1e-13 : 2e-6) << all.cases[c] << " step " << t;
      }
    }
}

TEST(SparseAdam, HasPyTorchsDefaults) {
  const optim::SparseAdamOptions o;
  EXPECT_EQ((Values{o.lr, o.beta1, o.beta2, o.eps}), (Values{1e-3, 0.9, 0.999, 1e-8}));
}

TEST(SparseAdam, ConformsButForDenseGradients) {
  const auto report = optim::conformance<optim::SparseAdam>({.lr = 0.1}, {{.lr = 0.05, .beta1 = 0.5, .beta2 = 0.9, .eps = 1e-3}});
  EXPECT_TRUE(report) << report.text();
  EXPECT_NE(report.text().find("moves by row-sparse gradients as by dense ones: not claimed (the method refuses dense gradients)"),
            std::string::npos);
}

TEST(SparseAdam, RefusesADenseGradient) {
  const Tensor w = parameter(start({40, 2}, DType::f64)), v = parameter(ones({3, 2}, DType::f64));
  optim::SparseAdam optimizer({{"w", w}, {"v", v}});
  const RowSparse g{tensor({3}, DType::i64), ones({1, 2}, DType::f64), {40, 2}};
  optimizer.step(Gradients::from({{w, g}}));
  const std::string before = bits(w) + bits(v) + bits(optimizer.state());
  EXPECT_EQ(thrown([&] {
              optimizer.step(Gradients::from({{w, g}, {v, ones({3, 2}, DType::f64)}}));
            }),
            "ValueError: [sparse_adam] a gradient must come by rows: that for 'v' [3, 2] is dense (make the Embedding {.sparse = true}, or "
            "take Adam)");
  EXPECT_EQ(bits(w) + bits(v) + bits(optimizer.state()), before);
  EXPECT_EQ(optimizer.step_count(), 1);
}

TEST(SparseAdam, RefusesBadOptions) {
  const Tensor w = parameter(ones({3, 2}));
  const auto refusal = [&](optim::SparseAdamOptions o) { return thrown([&] { optim::SparseAdam({{"w", w}}, o); }); };
  EXPECT_EQ(refusal({.lr = -1}), "ValueError: [sparse_adam] lr must not be negative: -1");
  EXPECT_EQ(refusal({.beta1 = 1}), "ValueError: [sparse_adam] beta1 must lie in [0, 1): 1");
  EXPECT_EQ(refusal({.beta2 = 1}), "ValueError: [sparse_adam] beta2 must lie in [0, 1): 1");
  EXPECT_EQ(refusal({.eps = -1}), "ValueError: [sparse_adam] eps must not be negative: -1");
}

TEST(SparseAdam, TouchesNoOtherRow) {
  constexpr std::int64_t rows = 300, size = 5;
  std::mt19937_64 drawn(31);
  const Tensor w = parameter(start({rows, size}, DType::f32));
  const auto optimizer = optim::make("sparse_adam lr=0.01", {{"w", w}});
  const RowSparse all{arange(0, rows, 1, DType::i64), wobbles({rows, size}, 0, DType::f32), {rows, size}};
  optimizer->step(Gradients::from({{w, all}}));
  const auto held = [&](std::int64_t row) {
    const TensorMap state = optimizer->live_state();
    std::string each = bits(w.rows(row, row + 1).clone());
    for (const char* slot : {"w/exp_avg", "w/exp_avg_sq"}) each += bits(state[slot].rows(row, row + 1).clone());
    return each;
  };
  std::vector<std::string> before;
  for (std::int64_t row = 0; row < rows; ++row) before.push_back(held(row));
  for (int t = 0; t < 1000; ++t) {
    const std::int64_t row = 3 * static_cast<std::int64_t>(drawn() % 100), other = 3 * static_cast<std::int64_t>(drawn() % 100);
    optimizer->step(Gradients::from({{w, RowSparse{tensor(std::vector{row, other}), wobbles({2, size}, t, DType::f32), {rows, size}}}}));
  }
  for (std::int64_t row = 0; row < rows; ++row) EXPECT_EQ(held(row) == before[static_cast<std::size_t>(row)], row % 3 != 0) << row;
}

TEST(SparseAdam, StandsOnTheFirstPage) {
  EXPECT_NE(read(CAPSTAN_TEST_FILES "/../docs/reference.md").find("`SparseAdam`"), std::string::npos);
  EXPECT_EQ(optim::make("sparse_adam", {{"w", parameter(ones({3, 2}))}})->explain(),
            "sparse_adam: for the rows of g: m <- 0.9*m + (1 - 0.9)*g, v <- 0.999*v + (1 - 0.999)*g^2, "
            "w <- w - 0.001*sqrt(1 - 0.999^t)/(1 - 0.9^t)*m/(sqrt(v) + 1e-08)\n"
            "  1 parameter, 6 elements, 48 bytes of state\n"
            "  a row-sparse gradient moves its rows alone\n"
            "  Kingma & Ba, arXiv:1412.6980, lazily: torch.optim.SparseAdam");
}
