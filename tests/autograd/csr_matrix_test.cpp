// A matrix by rows: what is refused, parts of it, and how it is built.
#include <capstan/autograd/csr_matrix.h>

#include <functional>

#include "support.h"

using namespace capstan;

namespace {

using Whole = std::vector<std::int64_t>;

/// 5 0 0, 0 0 0, 1 0 2
const Whole crow{0, 1, 1, 3}, col{0, 0, 2};
CsrMatrix small(const Tensor& values = d({5, 1, 2})) { return {tensor(crow), tensor(col), values, {3, 3}}; }
CsrMatrix of(const Whole& begin, const Whole& column, const Tensor& values, const Shape& shape = {3, 3}) {
  return {tensor(begin), tensor(column), values, shape};
}
Whole whole(const Tensor& t) { return {t.data<std::int64_t>(), t.data<std::int64_t>() + t.numel()}; }

}  // namespace

TEST(CsrMatrix, HoldsHandles) {
  const Tensor v = tensor({5, 1, 2});
  const CsrMatrix x = small(v);
  EXPECT_EQ(x.rows(), 3);
  EXPECT_EQ(x.columns(), 3);
  EXPECT_EQ(x.nnz(), 3);
  EXPECT_EQ(x.shape(), (Shape{3, 3}));
  EXPECT_EQ(whole(x.crow()), crow);
  EXPECT_EQ(whole(x.col()), col);
  EXPECT_EQ(x.values().data<float>(), v.data<float>());
  EXPECT_EQ(values(x.to_dense()), (Values{5, 0, 0, 0, 0, 0, 1, 0, 2}));
  const CsrMatrix none;
  EXPECT_EQ(none.rows() + none.columns() + none.nnz(), 0);
  EXPECT_FALSE(none.crow().defined());
}

TEST(CsrMatrix, MayBeEmpty) {
  const CsrMatrix no_rows = of({0}, {}, zeros({0}), {0, 4}), no_columns = of({0, 0}, {}, zeros({0}), {1, 0});
  EXPECT_EQ(no_rows.to_dense().shape(), (Shape{0, 4}));
  EXPECT_EQ(no_columns.to_dense().shape(), (Shape{1, 0}));
  EXPECT_EQ(no_rows.rows(0, 0).rows(), 0);
  EXPECT_EQ(no_rows.select(empty({0}, DType::i64)).columns(), 4);
  EXPECT_EQ(small().rows(1, 2).nnz(), 0);
}

