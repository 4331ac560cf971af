// Products of every kernel and on both sides of each threshold against plain loops.
#include "support.h"

using namespace capstan;

namespace {

/// An [r, c] matrix of the given dtype, the same row by row in f64, transposed in memory when `transposed`.
struct Matrix {
  std::int64_t rows, columns;
  std::vector<double> at;
  Tensor tensor(DType dtype, bool transposed) const {
    Tensor t = empty(transposed ? Shape{columns, rows} : Shape{rows, columns}, DType::f64);
    for (std::int64_t i = 0; i < rows; ++i)
      for (std::int64_t j = 0; j < columns; ++j)
        t.data<double>()[transposed ? j * rows + i : i * columns + j] = at[std::size_t(i * columns + j)];
    return t.to(dtype);
  }
};

// Multiples of 1/64 from [-1, 1): exact in f32 too.
Matrix matrix(std::int64_t rows, std::int64_t columns, int stream) {
  Matrix m{rows, columns, std::vector<double>(std::size_t(rows * columns))};
  for (std::size_t i = 0; i < m.at.size(); ++i)
    m.at[i] = (static_cast<double>((i * 37 + i * i % 61 + std::size_t(stream) * 11) % 128) - 64) / 64;
  return m;
}

/// a b by three loops. Elements are multiples of 2^-12 and below 2^12: exact in f64, and in f32 for k below 2^11.
Matrix product(const Matrix& a, const Matrix& b) {
  Matrix c{a.rows, b.columns, std::vector<double>(std::size_t(a.rows * b.columns))};
  for (std::int64_t i = 0; i < a.rows; ++i)
    for (std::int64_t q = 0; q < a.columns; ++q)
      for (std::int64_t j = 0; j < b.columns; ++j)
        c.at[std::size_t(i * b.columns + j)] += a.at[std::size_t(i * a.columns + q)] * b.at[std::size_t(q * b.columns + j)];
  return c;
}

/// Because every partial sum is exact, every kernel must give these bits, whatever its order.
void check(std::int64_t m, std::int64_t n, std::int64_t k) {
  const Matrix a = matrix(m, k, 1), b = matrix(k, n, 2), c = product(a, b);
  for (const DType dtype : {DType::f32, DType::f64}) {
    const Tensor expected = c.tensor(dtype, false);
    for (const bool ta : {false, true})
      for (const bool tb : {false, true})
        EXPECT_TRUE(same_bits(matmul(a.tensor(dtype, ta), b.tensor(dtype, tb), {.transpose_a = ta, .transpose_b = tb}), expected))
            << m << " x " << n << " x " << k << ' ' << name(dtype) << (ta ? " a^T" : "") << (tb ? " b^T" : "");
    const Tensor bias = matrix(1, n, 3).tensor(dtype, false).reshape({n});
    EXPECT_TRUE(same_bits(linear(a.tensor(dtype, false), b.tensor(dtype, true), bias), expected + bias)) << m << " x " << n << " x " << k;
  }
}

/// The gradients of sum(dy * (x w^T + b)) for two uses, the second of which is added to the first.
void check_gradients(std::int64_t rows, std::int64_t out, std::int64_t in) {
  const Matrix x = matrix(rows, in, 1), w = matrix(out, in, 2), dy = matrix(rows, out, 3);
  Matrix x_t{in, rows, values(x.tensor(DType::f64, true))}, dy_t{out, rows, values(dy.tensor(DType::f64, true))};
  const Matrix ones{1, rows, std::vector<double>(std::size_t(rows), 1.0)};
  const Matrix dx = product(dy, w), dw = product(dy_t, x), db = product(ones, dy);
  for (const DType dtype : {DType::f32, DType::f64}) {
    const Tensor px = parameter(x.tensor(dtype, false)), pw = parameter(w.tensor(dtype, false)), pb = parameter(zeros({out}, dtype));
    Tape tape;
    const Tensor seed = dy.tensor(dtype, false);
    const auto seeded = [&](const Tensor& y) {
      return record("seeded", zeros({}, dtype), {y}, [s = saved(seed)](const Tensor&, Inputs& to) { to.add(0, s.get().clone()); });
    };
    const Gradients g =
        tape.gradients(seeded(linear(px, pw, pb)) + seeded(matmul(px, pw, {.transpose_b = true})) + seeded(matmul(px, transpose(pw))));
    EXPECT_TRUE(same_bits(g[px], dx.tensor(dtype, false) * 3)) << rows << ' ' << out << ' ' << in << ' ' << name(dtype);
    EXPECT_TRUE(same_bits(g[pw], dw.tensor(dtype, false) * 3)) << rows << ' ' << out << ' ' << in << ' ' << name(dtype);
    EXPECT_TRUE(same_bits(g[pb], db.tensor(dtype, false).reshape({out}))) << rows << ' ' << out << ' ' << in << ' ' << name(dtype);
  }
}

}  // namespace

