// Gradients that were computed elsewhere; reading gradients from several threads.
#include <capstan/optim/adagrad.h>
#include <capstan/optim/sgd.h>

#include <atomic>
#include <thread>

#include "support.h"

using namespace capstan;

namespace {

Tensor rows_of(std::initializer_list<std::int64_t> rows) {
  Tensor t = zeros({static_cast<std::int64_t>(rows.size())}, DType::i64);
  std::copy(rows.begin(), rows.end(), t.data<std::int64_t>());
  return t;
}

std::string refusal(const std::vector<GradientFor>& given) {
  return thrown([&] { (void)Gradients::from(given, 0); });
}

}  // namespace

TEST(GradientsFrom, AreTheTapesToTheBit) {
  const Tensor w = p({2, -3, 0.5}), v = p({{1, 2}, {3, 4}});
  Tape tape;
  const Gradients taped = tape.gradients(sum(square(w)) + sum(exp(v)));
  const Gradients own = Gradients::from({{v, exp(v.detach())}, {w, 2 * w.detach()}}, taped.loss());  // in another order
  EXPECT_EQ(own.size(), 2u);
  EXPECT_EQ(own.loss(), taped.loss());
  EXPECT_TRUE(same_bits(own[w], taped[w]) && same_bits(own[v], taped[v]));
  EXPECT_EQ(global_norm(own), global_norm(taped));
  const Tensor w2 = parameter(w.clone()), v2 = parameter(v.clone());
  optim::Adagrad one({{"w", w}, {"v", v}}, {.lr = 0.1}), two({{"w", w2}, {"v", v2}}, {.lr = 0.1});
  const Gradients other = Gradients::from({{w2, own[w]}, {v2, own[v]}});
  EXPECT_EQ(other.loss(), 0);
  one.step(own);
  two.step(other);
  EXPECT_TRUE(same_bits(w, w2) && same_bits(v, v2));
}

TEST(GradientsFrom, AreCopiesAndReadOnly) {
  const Tensor w = p({2, 3});
  Tensor g = d({5, 6, 7, 8});
  const Gradients all = Gradients::from({{w, g.rows(1, 3)}}, 1);
  g *= 0;
  EXPECT_EQ(values(all[w]), (Values{6, 7}));
  Tensor handle = all[w];
  EXPECT_NE(thrown([&] { handle *= 2; }).find("a gradient is read-only"), std::string::npos);
  EXPECT_EQ(values(g), (Values{0, 0, 0, 0}));
}

TEST(GradientsFrom, ByRowsInAnyOrder) {
  const Tensor w = p({{1, 1}, {2, 2}, {3, 3}, {4, 4}});
  const Gradients all = Gradients::from({{w, RowSparse{rows_of({3, 1, 3}), d({{1, 2}, {3, 4}, {10, 20}}), {4, 2}}}}, 0);
  EXPECT_TRUE(all.is_sparse(w));
  EXPECT_EQ(values(all[w]), (Values{0, 0, 3, 4, 0, 0, 11, 22}));
  EXPECT_EQ(all.sparse(w).rows.data<std::int64_t>()[0], 1);
  EXPECT_EQ(all.sparse(w).rows.numel(), 2);
  optim::SGD sgd({{"w", w}}, {.lr = 1});
  sgd.step(all);
  EXPECT_EQ(values(w), (Values{1, 1, -1, -2, 3, 3, -7, -18}));
  const Gradients none = Gradients::from({{w, {rows_of({}), zeros({0, 2}, DType::f64), {4, 2}}}}, 0);
  EXPECT_EQ(values(none[w]), Values(8, 0));
}

TEST(GradientsFrom, OfATapeOfHigherOrderAreConstants) {
  const Tensor w = p({2, 3});
  Tape tape({.higher_order = true});
  const Tensor g = tape.gradient(sum(w * w * w), w);
  const Gradients all = Gradients::from({{w, g}});
  EXPECT_EQ(values(all[w]), (Values{12, 27}));
  EXPECT_EQ(values(tape.gradient(sum(g), w)), (Values{12, 18}));
}

