#include "tables.h"

#include <capstan/core/blas.h>
#include <capstan/core/threads.h>

#include <array>

using namespace capstan::kernels;
using capstan::num_threads;
using capstan::set_num_threads;

namespace {

// Whole numbers, so that every partial sum is exact and any order of adding gives the same bits.
struct Problem {
  std::int64_t m, n, k;
  std::vector<int> a, b, start, bias, expected;

  Problem(std::int64_t m_, std::int64_t n_, std::int64_t k_, std::uint64_t seed) : m(m_), n(n_), k(k_) {
    Numbers numbers(seed);
    const auto fill = [&](std::vector<int>& v, std::int64_t size) {
      for (std::int64_t i = 0; i < size; ++i) v.push_back(static_cast<int>(numbers.whole(-4, 4)));
    };
    fill(a, m * k);
    fill(b, k * n);
    fill(start, m * n);
    fill(bias, n);
    expected.assign(static_cast<std::size_t>(m * n), 0);
    for (std::int64_t i = 0; i < m; ++i)
      for (std::int64_t q = 0; q < k; ++q)
        for (std::int64_t j = 0; j < n; ++j)
          expected[static_cast<std::size_t>(i * n + j)] += a[static_cast<std::size_t>(i * k + q)] * b[static_cast<std::size_t>(q * n + j)];
  }
};

/// A matrix laid out by rows or by columns, `gap` elements of NaN between its lines.
template <class T>
struct Matrix {
  Guarded<T> memory;
  Operand<T> operand;

  Matrix(const std::vector<int>& values, std::int64_t rows, std::int64_t columns, bool transposed, std::int64_t gap)
      : memory(transposed ? columns * (rows + gap) : rows * (columns + gap), 1),
        operand{memory.data(), transposed ? 1 : columns + gap, transposed ? rows + gap : 1} {
    for (std::int64_t i = 0; i < rows; ++i)
      for (std::int64_t j = 0; j < columns; ++j)
        memory[i * operand.row + j * operand.column] = static_cast<T>(values[static_cast<std::size_t>(i * columns + j)]);
  }
};

enum Start { from_zero, from_bias, from_before, from_before_with_bias };

/// Runs product(a, b, c, bias, accumulate) and compares each element of c, and that nothing beside it was written.
template <class T, class F>
bool check(const Problem& p, Start start, F product) {
  Guarded<T> c(p.m * p.n, 1), bias(p.n, 3);
  for (std::int64_t j = 0; j < p.n; ++j) bias[j] = static_cast<T>(p.bias[static_cast<std::size_t>(j)]);
  const bool accumulate = start >= from_before;
  if (accumulate)
    for (std::int64_t i = 0; i < p.m * p.n; ++i) c[i] = static_cast<T>(p.start[static_cast<std::size_t>(i)]);
  product(c.data(), start == from_bias || start == from_before_with_bias ? bias.data() : nullptr, accumulate);
  for (std::int64_t i = 0; i < p.m * p.n; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const int expected = p.expected[at] + (accumulate ? p.start[at] : start == from_bias ? p.bias[static_cast<std::size_t>(i % p.n)] : 0);
    if (c[i] != static_cast<T>(expected)) {
      ADD_FAILURE() << p.m << " x " << p.n << " x " << p.k << ", start " << start << ": c[" << i / p.n << ", " << i % p.n << "] = " << c[i]
                    << ", expected " << expected;
      return false;
    }
  }
  EXPECT_TRUE(c.untouched()) << p.m << " x " << p.n << " x " << p.k;
  return true;
}

template <class T>
void check_gemm(const Table<T>& table, const Problem& p) {
  for (int layout = 0; layout < 4; ++layout) {
    const std::int64_t gap = (p.m + p.n + p.k) % 2 ? 3 : 0;
    const Matrix<T> a(p.a, p.m, p.k, layout & 1, gap), b(p.b, p.k, p.n, layout & 2, gap);
    Guarded<T> scratch(table.gemm_scratch(p.m, p.n, p.k));
    for (const Start start : {from_zero, from_bias, from_before, from_before_with_bias}) {
      bool finite = true;
      const bool right = check<T>(p, start, [&](T* c, const T* bias, bool accumulate) {
        table.gemm(p.m, p.n, p.k, a.operand, b.operand, c, p.n, bias, accumulate, scratch.data(), &finite);
      });
      ASSERT_TRUE(right && finite) << "layout " << layout;
      ASSERT_TRUE(scratch.untouched()) << p.m << " x " << p.n << " x " << p.k << ", layout " << layout;
    }
  }
}

constexpr std::int64_t odd_sizes[][3] = {
    {1, 1, 1000},   {1, 100, 1},   {100, 1, 1},    {97, 33, 257},  {13, 65, 300}, {100, 100, 520}, {95, 47, 255},
    {96, 48, 256},  {97, 49, 257}, {193, 15, 64},  {193, 31, 65},  {25, 129, 66}, {7, 97, 253},    {64, 192, 128},
    {64, 193, 128}, {5, 96, 256},  {5, 97, 256},   {31, 40, 614},  {31, 40, 615}, {2, 70, 513},    {1, 64, 768},
    {288, 17, 257}, {3, 200, 200}, {7, 1025, 260}, {98, 2100, 33}, {2, 513, 300},  // columns in several blocks
};

}  // namespace

