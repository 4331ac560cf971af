#include "tables.h"

using namespace capstan::kernels;

namespace {

const std::vector<std::int64_t> lengths = [] {
  std::vector<std::int64_t> n;
  for (std::int64_t i = 0; i <= 70; ++i) n.push_back(i);
  for (const std::int64_t i :
       {127, 128, 129, 511, 512, 513, 1000, 1023, 1024, 1025, 1537, 4095, 4096, 4097, 8191, 8192, 8193, 12288, 12289, 100003})
    n.push_back(i);
  return n;
}();

// Every partial sum of whole numbers is exact: an element left out or taken twice shows.
template <class T>
Guarded<T> whole_numbers(std::int64_t n, std::int64_t offset, Numbers& numbers, std::int64_t limit = 80) {
  Guarded<T> x(n, offset);
  for (std::int64_t i = 0; i < n; ++i) x[i] = static_cast<T>(numbers.whole(-limit, limit));
  return x;
}
template <class T>
Guarded<T> real_numbers(std::int64_t n, Numbers& numbers, double low = -1, double high = 1) {
  Guarded<T> x(n, 1);
  for (std::int64_t i = 0; i < n; ++i) x[i] = static_cast<T>(numbers.real(low, high));
  return x;
}

}  // namespace

TEST(Kernels, SumTakesEachElementOnce) {
  for_each_table([]<class T>(const Table<T>& table) {
    Numbers numbers(1);
    for (const std::int64_t n : lengths)
      for (const std::int64_t offset : {0, 1, 5}) {
        const Guarded<T> x = whole_numbers<T>(n, offset, numbers);
        double sum = 0, squares = 0;
        for (std::int64_t i = 0; i < n; ++i) {
          sum += static_cast<double>(x[i]);
          squares += static_cast<double>(x[i]) * static_cast<double>(x[i]);
        }
        ASSERT_EQ(static_cast<double>(table.sum(x.data(), n)), sum) << n;
        ASSERT_EQ(table.sum_squares(x.data(), n), squares) << n;
      }
  });
}

// Pairwise: at most 16 + 5 + 2 additions in a block of 512 and log2(n / 512) + 1 above, each off by half an ulp.
TEST(Kernels, SumIsPairwise) {
  for_each_table([]<class T>(const Table<T>& table) {
    Numbers numbers(2);
    for (const std::int64_t n : lengths)
      for (const double low : {-1.0, 0.5, 1.0}) {
        Guarded<T> x = real_numbers<T>(n, numbers, low, 1);
        // The worst: each 1 that is added to one of the first numbers, or to a sum that holds it, is lost.
        if (low == 1)
          for (std::int64_t i = 0; i < std::min<std::int64_t>(n, 32); ++i) x[i] = 2 / std::numeric_limits<T>::epsilon();
        long double sum = 0, size = 0;
        for (std::int64_t i = 0; i < n; ++i) {
          sum += x[i];
          size += std::abs(x[i]);
        }
        const double depth = 24 + std::max(0.0, std::log2(static_cast<double>(n) / 512));
        ASSERT_LE(std::abs(table.sum(x.data(), n) - sum), depth * std::numeric_limits<T>::epsilon() / 2 * size) << n;
      }
    Guarded<T> ones(3000001);  // one number after the other would stop at 2^24 in f32
    for (std::int64_t i = 0; i < ones.size(); ++i) ones[i] = T(7);
    EXPECT_NEAR(static_cast<double>(table.sum(ones.data(), ones.size())), 21000007, sizeof(T) == 4 ? 21000007 * 1e-6 : 0);
  });
}

TEST(Kernels, SumSquaresIsDouble) {
  for_each_table([]<class T>(const Table<T>& table) {
    Numbers numbers(3);
    const Guarded<T> x = real_numbers<T>(10007, numbers);
    long double exact = 0;
    for (std::int64_t i = 0; i < x.size(); ++i) exact += static_cast<long double>(x[i]) * x[i];
    EXPECT_NEAR(table.sum_squares(x.data(), x.size()), static_cast<double>(exact), 1e-11);
    const T large = std::numeric_limits<float>::max();
    EXPECT_EQ(table.sum_squares(&large, 1), static_cast<double>(large) * static_cast<double>(large));
  });
}

TEST(Kernels, SumColumns) {
  for_each_table([]<class T>(const Table<T>& table) {
    Numbers numbers(4);
    for (const std::int64_t rows : {0, 1, 2, 3, 127, 128, 129, 300})
      for (std::int64_t columns = 1; columns <= 75; ++columns)
        for (const bool accumulate : {false, true}) {
          const Guarded<T> x = whole_numbers<T>(rows * columns, 1, numbers);
          Guarded<T> y = accumulate ? whole_numbers<T>(columns, 3, numbers) : Guarded<T>(columns, 3);
          std::vector<double> expected(static_cast<std::size_t>(columns), 0);
          for (std::int64_t j = 0; j < columns; ++j) {
            double s = accumulate ? static_cast<double>(y[j]) : 0;
            for (std::int64_t i = 0; i < rows; ++i) s += static_cast<double>(x[i * columns + j]);
            expected[static_cast<std::size_t>(j)] = s;
          }
          table.sum_columns(x.data(), y.data(), rows, columns, accumulate);
          for (std::int64_t j = 0; j < columns; ++j)
            ASSERT_EQ(static_cast<double>(y[j]), expected[static_cast<std::size_t>(j)])
                << rows << " x " << columns << ", column " << j << ", accumulate " << accumulate;
          ASSERT_TRUE(y.untouched());
        }
  });
}