TEST(CsrMatrix, RefusesNamingTheFirstBadRow) {
  const Tensor v = d({5, 1, 2});
  const std::pair<std::string, std::function<CsrMatrix()>> refused[] = {
      {"ShapeError: [CsrMatrix] the shape must be {rows, columns}: [3]", [&] { return of(crow, col, v, {3}); }},
      {"ValueError: [CsrMatrix] crow and col must be i64, values f32 or f64: i64, i64, i64", [&] { return of(crow, col, tensor(col)); }},
      {"ValueError: [CsrMatrix] crow and col must be i64, values f32 or f64: f64, i64, f64",
       [&] {
         return CsrMatrix(v, tensor(col), v, {2, 3});
       }},
      {"ValueError: [CsrMatrix] crow and col must be i64, values f32 or f64: i64, f64, f64",
       [&] {
         return CsrMatrix(tensor(crow), v, v, {3, 3});
       }},
      {"ShapeError: [CsrMatrix] crow must be [rows + 1], col and values [n]: [4], [3], [3] for [2, 3]",
       [&] {
         return of(crow, col, v, {2, 3});
       }},
      {"ShapeError: [CsrMatrix] crow must be [rows + 1], col and values [n]: [4], [3], [2] for [3, 3]",
       [&] {
         return of(crow, col, d({5, 1}));
       }},
      {"ShapeError: [CsrMatrix] crow must be [rows + 1], col and values [n]: [4], [3], [3, 1] for [3, 3]",
       [&] {
         return of(crow, col, v.reshape({3, 1}));
       }},
      {"ValueError: [CsrMatrix] crow must begin with 0: row 0 begins at 1",
       [&] {
         return of({1, 1, 1, 3}, col, v);
       }},
      {"ValueError: [CsrMatrix] crow must not descend: row 1 begins at 2 and ends at 1",
       [&] {
         return of({0, 2, 1, 3}, col, v);
       }},
      {"ValueError: [CsrMatrix] crow must stay within the values: row 1 ends at 4 of 3",
       [&] {
         return of({0, 2, 4, 3}, col, v);
       }},
      {"ValueError: [CsrMatrix] crow must end with the number of values: 2, there are 3",
       [&] {
         return of({0, 1, 1, 2}, col, v);
       }},
      {"ValueError: [CsrMatrix] a column must lie in [0, 3): row 2 has column 3",
       [&] {
         return of(crow, {0, 0, 3}, v);
       }},
      {"ValueError: [CsrMatrix] a column must lie in [0, 3): row 0 has column -1",
       [&] {
         return of(crow, {-1, 0, 3}, v);
       }},
      {"ValueError: [CsrMatrix] the columns of a row must ascend, each once: row 2 has column 2 before 1 (a CsrBuilder sorts)",
       [&] {
         return of(crow, {0, 2, 1}, v);
       }},
      {"ValueError: [CsrMatrix] the columns of a row must ascend, each once: row 2 has column 1 before 1 (a CsrBuilder sorts)",
       [&] {
         return of(crow, {0, 1, 1}, v);
       }},
      {"ValueError: [CsrMatrix] a value must be finite: row 2 has nan in column 0",
       [&] {
         return small(d({5, std::nan(""), 2}));
       }},
      {"ValueError: [CsrMatrix] a value must be finite: row 0 has -inf in column 0",
       [&] {
         return small(tensor({-HUGE_VAL, 1, 2}));
       }},
      {"ValueError: [CsrMatrix] a value must be finite: inf at element 2 of [3]",
       [&] {
         return small().with_values(d({5, 1, HUGE_VAL}));
       }},
      {"ShapeError: [CsrMatrix] crow must be [rows + 1], col and values [n]: [4], [3], [2] for [3, 3]",
       [&] {
         return small().with_values(d({5, 1}));
       }},
      {"ShapeError: [CsrMatrix] the range must lie in the rows: [2, 4) of [3, 3]", [&] { return small().rows(2, 4); }},
      {"ShapeError: [CsrMatrix] the range must lie in the rows: [2, 1) of [3, 3]", [&] { return small().rows(2, 1); }},
      {"ShapeError: [CsrMatrix] the range must lie in the rows: [-1, 1) of [3, 3]", [&] { return small().rows(-1, 1); }},
      {"ValueError: [CsrMatrix] the index must be i64: f64 [3]", [&] { return small().select(v); }},
      {"ShapeError: [CsrMatrix] the index must be a vector: []", [&] { return small().select(zeros({}, DType::i64)); }},
      {"ValueError: [CsrMatrix] an index must lie in [0, 3): 3 at element 1 of [2]",
       [&] {
         return small().select(tensor(Whole{0, 3}));
       }},
  };
  for (const auto& each : refused) EXPECT_EQ(thrown([&] { (void)each.second(); }), each.first);
}

TEST(CsrMatrix, Rows) {
  const CsrMatrix x = small(), part = x.rows(1, 3);
  EXPECT_EQ(whole(part.crow()), (Whole{0, 0, 2}));
  EXPECT_EQ(part.col().data<std::int64_t>(), x.col().data<std::int64_t>() + 1);
  EXPECT_EQ(part.values().data<double>(), x.values().data<double>() + 1);
  EXPECT_EQ(values(part.to_dense()), (Values{0, 0, 0, 1, 0, 2}));
  EXPECT_EQ(values(part.rows(1, 2).to_dense()), (Values{1, 0, 2}));
}

TEST(CsrMatrix, SelectInAnyOrder) {
  for (const DType dtype : {DType::f32, DType::f64}) {
    const CsrMatrix x = small(tensor({5, 1, 2}, dtype)), picked = x.select(tensor(Whole{2, 0, 1, 2}));
    EXPECT_EQ(values(picked.to_dense()), (Values{1, 0, 2, 5, 0, 0, 0, 0, 0, 1, 0, 2}));
    EXPECT_EQ(whole(picked.crow()), (Whole{0, 2, 3, 3, 5}));
    EXPECT_EQ(picked.values().dtype(), dtype);
  }
}