TEST(Kernels, GemmOfEverySmallSize) {
  std::vector<Problem> problems;
  for (std::int64_t m = 1; m <= 20; ++m)
    for (std::int64_t n = 1; n <= 20; ++n)
      for (std::int64_t k = 1; k <= 20; ++k) problems.emplace_back(m, n, k, static_cast<std::uint64_t>(m * 400 + n * 20 + k));
  for_each_table([&]<class T>(const Table<T>& table) {
    for (const Problem& p : problems) check_gemm(table, p);
  });
}

TEST(Kernels, GemmOfOddSizes) {
  for (const auto& [m, n, k] : odd_sizes) {
    const Problem p(m, n, k, 5);
    for_each_table([&](const auto& table) { check_gemm(table, p); });
  }
}

TEST(Kernels, GemmOfEveryHeightAndWidth) {
  for (std::int64_t m = 1; m <= 40; ++m) {
    const Problem p(m, 70 - m, 3, 6);
    for_each_table([&](const auto& table) { check_gemm(table, p); });
  }
  for (std::int64_t n = 20; n <= 100; ++n) {
    const Problem p(5, n, 70, 7);
    for_each_table([&](const auto& table) { check_gemm(table, p); });
  }
}

TEST(Kernels, GemmSeesWhatIsNotFinite) {
  for_each_table([]<class T>(const Table<T>& table) {
    const T inf = std::numeric_limits<T>::infinity(), large = std::numeric_limits<T>::max();
    const std::int64_t m = 29, k = 300;  // the last of two blocks of k
    for (const std::int64_t n : {7, 16, 37, 64, 100}) {
      Guarded<T> a(m * k), b(k * n), c(m * n), scratch(table.gemm_scratch(m, n, k));
      for (std::int64_t i = 0; i < m * k; ++i) a[i] = T(0);
      for (std::int64_t i = 0; i < k * n; ++i) b[i] = T(1);
      const auto finite = [&](bool accumulate = false) {
        bool all = true;
        table.gemm(m, n, k, {a.data(), k, 1}, {b.data(), n, 1}, c.data(), n, nullptr, accumulate, scratch.data(), &all);
        return all;
      };
      ASSERT_TRUE(finite());
      for (const std::int64_t i : {0, 9, 10, 28})
        for (std::int64_t j = 0; j < n; ++j) {
          // One element, which the product of zeros is added to.
          c[i * n + j] = j % 3 == 0 ? inf : j % 3 == 1 ? -inf : std::numeric_limits<T>::quiet_NaN();
          ASSERT_FALSE(finite(true)) << table.isa << ", n " << n << ": [" << i << ", " << j << "]";
          c[i * n + j] = T(0);
        }
      a[5 * k] = a[5 * k + 299] = large;  // finite in both blocks, and their sum is not
      ASSERT_FALSE(finite());
      a[5 * k + 299] = -large;
      ASSERT_TRUE(finite());
    }
  });
}

