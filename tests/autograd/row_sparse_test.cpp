// Gradients that are kept by rows.
#include "support.h"

using namespace capstan;

namespace {

Tensor index_of(const std::vector<std::int64_t>& rows) {
  Tensor t = empty({static_cast<std::int64_t>(rows.size())}, DType::i64);
  for (std::size_t i = 0; i < rows.size(); ++i) t.data<std::int64_t>()[i] = rows[i];
  return t;
}
std::vector<std::int64_t> rows_of(const RowSparse& g) {
  return {g.rows.data<std::int64_t>(), g.rows.data<std::int64_t>() + g.rows.numel()};
}
using Rows = std::vector<std::int64_t>;

/// d sum(square(w[index]))
Gradients picked(const Tensor& w, const std::vector<std::int64_t>& rows) {
  Tape tape;
  return tape.gradients(sum(square(index_select(w, 0, index_of(rows)))));
}

}  // namespace

TEST(RowSparse, RowsAscendAndRepetitionsAreAdded) {
  const Tensor w = parameter(numbers({20, 3}));
  const Gradients g = picked(w, {7, 2, 7, 19});
  ASSERT_TRUE(g.is_sparse(w));
  const RowSparse s = g.sparse(w);
  EXPECT_EQ(rows_of(s), (Rows{2, 7, 19}));
  EXPECT_EQ(s.shape, (Shape{20, 3}));
  EXPECT_TRUE(near(s.values, concat({2 * w.rows(2, 3), 4 * w.rows(7, 8), 2 * w.rows(19, 20)}).detach(), 1e-15));
  Tensor dense = zeros({20, 3}, DType::f64);
  for (const std::int64_t row : {7, 2, 7, 19}) dense.rows(row, row + 1) += 2 * w.detach().rows(row, row + 1);
  EXPECT_TRUE(near(g[w], dense, 1e-15));
  EXPECT_TRUE(same_bits(g[w], s.dense()));
  EXPECT_NE(thrown([&] {
              Tensor t = g[w];
              t += 1.0;
            }).find("read-only"),
            std::string::npos);
}

TEST(RowSparse, ManyRowsAreDense) {
  const Tensor w = parameter(numbers({16, 2}));
  EXPECT_TRUE(picked(w, {1, 2, 3, 4}).is_sparse(w));
  const Gradients g = picked(w, {1, 2, 3, 4, 5});
  EXPECT_FALSE(g.is_sparse(w));
  EXPECT_EQ(thrown([&] { (void)g.sparse(w); }), "ValueError: [gradients] the gradient is dense: f64 [16, 2] (ask is_sparse() first)");
  EXPECT_EQ(thrown([&] { (void)g.is_sparse(zeros({2})); }),
            "ValueError: [gradients] there is no gradient for this tensor: f32 [2] (it is no parameter: a view, a clone or a result; see "
            "set_requires_grad() and watch())");
}

TEST(RowSparse, TwoUsesAndADenseOne) {
  const Tensor w = parameter(numbers({20, 3}));
  const auto part = [&](const Rows& rows) { return sum(square(index_select(w, 0, index_of(rows)))); };
  Tape tape;
  const Gradients twice = tape.gradients(part({3, 5}) + part({5, 1}), {.keep = true});
  EXPECT_EQ(rows_of(twice.sparse(w)), (Rows{1, 3, 5}));
  const Gradients first = picked(w, {3, 5}), second = picked(w, {5, 1});
  EXPECT_TRUE(near(twice[w], first[w] + second[w], 1e-15));
  const Gradients mixed = tape.gradients(part({3, 5}) + sum(w * w));
  EXPECT_FALSE(mixed.is_sparse(w));
  EXPECT_TRUE(near(mixed[w], first[w] + 2 * w.detach(), 1e-15));
}

TEST(RowSparse, AResultOfTheTapeGetsADenseOne) {
  const Tensor v = parameter(numbers({20, 3}));
  Tape tape;
  const Tensor w = v * 2;
  const Gradients g = tape.gradients(sum(square(index_select(w, 0, index_of({4, 4})))));
  EXPECT_FALSE(g.is_sparse(v));
  EXPECT_TRUE(near(g[v].rows(4, 5), 16 * v.detach().rows(4, 5), 1e-15));
  EXPECT_TRUE(near(sum(abs(g[v])), sum(abs(g[v].rows(4, 5))), 0));
}

TEST(RowSparse, Gather) {
  const Tensor w = parameter(numbers({40, 2})), v = parameter(numbers({40}));
  const Tensor index = tensor({{3, 9}, {30, 3}, {3, 3}}, DType::i64);
  Tape tape;
  const Tensor loss = sum(square(gather(w, 0, index))) + sum(square(gather(v, 0, index_of({8, 1, 8}))));
  const Gradients g = tape.gradients(loss);
  EXPECT_EQ(rows_of(g.sparse(w)), (Rows{3, 9, 30}));
  EXPECT_EQ(rows_of(g.sparse(v)), (Rows{1, 8}));
  const Tensor wide = concat({w.detach(), numbers({0, 2})});
  Tensor expected = zeros({40, 2}, DType::f64);
  const auto add = [&](int row, int column, double times) {
    expected.data<double>()[row * 2 + column] += 2 * times * w.data<double>()[row * 2 + column];
  };
  add(3, 0, 2), add(9, 1, 1), add(30, 0, 1), add(3, 1, 2);
  EXPECT_TRUE(near(g[w], expected, 1e-15));
}