TEST(CsrMatrix, PartsAreRecorded) {
  const Tensor v = p({5, 1, 2});
  const CsrMatrix x = small(v);
  const Tensor of_rows = d({{1, 2, 3}, {4, 5, 6}});
  Tape tape;
  EXPECT_EQ(values(tape.gradients(sum(x.rows(1, 3).to_dense() * of_rows), {.keep = true})[v]), (Values{0, 4, 6}));
  EXPECT_EQ(values(tape.gradients(sum(x.select(tensor(Whole{2, 2})).to_dense() * of_rows), {.keep = true})[v]), (Values{0, 5, 9}));
  EXPECT_EQ(values(tape.gradients(sum(x.with_values(v * 2).to_dense() * d({{7, 0, 0}, {0, 0, 0}, {8, 0, 9}})))[v]), (Values{14, 16, 18}));
}

TEST(CsrBuilder, SortsARowAndAddsUp) {
  CsrBuilder builder(9);
  builder.add(7, 1);
  builder.add(3, 0.5);
  builder.add(7, 2);
  builder.end_row();
  builder.end_row();
  builder.add(0, -1);
  builder.add(8, 4);
  builder.end_row();
  EXPECT_EQ(builder.rows(), 3);
  const CsrMatrix x = builder.take();
  EXPECT_EQ(whole(x.crow()), (Whole{0, 2, 2, 4}));
  EXPECT_EQ(whole(x.col()), (Whole{3, 7, 0, 8}));
  EXPECT_EQ(values(x.values()), (Values{0.5, 3, -1, 4}));
  EXPECT_EQ(x.values().dtype(), DType::f32);
  EXPECT_EQ(x.columns(), 9);

  EXPECT_EQ(builder.rows(), 0);
  builder.add(2, 1);
  builder.end_row();
  EXPECT_EQ(whole(builder.take().col()), (Whole{2}));
  EXPECT_EQ(builder.take().shape(), (Shape{0, 9}));
}

TEST(CsrBuilder, AddsUpInOrderOfOccurrence) {
  CsrBuilder builder(50, DType::f64);
  for (std::int64_t c = 49; c >= 0; --c)                                   // more than a sort does by insertion
    for (const double v : {1e16, 1.0, -1e16}) builder.add(c * 7 % 50, v);  // 0 in this order, 1 with the last two exchanged
  builder.end_row();
  const CsrMatrix x = builder.take();
  EXPECT_EQ(values(x.values()), Values(50, 0));
  EXPECT_EQ(x.values().dtype(), DType::f64);
}

TEST(CsrBuilder, Refuses) {
  EXPECT_EQ(thrown([] { CsrBuilder builder(-1); }), "ValueError: [CsrBuilder] columns must be 0 or more: -1");
  EXPECT_EQ(thrown([] { CsrBuilder builder(1, DType::i64); }), "ValueError: [CsrBuilder] values are f32 or f64: i64");
  CsrBuilder builder(4);
  builder.end_row();
  EXPECT_EQ(thrown([&] { builder.add(4, 1); }), "ValueError: [CsrBuilder] a column must lie in [0, 4): row 1 has column 4");
  EXPECT_EQ(thrown([&] { builder.add(-1, 1); }), "ValueError: [CsrBuilder] a column must lie in [0, 4): row 1 has column -1");
  EXPECT_EQ(thrown([&] { builder.add(2, std::nan("")); }),
            "ValueError: [CsrBuilder] a value must be finite in f32: row 1 has nan in column 2");
  EXPECT_EQ(thrown([&] { builder.add(2, -1e39); }), "ValueError: [CsrBuilder] a value must be finite in f32: row 1 has -1e+39 in column 2");
  builder.add(3, 2e38);
  EXPECT_EQ(thrown([&] { (void)builder.take(); }),
            "ValueError: [CsrBuilder] the last row must have ended: row 1 is under way (call end_row())");
  builder.add(3, 2e38);
  for (int twice = 0; twice < 2; ++twice)
    EXPECT_EQ(thrown([&] { builder.end_row(); }),
              "ValueError: [CsrBuilder] the values of a column must have a finite sum in f32: row 1, column 3");
  EXPECT_EQ(builder.rows(), 1);
}
