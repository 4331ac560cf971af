#include "tables.h"

using namespace capstan::kernels;

namespace {

constexpr std::int64_t widths[] = {1, 2, 3, 7, 8, 10, 31, 32, 33, 63, 64, 65, 127, 130, 600};

template <class T>
void log_softmax_of(const T* x, std::int64_t n, std::vector<long double>& y) {
  long double most = x[0], total = 0;
  for (std::int64_t j = 1; j < n; ++j) most = std::max<long double>(most, x[j]);
  for (std::int64_t j = 0; j < n; ++j) total += std::exp(x[j] - most);
  y.clear();
  for (std::int64_t j = 0; j < n; ++j) y.push_back(x[j] - most - std::log(total));
}

}  // namespace

TEST(Kernels, SoftmaxAndItsLogarithm) {
  for_each_table([]<class T>(const Table<T>& table) {
    constexpr T eps = std::numeric_limits<T>::epsilon();
    Numbers numbers(1);
    std::vector<long double> exact;
    for (const std::int64_t n : widths)
      for (const std::int64_t rows : {0, 1, 5})
        for (const double scale : {1.0, 30.0}) {
          Guarded<T> x(rows * n, 1), p(rows * n, 2), l(rows * n, 3);
          for (std::int64_t i = 0; i < rows * n; ++i) x[i] = static_cast<T>(numbers.real(-scale, scale));
          table.softmax(x.data(), p.data(), rows, n);
          table.log_softmax(x.data(), l.data(), rows, n);
          for (std::int64_t i = 0; i < rows; ++i) {
            log_softmax_of(x.data() + i * n, n, exact);
            T total = T(0);
            for (std::int64_t j = 0; j < n; ++j) {
              const long double e = exact[static_cast<std::size_t>(j)];
              ASSERT_NEAR(l[i * n + j], static_cast<double>(e), 16 * eps * (1 + scale)) << n << " " << j;
              ASSERT_LE(std::abs(p[i * n + j] - std::exp(e)), eps * (16 + 2 * scale) * std::exp(e) + std::numeric_limits<T>::min())
                  << n << " " << j;
              total += p[i * n + j];
            }
            ASSERT_NEAR(total, 1, eps * (8 + static_cast<double>(n))) << n;
          }
          ASSERT_TRUE(p.untouched() && l.untouched()) << rows << " x " << n;
          Guarded<T> in_place(rows * n);
          for (std::int64_t i = 0; i < rows * n; ++i) in_place[i] = x[i];
          table.softmax(in_place.data(), in_place.data(), rows, n);
          for (std::int64_t i = 0; i < rows * n; ++i) ASSERT_TRUE(same(in_place[i], p[i]));
          table.log_softmax(x.data(), x.data(), rows, n);
          for (std::int64_t i = 0; i < rows * n; ++i) ASSERT_TRUE(same(x[i], l[i]));
        }
  });
}

TEST(Kernels, SoftmaxOfHugeValues) {
  for_each_table([]<class T>(const Table<T>& table) {
    using L = std::numeric_limits<T>;
    const T x[] = {L::max(), T(0), L::lowest(), T(1e30), T(1e30), T(1e30), T(-1e30), T(-1e30), T(-1000), -L::infinity(), T(3), T(3)};
    const T expected[] = {1, 0, 0, T(1) / 3, T(1) / 3, T(1) / 3, 0, 0, 1, 0, T(0.5), T(0.5)};
    T y[12], l[12];
    table.softmax(x, y, 4, 3);
    table.log_softmax(x, l, 4, 3);
    for (int i = 0; i < 12; ++i) {
      EXPECT_LE(std::abs(y[i] - expected[i]), L::epsilon()) << i;
      if (expected[i] > 0)
        EXPECT_NEAR(l[i], std::log(expected[i]), x[i] > T(1e20) ? 1e30 * L::epsilon() : 4 * L::epsilon()) << i;
      else
        EXPECT_LT(l[i], T(-500)) << i;
    }
    // As everywhere, what cannot be known is NaN, in its own row alone.
    const T bad[] = {L::quiet_NaN(), 1, 2, 1, L::quiet_NaN(), 2, 1, 2, L::quiet_NaN(), L::infinity(), 1, 2, 5, 5, 5};
    T z[15];
    table.softmax(bad, z, 5, 3);
    for (int i = 0; i < 12; ++i) EXPECT_TRUE(std::isnan(z[i]) || (i >= 9 && z[i] == 0)) << i;
    EXPECT_LE(std::abs(z[13] - T(1) / 3), L::epsilon());
  });
}

TEST(Kernels, CrossEntropyAndItsGradient) {
  for_each_table([]<class T>(const Table<T>& table) {
    constexpr T eps = std::numeric_limits<T>::epsilon();
    Numbers numbers(2);
    std::vector<long double> exact;
    for (const std::int64_t n : widths)
      for (const std::int64_t rows : {0, 1, 5, 130}) {
        Guarded<T> x(rows * n, 1), y(rows * n, 2), softmax(rows * n), d(rows * n, 3), d0(rows * n);
        std::vector<std::int64_t> labels;
        long double loss = 0;
        for (std::int64_t i = 0; i < rows * n; ++i) x[i] = static_cast<T>(numbers.real(-5, 5));
        for (std::int64_t i = 0; i < rows; ++i) {
          labels.push_back(i == 0 ? 0 : i == 1 ? n - 1 : numbers.whole(0, n - 1));
          log_softmax_of(x.data() + i * n, n, exact);
          loss -= exact[static_cast<std::size_t>(labels.back())];
        }
        const T actual = table.cross_entropy(x.data(), labels.data(), y.data(), rows, n);
        ASSERT_LE(std::abs(actual - loss), eps * (20 + static_cast<double>(rows)) * (1 + loss)) << rows << " x " << n;
        table.softmax(x.data(), softmax.data(), rows, n);
        for (std::int64_t i = 0; i < rows * n; ++i) ASSERT_TRUE(same(y[i], softmax[i])) << rows << " x " << n;
        ASSERT_TRUE(y.untouched());
        for (const bool accumulate : {false, true}) {
          for (std::int64_t i = 0; i < rows * n; ++i)
            d[i] = d0[i] = accumulate ? static_cast<T>(numbers.whole(-2, 2)) : std::numeric_limits<T>::quiet_NaN();
          table.cross_entropy_grad(y.data(), labels.data(), T(0.25), d.data(), rows, n, accumulate);
          for (std::int64_t i = 0; i < rows; ++i)
            for (std::int64_t j = 0; j < n; ++j) {
              const double want = (accumulate ? static_cast<double>(d0[i * n + j]) : 0) +
                                  0.25 * (static_cast<double>(y[i * n + j]) - (j == labels[static_cast<std::size_t>(i)]));
              ASSERT_NEAR(d[i * n + j], want, 4 * eps) << rows << " x " << n << " at " << i << ", " << j;
            }
          ASSERT_TRUE(d.untouched());
        }
      }
  });
}

TEST(Kernels, CrossEntropyOfHugeLogits) {
  for_each_table([]<class T>(const Table<T>& table) {
    const T x[] = {T(1000), T(0), T(-1000), T(0)};
    const std::int64_t right[] = {0, 1}, wrong[] = {1, 0};
    T y[4];
    EXPECT_EQ(table.cross_entropy(x, right, y, 2, 2), T(0));
    EXPECT_EQ(table.cross_entropy(x, wrong, y, 2, 2), T(2000));
  });
}
