// Products of a matrix by rows against plain loops and dense products; their gradients, by rows and dense.
#include <capstan/autograd/checkpoint.h>
#include <capstan/autograd/csr_matrix.h>
#include <capstan/autograd/functional.h>
#include <capstan/core/threads.h>

#include <random>

#include "support.h"

using namespace capstan;

namespace {

/// Rows of up to `most` values in some of the columns. Values are multiples of 1/8 below 2: products of two, and sums of them, are exact.
CsrMatrix drawn(std::int64_t rows, std::int64_t columns, int most, DType dtype = DType::f64) {
  std::mt19937 bits(static_cast<unsigned>(rows * columns + most));
  CsrBuilder builder(columns, dtype);
  for (std::int64_t i = 0; i < rows; ++i, builder.end_row())
    for (unsigned left = bits() % static_cast<unsigned>(most + 1); left > 0; --left)
      builder.add(static_cast<std::int64_t>(bits() % static_cast<unsigned>(columns)), (static_cast<int>(bits() % 31) - 15) / 8.0);
  return builder.take();
}
Tensor eighths(const Shape& shape, DType dtype = DType::f64) {
  const Tensor t = empty(shape, DType::f64);
  for (std::int64_t i = 0; i < t.numel(); ++i) t.data<double>()[i] = static_cast<double>((i * 7 + i * i % 13) % 32 - 16) / 8;
  return t.to(dtype);
}

Gradients gradients_of(const CsrMatrix& x, const Tensor& w, const Tensor& dy) {
  Tape tape;
  return tape.gradients(sum(matmul(x, w) * dy));
}

struct Size {
  std::int64_t rows, columns;
  int most;
};
const Size sizes[] = {{1, 1, 1}, {1, 200, 8}, {5, 3, 6}, {30, 1000, 9}, {7, 40, 3}, {0, 5, 1}, {4, 9, 0}, {200, 3000, 60}, {64, 8, 20}};
const Shape widths[] = {{}, {1}, {3}, {10}, {17}, {0}};

Shape table_of(std::int64_t columns, const Shape& width) { return width.dim() == 0 ? Shape{columns} : Shape{columns, width[0]}; }

}  // namespace

TEST(Csr, EqualsTheDenseProductToTheBit) {
  for (const DType dtype : {DType::f32, DType::f64})
    for (const auto& [rows, columns, most] : sizes)
      for (const Shape& width : widths) {
        const CsrMatrix x = drawn(rows, columns, most, dtype);
        const Tensor w = eighths(table_of(columns, width), dtype);
        EXPECT_TRUE(same_bits(matmul(x, w), matmul(x.to_dense(), w))) << to_string(x.shape()) << " x " << to_string(w.shape());
      }
}

TEST(Csr, GradientsEqualTheDenseOnesToTheBit) {
  for (const DType dtype : {DType::f32, DType::f64})
    for (const auto& [rows, columns, most] : sizes)
      for (const Shape& width : widths) {
        const CsrMatrix made = drawn(rows, columns, most, dtype);
        const Tensor v = parameter(made.values().clone()), w = parameter(eighths(table_of(columns, width), dtype));
        const CsrMatrix x = made.with_values(v);
        const Tensor dy = eighths(w.shape().with(0, rows), dtype);
        const Gradients g = gradients_of(x, w, dy);
        Tape tape;
        const Gradients dense = tape.gradients(sum(matmul(x.to_dense(), w) * dy));
        EXPECT_TRUE(same_bits(g[w], dense[w])) << to_string(x.shape()) << " x " << to_string(w.shape());
        EXPECT_TRUE(same_bits(g[v] + 0.0, dense[v] + 0.0)) << to_string(x.shape()) << " x " << to_string(w.shape());
      }
}