TEST(Kernels, GemmOfNothing) {
  for (const auto& [m, n, k] : {std::array<std::int64_t, 3>{3, 40, 0}, {0, 3, 3}, {3, 0, 3}, {0, 0, 0}}) {
    const Problem p(m, n, k, 8);
    for_each_table([&](const auto& table) { check_gemm(table, p); });
  }
}

TEST(Kernels, DotsAndCombineOfEverySize) {
  for (const std::int64_t m : {0, 1, 2, 5, 17})
    for (std::int64_t k = 0; k <= 140; ++k) {
      const Problem column(m, 1, k, static_cast<std::uint64_t>(k)), row(1, k, m, static_cast<std::uint64_t>(k));
      for_each_table([&]<class T>(const Table<T>& table) {
        const Matrix<T> a(column.a, m, k, false, k % 3), x(column.b, k, 1, true, 0);
        for (const Start start : {from_zero, from_bias, from_before, from_before_with_bias})
          ASSERT_TRUE(check<T>(column, start, [&](T* y, const T* bias, bool accumulate) {
            table.gemv(m, k, a.operand.data, a.operand.row, x.operand.data, y, bias, accumulate);
          }));
        const Matrix<T> weights(row.a, 1, m, false, 0), rows(row.b, m, k, false, k % 3);
        for (const Start start : {from_zero, from_before})
          ASSERT_TRUE(check<T>(row, start, [&](T* y, const T*, bool accumulate) {
            table.gemv_transposed(m, k, rows.operand.data, rows.operand.row, weights.operand.data, y, accumulate);
          }));
      });
    }
}

TEST(Kernels, ProductsOfRealNumbersAreExactToRounding) {
  for_each_table([]<class T>(const Table<T>& table) {
    Numbers numbers(9);
    const std::int64_t m = 37, n = 45, k = 701;
    Guarded<T> a(m * k), b(k * n), c(m * n), scratch(table.gemm_scratch(m, n, k));
    for (std::int64_t i = 0; i < m * k; ++i) a[i] = static_cast<T>(numbers.real(-1, 1));
    for (std::int64_t i = 0; i < k * n; ++i) b[i] = static_cast<T>(numbers.real(-1, 1));
    table.gemm(m, n, k, {a.data(), k, 1}, {b.data(), n, 1}, c.data(), n, nullptr, false, scratch.data(), nullptr);
    for (std::int64_t i = 0; i < m; ++i)
      for (std::int64_t j = 0; j < n; ++j) {
        long double exact = 0, size = 0;
        for (std::int64_t q = 0; q < k; ++q) {
          exact += static_cast<long double>(a[i * k + q]) * b[q * n + j];
          size += std::abs(static_cast<long double>(a[i * k + q]) * b[q * n + j]);
        }
        ASSERT_LE(std::abs(c[i * n + j] - exact), (static_cast<double>(k) + 2) * std::numeric_limits<T>::epsilon() / 2 * size);
      }
  });
}