TEST(RowSparse, ArithmeticOfGradients) {
  const Tensor w = parameter(numbers({20, 3})), other = parameter(numbers({20, 3}, -1, 1, 1));
  const Gradients a = picked(w, {7, 2}), b = picked(w, {2, 9});
  Gradients copy = a.clone();
  EXPECT_TRUE(copy.is_sparse(w));
  EXPECT_NE(copy.sparse(w).values.data<double>(), a.sparse(w).values.data<double>());
  copy += b;
  EXPECT_EQ(rows_of(copy.sparse(w)), (Rows{2, 7, 9}));
  EXPECT_TRUE(near(copy[w], a[w] + b[w], 1e-15));
  EXPECT_DOUBLE_EQ(global_norm(a), norm(a[w]).item());
  copy *= 3;
  EXPECT_TRUE(copy.is_sparse(w));
  EXPECT_TRUE(near(copy[w], 3 * (a[w] + b[w]), 1e-15));
  Tape tape;
  const Gradients dense = tape.gradients(sum(w * w) + sum(other));
  Gradients sum = a.clone();
  sum += dense;
  EXPECT_FALSE(sum.is_sparse(w));
  EXPECT_TRUE(near(sum[w], a[w] + dense[w], 1e-15));
  Gradients taken = dense.clone();
  taken += a;
  EXPECT_TRUE(near(taken[w], sum[w], 1e-15));
  EXPECT_EQ(taken.size(), 2u);
}

TEST(RowSparse, Clipping) {
  const Tensor w = parameter(numbers({20, 3}, 1, 2));
  const auto sparse = [&] { return picked(w, {7, 2, 11}); };
  const Gradients plain = sparse();
  const Gradients norms = clip_norm(sparse(), 1), values = clip_value(sparse(), 2.5), rows = clip_rows(sparse(), 4),
                  adaptive = clip_adaptive(sparse(), {{"w", w}}, 0.5);
  for (const Gradients* g : {&norms, &values, &rows, &adaptive}) {
    EXPECT_TRUE(g->is_sparse(w));
    EXPECT_FALSE(same_bits((*g)[w], plain[w]));
  }
  EXPECT_NEAR(global_norm(norms), 1, 1e-15);
  EXPECT_TRUE(near(values[w], minimum(plain[w], full({}, 2.5, DType::f64)), 0));
  for (const int row : {2, 7, 11}) {
    const Tensor g = plain[w].rows(row, row + 1), own = w.detach().rows(row, row + 1);
    EXPECT_TRUE(near(rows[w].rows(row, row + 1), g * std::min(1.0, 4 / norm(g).item()), 1e-15));
    EXPECT_TRUE(near(adaptive[w].rows(row, row + 1), g * std::min(1.0, 0.5 * norm(own).item() / norm(g).item()), 1e-15));
  }
}

TEST(RowSparse, HooksAndTapesOfHigherOrderSeeEveryRow) {
  const Tensor w = parameter(numbers({20, 3}));
  Tape tape;
  Shape seen;
  tape.hook(w, [&](const Tensor& g) { seen = g.shape(); });
  EXPECT_FALSE(tape.gradients(sum(square(index_select(w, 0, index_of({1}))))).is_sparse(w));
  EXPECT_EQ(seen, (Shape{20, 3}));
  Tape higher({.higher_order = true});
  const Tensor x = index_select(w, 0, index_of({1, 1})), dy = higher.gradient(sum(x * x * x), w);
  EXPECT_TRUE(near(higher.gradient(sum(dy), w).rows(1, 2), 12 * w.detach().rows(1, 2), 1e-15));
}

TEST(RowSparse, ItsRowsAreReadOnly) {
  const Tensor w = parameter(numbers({20, 3}));
  Tensor index = index_of({3, 1});
  Tape tape;
  const Gradients g = tape.gradients(sum(index_select(w, 0, index))), copy = g.clone();
  Tensor rows = copy.sparse(w).rows;
  EXPECT_EQ(thrown([&] { rows += 1.0; }), "ValueError: [+=] a gradient is read-only: [2] (change a clone(), or scale all with g *= s)");
  index += 1.0;  // the caller's own stays the caller's
  EXPECT_EQ(values(g.sparse(w).rows), (Values{1, 3}));
}

// A rule that hands over rows which nobody else holds, as they come: twice, and in no order.
TEST(RowSparse, RowsHandedOverAreJoinedAllTheSame) {
  const Tensor w = parameter(zeros({20, 1}));
  for (const Rows& rows : {Rows{3, 3}, Rows{5, 3}, Rows{3, 5}}) {
    Tape tape;
    const Tensor y = record("mine", zeros({}), {w}, [&](const Tensor&, Inputs& dx) { dx.add_rows(0, index_of(rows), tensor({{1}, {2}})); });
    const RowSparse s = tape.gradients(y).sparse(w);
    EXPECT_EQ(rows_of(s), rows[0] == rows[1] ? Rows{3} : (Rows{3, 5}));
    EXPECT_EQ(values(s.values), rows[0] == rows[1] ? Values{3} : rows[0] == 3 ? (Values{1, 2}) : (Values{2, 1}));
    EXPECT_TRUE(thrown([&] { Tensor(s.rows) += s.rows; }).find("read-only") != std::string::npos);
  }
}