TEST(Csr, TheGradientStaysByRowsWhenFewColumnsOccur) {
  const auto is_sparse = [](const CsrMatrix& x, const Shape& width) {
    const Tensor w = parameter(ones(table_of(x.columns(), width), DType::f64));
    return gradients_of(x, w, ones(w.shape().with(0, x.rows()), DType::f64)).is_sparse(w);
  };
  const auto with = [](std::int64_t distinct, std::int64_t times) {
    CsrBuilder builder(16, DType::f64);
    for (std::int64_t t = 0; t < times; ++t, builder.end_row())
      for (std::int64_t c = 0; c < distinct; ++c) builder.add(3 * c, 1);
    return builder.take();
  };
  for (const Shape& width : {Shape{}, Shape{2}})
    for (const std::int64_t times : {1, 2, 50}) {
      EXPECT_TRUE(is_sparse(with(4, times), width)) << times;
      EXPECT_FALSE(is_sparse(with(5, times), width)) << times;
    }
}

// Values that round: what comes to one row is added in order, the first to 0.
TEST(Csr, ByRowsAndDenseHaveTheSameBits) {
  for (const auto& [rows, columns, most] : sizes)
    for (const Shape& width : {Shape{}, Shape{1}, Shape{3}, Shape{10}}) {
      const CsrMatrix x = [&, rows = rows, columns = columns, most = most] {
        const CsrMatrix made = drawn(rows, columns, most, DType::f32);
        return made.with_values(sin(made.values() * 3.0));
      }();
      const Tensor w = parameter(zeros(table_of(columns, width)));
      const Tensor dy = cos(eighths(w.shape().with(0, rows), DType::f32));
      const Tensor plain = zeros(w.shape());
      const std::int64_t k = w.dim() == 1 ? 1 : w.size(1);
      const auto *crow = x.crow().data<std::int64_t>(), *col = x.col().data<std::int64_t>();
      for (std::int64_t i = 0; i < rows; ++i)
        for (std::int64_t e = crow[i]; e < crow[i + 1]; ++e)
          for (std::int64_t j = 0; j < k; ++j)
            plain.data<float>()[col[e] * k + j] += x.values().data<float>()[e] * dy.data<float>()[i * k + j];
      const Gradients g = gradients_of(x, w, dy);
      EXPECT_TRUE(same_bits(g[w], plain)) << to_string(x.shape()) << " x " << to_string(w.shape());
      if (!g.is_sparse(w)) continue;
      const RowSparse by_rows = g.sparse(w);
      EXPECT_TRUE(same_bits(by_rows.dense(), plain));
      for (std::int64_t r = 1; r < by_rows.rows.numel(); ++r)
        EXPECT_LT(by_rows.rows.data<std::int64_t>()[r - 1], by_rows.rows.data<std::int64_t>()[r]);
    }
}

TEST(Csr, NegativeZeroIsAddedToZero) {
  const Tensor w = parameter(zeros({8}));
  const CsrMatrix x(tensor({0, 1}, DType::i64), tensor({2}, DType::i64), tensor({0.0}), {1, 8});
  const Gradients g = gradients_of(x, w, tensor({-1}));  // 0 * -1 is -0
  ASSERT_TRUE(g.is_sparse(w));
  EXPECT_TRUE(same_bits(g.sparse(w).values, zeros({1})));
}

TEST(Csr, SeveralUsesOfOneTable) {
  const CsrMatrix x = drawn(5, 100, 4), other = drawn(6, 100, 3);
  const Tensor w = parameter(eighths({100}));
  Tape tape;
  const Gradients g = tape.gradients(sum(matmul(x, w)) + 2.0 * sum(matmul(other, w)), {.keep = true});
  EXPECT_TRUE(g.is_sparse(w));
  const Tensor ones_x = ones({1, 5}, DType::f64), ones_other = ones({1, 6}, DType::f64);
  const Tensor expected = (matmul(ones_x, x.to_dense()) + 2.0 * matmul(ones_other, other.to_dense())).reshape({100});
  EXPECT_TRUE(near(g[w], expected, 1e-15));
  const Gradients with_dense = tape.gradients(sum(matmul(x, w)) + sum(w));
  EXPECT_FALSE(with_dense.is_sparse(w));
  EXPECT_TRUE(near(with_dense[w], matmul(ones_x, x.to_dense()).reshape({100}) + 1.0, 1e-15));
}