// Tiles end at multiples of 4, 6, 8, 12, 16 and 32; products with a vector have their own kernels up to 8 columns.
TEST(Products, SmallSizesEachWithEach) {
  const std::int64_t sizes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 15, 16, 17, 23, 25, 31, 33};
  for (const std::int64_t m : sizes)
    for (const std::int64_t n : sizes)
      for (const std::int64_t k : sizes) check(m, n, k);
}

TEST(Products, OddSizesUpTo70) {
  for (const std::int64_t m : {1, 7, 24, 39, 47, 63, 64, 65, 69, 70})
    for (const std::int64_t n : {1, 5, 16, 17, 35, 63, 64, 65, 67, 70})
      for (const std::int64_t k : {1, 9, 40, 63, 64, 65, 66, 70}) check(m, n, k);
}

TEST(Products, VectorsOfManyRowsWithFewColumns) {
  for (const std::int64_t rows : {1, 10, 127, 128, 129, 1000})
    for (std::int64_t k = 1; k <= 40; ++k) {
      check(rows, 1, k);
      check(1, rows, k);
      check(k, 1, rows);
      check(1, k, rows);
    }
}

// Beyond 64^3 with both sides above 16 BLAS takes over; panels are 256 deep, blocks of rows 96 high, and a matrix of more
// than 24,576 elements is laid out anew.
TEST(Products, BeyondTheBlocks) {
  const std::int64_t sizes[][3] = {{64, 64, 64},   {65, 65, 65},   {16, 700, 300}, {700, 16, 300}, {17, 700, 300},
                                   {700, 17, 300}, {512, 513, 1},  {513, 512, 2},  {3, 90, 1000},  {90, 3, 1000},
                                   {13, 400, 257}, {97, 15, 255},  {193, 14, 256}, {1, 300, 900},  {300, 1, 900},
                                   {12, 12, 515},  {100, 30, 87},  {99, 101, 103}, {16, 96, 256},  {16, 97, 256},
                                   {5, 129, 1030}, {129, 5, 1030}, {40, 40, 163},  {40, 40, 164},  {200, 130, 70}};
  for (const auto& s : sizes) check(s[0], s[1], s[2]);
}

TEST(Products, GradientsOfEverySize) {
  for (const std::int64_t rows : {1, 2, 5, 10, 17, 32, 65})
    for (const std::int64_t out : {1, 2, 3, 8, 9, 10, 17, 33, 64})
      for (const std::int64_t in : {1, 4, 5, 8, 9, 20, 33, 64, 70}) check_gradients(rows, out, in);
  check_gradients(128, 100, 90);
  check_gradients(300, 1, 5);
  check_gradients(300, 5, 1);
  check_gradients(1000, 20, 30);
}

// Numbers that are not exact: within the bound of any order of summation, k eps sum |a| |b|.
TEST(Products, RoundingStaysWithinTheBound) {
  for (const auto& s :
       std::vector<std::vector<std::int64_t>>{{3, 5, 7}, {33, 1, 500}, {1, 33, 500}, {31, 33, 100}, {100, 100, 100}, {12, 40, 700}}) {
    const Tensor a = numbers({s[0], s[2]}), b = numbers({s[2], s[1]}, -2, 2, 3);
    const Tensor single = matmul(a.to(DType::f32), b.to(DType::f32)),
                 wide = matmul(a.to(DType::f32).to(DType::f64), b.to(DType::f32).to(DType::f64));
    const Tensor scale = matmul(abs(a), abs(b));
    for (std::int64_t i = 0; i < wide.numel(); ++i) {
      const double bound = static_cast<double>(s[2]) * 6e-8 * scale.data<double>()[i];
      ASSERT_NEAR(single.data<float>()[i], wide.data<double>()[i], bound) << s[0] << ' ' << s[1] << ' ' << s[2] << " at " << i;
    }
  }
}