TEST(Kernels, TransposeOfEverySize) {
  for_each_table([]<class T>(const Table<T>& table) {
    const auto check_one = [&](std::int64_t rows, std::int64_t columns) {
      Guarded<T> x(rows * columns, 1), y(rows * columns, 3);
      for (std::int64_t i = 0; i < rows * columns; ++i) x[i] = static_cast<T>(i);
      table.transpose(x.data(), y.data(), rows, columns);
      for (std::int64_t i = 0; i < rows; ++i)
        for (std::int64_t j = 0; j < columns; ++j) ASSERT_EQ(y[j * rows + i], x[i * columns + j]) << rows << " x " << columns;
      ASSERT_TRUE(y.untouched()) << rows << " x " << columns;
    };
    for (std::int64_t rows = 0; rows <= 26; ++rows)
      for (std::int64_t columns = 0; columns <= 26; ++columns) check_one(rows, columns);
    check_one(129, 67);
    check_one(1, 1000);
    check_one(1000, 1);
  });
}

// The choice between our kernels and BLAS: both sides of its limits, k = 1 among them.
TEST(Product, OfEveryShapeOnBothSidesOfTheChoice) {
  const auto run = []<class T>(const Problem& p, T*) {
    for (int layout = 0; layout < 4; ++layout) {
      const Matrix<T> a(p.a, p.m, p.k, layout & 1, 0), b(p.b, p.k, p.n, layout & 2, 0);
      for (const Start start : {from_zero, from_bias, from_before}) {
        ASSERT_TRUE(check<T>(
            p, start, [&](T* c, const T* bias, bool accumulate) { product(p.m, p.n, p.k, a.operand, b.operand, c, bias, accumulate); }))
            << "layout " << layout;
      }
    }
  };
  for (const auto& [m, n, k] : {std::array<std::int64_t, 3>{1, 1, 1},
                                {1, 50, 20},
                                {50, 1, 20},
                                {1, 1, 300},
                                {3, 4, 5},
                                {0, 5, 5},
                                {5, 5, 0},
                                {1, 7, 0},
                                {7, 1, 0},
                                {64, 64, 63},
                                {64, 64, 64},
                                {16, 300, 100},
                                {17, 300, 100},
                                {300, 16, 100},
                                {300, 17, 100},
                                {513, 512, 1},
                                {520, 530, 2},
                                {17, 17, 1000},
                                {100, 600, 290},  // pieces of columns and of rows
                                {600, 100, 290},
                                {33, 1200, 430},
                                {20, 2048, 40},
                                {20, 2049, 40},
                                {100, 90, 80}}) {
    const Problem p(m, n, k, 10);
    run(p, static_cast<float*>(nullptr));
    run(p, static_cast<double*>(nullptr));
  }
}

// However a product is cut into pieces, an element's numbers are added in the same order.
TEST(Product, OfRealNumbersHasTheSameBitsForAnyNumberOfThreads) {
  const int before = num_threads();
  Numbers numbers(11);
  for (const auto& [m, n, k] :
       {std::array<std::int64_t, 3>{100, 600, 290}, {601, 101, 290}, {128, 256, 784}, {784, 256, 128}, {65, 2050, 130}})
    for (int layout = 0; layout < 4; ++layout) {
      Guarded<float> a(m * k), b(k * n), one(m * n), several(m * n);
      for (std::int64_t i = 0; i < m * k; ++i) a[i] = static_cast<float>(numbers.real(-1, 1));
      for (std::int64_t i = 0; i < k * n; ++i) b[i] = static_cast<float>(numbers.real(-1, 1));
      const Operand<float> left{a.data(), layout & 1 ? 1 : k, layout & 1 ? m : 1}, right{b.data(), layout & 2 ? 1 : n, layout & 2 ? k : 1};
      set_num_threads(1);
      product<float>(m, n, k, left, right, one.data(), nullptr, false);
      for (const int threads : {2, 3, 5}) {
        set_num_threads(threads);
        product<float>(m, n, k, left, right, several.data(), nullptr, false);
        for (std::int64_t i = 0; i < m * n; ++i)
          ASSERT_EQ(one[i], several[i]) << m << " x " << n << " x " << k << ", layout " << layout << ", " << threads << " threads, at "
                                        << i;
      }
    }
  set_num_threads(before);
}