TEST(GradientsFrom, RefusesWhatTheTapeWould) {
  const Tensor w = p({2, 3}), v = p({{1, 2}, {3, 4}}), constant = d({1, 2});
  const std::string wants = " must want a gradient: f64 [2] (a view, a clone or a result wants none; see set_requires_grad())";
  EXPECT_EQ(refusal({{w, d({1, 2})}, {constant, d({1, 2})}}), "ValueError: [gradients] parameter 1" + wants);
  EXPECT_EQ(refusal({{w.clone(), d({1, 2})}}), "ValueError: [gradients] parameter 0" + wants);
  EXPECT_EQ(refusal({{w.detach(), d({1, 2})}}), "ValueError: [gradients] parameter 0" + wants);
  EXPECT_EQ(refusal({{w, d({1, 2, 3})}}),
            "ShapeError: [gradients] the gradient for parameter 0 must have the parameter's shape: [3], the parameter is [2]");
  EXPECT_EQ(refusal({{w, d({{1, 2}})}}),
            "ShapeError: [gradients] the gradient for parameter 0 must have the parameter's shape: [1, 2], the parameter is [2]");
  EXPECT_EQ(refusal({{w, ones({2})}}),
            "ValueError: [gradients] the gradient for parameter 0 must have the parameter's dtype: f32, the parameter is f64");
  EXPECT_EQ(refusal({{w, d({1, 2})}, {v, zeros_like(v)}, {w, d({1, 2})}}),
            "ValueError: [gradients] a parameter must come once: one of [2] comes twice (add its gradients up)");
  const std::string undefined = " and its gradient must be defined: one was default-constructed or moved from";
  EXPECT_EQ(refusal({{w, Tensor()}}), "ValueError: [gradients] parameter 0" + undefined);
  EXPECT_EQ(refusal({{Tensor(), w}}), "ValueError: [gradients] parameter 0" + undefined);
  EXPECT_EQ(refusal({{v, RowSparse{Tensor(), ones({1, 2}), {2, 2}}}}), "ValueError: [gradients] parameter 0" + undefined);
  EXPECT_EQ(thrown([&] { optim::SGD({{"w", w}}).step(Gradients::from({}, 1)); }).find("ValueError: [sgd] none of the 1 parameters"), 0u);
}

TEST(GradientsFrom, RefusesRowsThatCannotBe) {
  const Tensor v = p({{1, 2}, {3, 4}});
  const auto rows = [&](const Tensor& index, const Tensor& g, const Shape& shape) { return refusal({{v, RowSparse{index, g, shape}}}); };
  EXPECT_EQ(rows(rows_of({0}), d({{1, 2}}), {3, 2}),
            "ShapeError: [gradients] the gradient for parameter 0 must have the parameter's shape: [3, 2], the parameter is [2, 2]");
  EXPECT_EQ(rows(ones({1}), d({{1, 2}}), {2, 2}),
            "ValueError: [gradients] the rows of the gradient for parameter 0 must be i64 [n]: f32 [1]");
  EXPECT_EQ(rows(rows_of({0, 1}), d({{1, 2}}), {2, 2}),
            "ShapeError: [gradients] the gradient for parameter 0 must have a row of the parameter for each index: [1, 2] for 2 rows, the "
            "parameter is [2, 2]");
  EXPECT_EQ(rows(rows_of({0}), ones({1, 2}), {2, 2}),
            "ValueError: [gradients] the gradient for parameter 0 must have the parameter's dtype: f32, the parameter is f64");
  for (const std::int64_t row : {std::int64_t{-1}, std::int64_t{2}})
    EXPECT_EQ(rows(rows_of({row}), d({{1, 2}}), {2, 2}),
              "ValueError: [gradients] the gradient for parameter 0 must be for rows that there "
              "are: row " +
                  std::to_string(row) + " of [2, 2]");
}

TEST(GradientsFrom, ThatAreNotFiniteAreRefusedByTheStep) {
  Tensor w = p({2, 3});
  optim::SGD sgd({{"w", w}}, {.lr = 1});
  EXPECT_NE(thrown([&] {
              sgd.step(Gradients::from({{w, d({1, std::nan("")})}}, 0));
            }).find("must be finite: nan at [1]"),
            std::string::npos);
  EXPECT_NE(thrown([&] { sgd.step(Gradients::from({{w, d({1, 1})}}, std::nan(""))); }).find("the loss must be finite"), std::string::npos);
  EXPECT_EQ(values(w), (Values{2, 3}));
}

// Whatever takes constant gradients may run beside itself; ThreadSanitizer looks on.
TEST(Gradients, AreReadBySeveralThreads) {
  const Tensor w = parameter(ones({64})), table = parameter(ones({40, 8}));
  for (int round = 0; round < 50; ++round) {
    Tape tape;
    const Gradients all = tape.gradients(sum(w * w) + sum(index_select(table, 0, rows_of({3, 1}))));
    std::atomic<int> ready{0};
    std::atomic<bool> same{true};
    std::vector<std::thread> threads;
    for (int k = 0; k < 4; ++k)
      threads.emplace_back([&, k] {
        ++ready;
        while (ready < 4) {
        }
        if (k == 0) same = same && global_norm(all) > 0;
        if (k == 1) same = same && same_bits(all.clone()[w], all[w]);
        if (k == 2) {
          Gradients sum = Gradients::from({{w, zeros({64})}});
          sum += all;
          same = same && same_bits(sum[w], all[w]);
        }
        if (k == 3) optim::SGD({{"w", w}}).step(all);
      });
    for (std::thread& t : threads) t.join();
    EXPECT_TRUE(same);
  }
}