TEST(Kernels, ArgmaxIsTheFirstLargest) {
  for_each_table([]<class T>(const Table<T>& table) {
    for (std::int64_t n = 1; n <= 70; ++n)
      for (const std::int64_t step : {1, 3})
        for (std::int64_t at = 0; at < n; ++at) {
          Guarded<T> x(n * step);
          for (std::int64_t i = 0; i < n; ++i) x[i * step] = i < at ? T(-2) : T(-1);
          ASSERT_EQ(table.argmax(x.data(), n, step), at) << n;  // ties from `at` on
          x[at * step] = T(5);
          ASSERT_EQ(table.argmax(x.data(), n, step), at) << n;
          x[at * step] = std::numeric_limits<T>::quiet_NaN();
          x[(n - 1) * step] = std::numeric_limits<T>::infinity();
          if (at < n - 1) {
            ASSERT_EQ(table.argmax(x.data(), n, step), at) << n;
          }
          x[(n - 1) * step] = std::numeric_limits<T>::quiet_NaN();
          ASSERT_EQ(table.argmax(x.data(), n, step), at) << n;
        }
    const T low = -std::numeric_limits<T>::infinity(), x[] = {low, low, low}, zeros[] = {-T(0), T(0)};
    EXPECT_EQ(table.argmax(x, 3, 1), 0);
    EXPECT_EQ(table.argmax(zeros, 2, 1), 0);
  });
}

TEST(Kernels, FirstNonFiniteInALongArray) {
  for_each_table([]<class T>(const Table<T>& table) {
    const std::int64_t window = std::int64_t{1} << 17, n = 3 * window + 77;
    std::vector<T> x(static_cast<std::size_t>(n), std::numeric_limits<T>::max());
    ASSERT_EQ(table.first_non_finite(x.data(), n), n);
    for (const std::int64_t at : {std::int64_t{0}, window / 8 - 1, window / 8, window - 1, window, 2 * window + 5, 3 * window, n - 1}) {
      x[static_cast<std::size_t>(at)] = std::numeric_limits<T>::infinity();
      x.back() = std::numeric_limits<T>::quiet_NaN();
      ASSERT_EQ(table.first_non_finite(x.data(), n), at);
      x[static_cast<std::size_t>(at)] = x.back() = T(1);
    }
  });
}

TEST(Kernels, FirstNonFiniteAtEveryPlace) {
  for_each_table([]<class T>(const Table<T>& table) {
    const T inf = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
    for (const std::int64_t n : {0, 1, 7, 63, 64, 65, 128, 200}) {
      Guarded<T> x(n, 1);
      for (std::int64_t i = 0; i < n; ++i) x[i] = i % 2 ? std::numeric_limits<T>::max() : -std::numeric_limits<T>::denorm_min();
      ASSERT_EQ(table.first_non_finite(x.data(), n), n);
      for (std::int64_t at = 0; at < n; ++at)
        for (const T bad : {inf, -inf, nan}) {
          const T kept = x[at], last = x[n - 1];
          x[n - 1] = nan;
          x[at] = bad;
          ASSERT_EQ(table.first_non_finite(x.data(), n), at) << n << " " << bad;
          x[n - 1] = last;
          x[at] = kept;
        }
    }
  });
}

TEST(Kernels, SquaredDistanceAndItsGradient) {
  for_each_table([]<class T>(const Table<T>& table) {
    Numbers numbers(5);
    for (const std::int64_t n : lengths) {
      const Guarded<T> a = whole_numbers<T>(n, 0, numbers, 6), b = whole_numbers<T>(n, 1, numbers, 6);
      double sum = 0;
      for (std::int64_t i = 0; i < n; ++i) sum += static_cast<double>((a[i] - b[i]) * (a[i] - b[i]));
      Guarded<T> difference(n, 2);
      ASSERT_EQ(static_cast<double>(table.squared_distance(a.data(), b.data(), difference.data(), n)), sum) << n;
      for (std::int64_t i = 0; i < n; ++i) ASSERT_EQ(difference[i], a[i] - b[i]) << n << " " << i;
      ASSERT_TRUE(difference.untouched());
      if (n > 1100) continue;
      for (const bool accumulate : {false, true}) {
        Guarded<T> d = accumulate ? whole_numbers<T>(n, 2, numbers) : Guarded<T>(n, 2);
        std::vector<T> expected;
        for (std::int64_t i = 0; i < n; ++i) expected.push_back((accumulate ? d[i] : T(0)) + T(0.5) * difference[i]);
        table.add_scaled(difference.data(), T(0.5), d.data(), n, accumulate);
        for (std::int64_t i = 0; i < n; ++i) ASSERT_EQ(d[i], expected[static_cast<std::size_t>(i)]) << n << " " << i;
        ASSERT_TRUE(d.untouched());
      }
    }
    const Guarded<T> a = real_numbers<T>(1000003, numbers), b = real_numbers<T>(1000003, numbers);
    long double exact = 0;
    for (std::int64_t i = 0; i < a.size(); ++i) exact += (static_cast<long double>(a[i]) - b[i]) * (static_cast<long double>(a[i]) - b[i]);
    Guarded<T> difference(a.size(), 0);
    const T distance = table.squared_distance(a.data(), b.data(), difference.data(), a.size());
    EXPECT_LE(std::abs(distance - exact) / exact, 300 * std::numeric_limits<T>::epsilon());
  });
}