// Each use is added up for itself, as rows are: the same bits by rows and dense.
TEST(Csr, SeveralUsesOfOneTableToTheBit) {
  for (const std::int64_t columns : {8, 2000}) {
    const auto rounded = [&](int most) {
      const CsrMatrix made = drawn(40, columns, most, DType::f32);
      return made.with_values(sin(made.values() * 3.0));
    };
    const CsrMatrix x = rounded(9), other = rounded(6);
    const Tensor w = parameter(zeros({columns})), dy = cos(eighths({40}, DType::f32));
    Tape tape;
    const Gradients both = tape.gradients(sum(matmul(x, w) * dy) + sum(matmul(other, w) * dy));
    EXPECT_EQ(both.is_sparse(w), columns == 2000);
    EXPECT_TRUE(same_bits(both[w], gradients_of(other, w, dy)[w] + gradients_of(x, w, dy)[w]));
  }
}

TEST(Csr, InACheckpoint) {
  const CsrMatrix made = drawn(9, 80, 5);
  const Tensor v = parameter(made.values().clone()), w = parameter(eighths({80, 3}));
  const CsrMatrix x = made.with_values(v);
  const auto f = [&](const std::vector<Tensor>& in) { return square(matmul(x, in[0])); };
  Tape tape;
  const Gradients plain = tape.gradients(sum(f({w})));
  Tape second;
  const Gradients again = second.gradients(sum(checkpoint(f, {w})));
  EXPECT_TRUE(same_bits(plain[w], again[w]));
  EXPECT_TRUE(same_bits(plain[v], again[v]));
}

TEST(Csr, AnyNumberOfThreadsGivesTheSameBits) {
  const CsrMatrix x = drawn(3000, 4000, 60, DType::f32);
  const int before = num_threads();
  for (const Shape& width : {Shape{}, Shape{7}}) {
    const Tensor w = parameter(sin(eighths(table_of(4000, width), DType::f32))), dy = ones(w.shape().with(0, 3000));
    set_num_threads(1);
    const Tensor y = matmul(x, w).detach(), g = gradients_of(x, w, dy)[w];
    for (const int threads : {2, 5}) {
      set_num_threads(threads);
      EXPECT_TRUE(same_bits(matmul(x, w).detach(), y));
      EXPECT_TRUE(same_bits(gradients_of(x, w, dy)[w], g));
    }
  }
  set_num_threads(before);
}

TEST(Csr, ChangedInPlaceIsRefused) {
  CsrMatrix x = drawn(3, 20, 4);
  const Tensor w = parameter(eighths({20}));
  for (Tensor t : {x.values(), x.col()}) {
    Tape tape;
    const Tensor loss = sum(matmul(x, w));
    t += t;
    EXPECT_TRUE(
        thrown([&] { (void)tape.gradients(loss); }).starts_with("ValueError: [matmul] a tensor that the gradient needs was changed"));
  }
}

TEST(Csr, Refuses) {
  const CsrMatrix x = drawn(4, 6, 3, DType::f32);
  const std::pair<std::string, Tensor> refused[] = {
      {"ShapeError: [matmul] inner dimensions must agree: [4, 6] x [5]", zeros({5})},
      {"ShapeError: [matmul] inner dimensions must agree: [4, 6] x [4, 6]", zeros({4, 6})},
      {"ShapeError: [matmul] w must be [columns, k] or [columns]: []", zeros({})},
      {"ShapeError: [matmul] w must be [columns, k] or [columns]: [6, 2, 2]", zeros({6, 2, 2})},
      {"ValueError: [matmul] dtypes must agree: f32 [" + std::to_string(x.nnz()) + "] and f64 [6] (convert one with to())",
       zeros({6}, DType::f64)},
      {"ValueError: [matmul] takes f32 or f64: i64 [6] (convert with to())", zeros({6}, DType::i64)}};
  for (const auto& each : refused) EXPECT_EQ(thrown([&] { (void)matmul(x, each.second); }), each.first);
  EXPECT_TRUE(thrown([] { (void)matmul(CsrMatrix(), zeros({0})); }).starts_with("ValueError: ")) << "undefined";
}
