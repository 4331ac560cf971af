// Reductions, losses and element-wise loops at sizes on both sides of every block, strip, vector and thread boundary.
#include <capstan/core/threads.h>

#include <algorithm>

#include "support.h"

using namespace capstan;

namespace {

// Multiples of 1/16 from [-4, 4): sums of up to 2^17 of them are exact in f32, in any order.
Tensor sixteenths(const Shape& shape, int stream = 0) {
  Tensor t = empty(shape, DType::f64);
  for (std::int64_t i = 0; i < t.numel(); ++i)
    t.data<double>()[i] = static_cast<double>((i * 29 + i * i % 53 + stream * 7) % 128 - 64) / 16;
  return t;
}

const DType floating[] = {DType::f32, DType::f64};

/// Restores the number of threads.
struct Threads {
  int before = num_threads();
  ~Threads() { set_num_threads(before); }
};

}  // namespace

TEST(Sizes, SumsOfEveryLength) {
  std::vector<std::int64_t> lengths = {127,  128,  129,  511,  512,  513,  543,  544,  545,  1023,
                                       1024, 1025, 1536, 4095, 4096, 4097, 5000, 8192, 8193, 70000};
  for (std::int64_t n = 0; n <= 100; ++n) lengths.push_back(n);
  for (const std::int64_t n : lengths) {
    const Tensor x = sixteenths({n});
    double total = 0, squares = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      total += x.data<double>()[i];
      squares += x.data<double>()[i] * x.data<double>()[i];
    }
    for (const DType dtype : floating) {
      const Tensor typed = x.to(dtype);
      EXPECT_EQ(sum(typed).item(), total) << n << ' ' << name(dtype);
      EXPECT_EQ(sum(typed.reshape({1, n}), 1).item(), total) << n << ' ' << name(dtype);
      EXPECT_EQ(sum(typed.reshape({n, 1}), 0).item(), total) << n << ' ' << name(dtype);
      if (n == 0) continue;
      EXPECT_DOUBLE_EQ(mean(typed.to(DType::f64)).item(), total / static_cast<double>(n));
      EXPECT_NEAR(mse_loss(typed, zeros_like(typed)).item(), squares / static_cast<double>(n), dtype == DType::f32 ? 1e-5 : 1e-13) << n;
      EXPECT_EQ(max(typed).item(), *std::max_element(x.data<double>(), x.data<double>() + n)) << n;
    }
  }
}

// The bounds that ops.h states, in f32 for numbers of one sign; one after the other they would be off by 1 in 100.
TEST(Sizes, LongSumsStayAccurate) {
  const double eps = 6e-8, n = 3'000'001, exact = static_cast<double>(0.1f) * n;
  const Tensor x = full({3'000'001}, 0.1);
  EXPECT_NEAR(sum(x).item() / exact, 1, (24 + std::log2(n / 512)) * eps);
  EXPECT_NEAR(mean(x).item() / static_cast<double>(0.1f), 1, (25 + std::log2(n / 512)) * eps);
  const Tensor columns = sum(full({300'000, 9}, 0.1), 0);
  for (int j = 0; j < 9; ++j)
    EXPECT_NEAR(columns.data<float>()[j] / (static_cast<double>(0.1f) * 300'000), 1, (128 + 300'000 / 128.) * eps);
  EXPECT_NEAR(mse_loss(x, zeros_like(x)).item() / (static_cast<double>(0.1f) * 0.1f), 1, 300 * eps);
}

TEST(Sizes, ColumnsOneToFortyAndMore) {
  for (const std::int64_t rows : {1, 2, 31, 127, 128, 129, 256, 300})
    for (std::int64_t columns = 1; columns <= 73; columns += columns < 42 ? 1 : 7) {
      const Tensor x = sixteenths({rows, columns});
      Tensor along_rows = zeros({columns}, DType::f64), along_columns = zeros({rows}, DType::f64), top = full({columns}, -100, DType::f64);
      for (std::int64_t i = 0; i < rows; ++i)
        for (std::int64_t j = 0; j < columns; ++j) {
          const double v = x.data<double>()[i * columns + j];
          along_rows.data<double>()[j] += v;
          along_columns.data<double>()[i] += v;
          top.data<double>()[j] = std::max(top.data<double>()[j], v);
        }
      for (const DType dtype : floating) {
        const Tensor typed = x.to(dtype);
        EXPECT_TRUE(near(sum(typed, 0), along_rows, 0)) << rows << ' ' << columns;
        EXPECT_TRUE(near(sum(typed, 1), along_columns, 0)) << rows << ' ' << columns;
        EXPECT_TRUE(near(sum(typed.reshape({1, rows, columns, 1}), 1, true), along_rows.reshape({1, 1, columns, 1}), 0))
            << rows << ' ' << columns;
        EXPECT_TRUE(near(max(typed, 0), top, 0)) << rows << ' ' << columns;
      }
    }
}

TEST(Sizes, TransposesOfEverySize) {
  for (std::int64_t rows = 1; rows <= 35; ++rows)
    for (std::int64_t columns = 1; columns <= 35; ++columns) {
      const Tensor x = sixteenths({2, rows, columns}), y = transpose(x), single = transpose(x.to(DType::f32));
      for (std::int64_t o = 0; o < 2; ++o)
        for (std::int64_t i = 0; i < rows; ++i)
          for (std::int64_t j = 0; j < columns; ++j)
            ASSERT_EQ(y.data<double>()[(o * columns + j) * rows + i], x.data<double>()[(o * rows + i) * columns + j])
                << rows << ' ' << columns;
      ASSERT_TRUE(near(single, y, 0)) << rows << ' ' << columns;
    }
}

TEST(Sizes, RowsOfClassesOneToThreeHundred) {
  for (const std::int64_t classes : {1, 2, 3, 7, 8, 9, 10, 31, 32, 33, 63, 64, 65, 127, 128, 129, 300}) {
    const Tensor x = sixteenths({5, classes}, 3);
    std::vector<std::int64_t> labels;
    Tensor p = empty_like(x), log_p = empty_like(x);
    double loss = 0;
    for (std::int64_t i = 0; i < 5; ++i) {
      labels.push_back((3 * i + 1) % classes);
      double total = 0;
      const double* row = x.data<double>() + i * classes;
      for (std::int64_t j = 0; j < classes; ++j) total += std::exp(row[j]);
      for (std::int64_t j = 0; j < classes; ++j) {
        p.data<double>()[i * classes + j] = std::exp(row[j]) / total;
        log_p.data<double>()[i * classes + j] = row[j] - std::log(total);
      }
      loss -= (row[labels.back()] - std::log(total)) / 5;
    }
    for (const DType dtype : floating) {
      const double tolerance = dtype == DType::f32 ? 2e-6 : 1e-14;
      EXPECT_TRUE(near(softmax(x.to(dtype)), p, tolerance)) << classes;
      EXPECT_TRUE(near(log_softmax(x.to(dtype)), log_p, tolerance)) << classes;
      EXPECT_NEAR(cross_entropy(x.to(dtype), tensor(labels)).item(), loss, 4 * tolerance) << classes;
    }
  }
}

TEST(Sizes, ElementsOneToSeventy) {
  for (std::int64_t n = 1; n <= 70; ++n) {
    const Tensor x = numbers({n}, 0.2, 3), z = numbers({n}, 0.3, 2, 1);
    const double *px = x.data<double>(), *pz = z.data<double>();
    const auto check = [&](const char* what, auto op, auto by_hand) {
      for (const DType dtype : floating) {
        const Tensor y = op(x.to(dtype), z.to(dtype));
        for (std::int64_t i = 0; i < n; ++i)
          ASSERT_NEAR(values(y)[std::size_t(i)], by_hand(px[i], pz[i]), dtype == DType::f32 ? 4e-6 : 1e-14)
              << what << ' ' << i << " of " << n;
      }
    };
    check(
        "+", [](const Tensor& a, const Tensor& b) { return a + b; }, [](double a, double b) { return a + b; });
    check(
        "-", [](const Tensor& a, const Tensor& b) { return a - b; }, [](double a, double b) { return a - b; });
    check(
        "*", [](const Tensor& a, const Tensor& b) { return a * b; }, [](double a, double b) { return a * b; });
    check(
        "/", [](const Tensor& a, const Tensor& b) { return a / b; }, [](double a, double b) { return a / b; });
    check(
        "exp", [](const Tensor& a, const Tensor&) { return exp(a - 1.5); }, [](double a, double) { return std::exp(a - 1.5); });
    check(
        "log", [](const Tensor& a, const Tensor&) { return log(a); }, [](double a, double) { return std::log(a); });
    check(
        "sqrt", [](const Tensor& a, const Tensor&) { return sqrt(a); }, [](double a, double) { return std::sqrt(a); });
    check(
        "tanh", [](const Tensor& a, const Tensor&) { return tanh(a - 1.5); }, [](double a, double) { return std::tanh(a - 1.5); });
    check(
        "sigmoid", [](const Tensor& a, const Tensor&) { return sigmoid(a - 1.5); },
        [](double a, double) { return 1 / (1 + std::exp(1.5 - a)); });
    check(
        "pow", [](const Tensor& a, const Tensor&) { return pow(a, 1.7); }, [](double a, double) { return std::pow(a, 1.7); });
    check(
        "relu", [](const Tensor& a, const Tensor&) { return relu(a - 1.5); }, [](double a, double) { return std::max(a - 1.5, 0.); });
    check(
        "abs", [](const Tensor& a, const Tensor&) { return abs(a - 1.5); }, [](double a, double) { return std::abs(a - 1.5); });
  }
}

// Above 131,072 elements the loops are shared among threads; the bits stay.
TEST(Sizes, ThreadsChangeNothing) {
  const Threads restore;
  const Tensor x = numbers({131072 * 2 + 7}), z = numbers({131072 * 2 + 7}, 0.5, 2, 1), one = d({1.25});
  const auto all = [&] {
    const Tensor w = parameter(x.clone());
    Tape tape;
    const Tensor loss = sum(exp(w) * z + tanh(w) / z - relu(w) * one + sigmoid(one * w));
    const Gradients g = tape.gradients(loss);
    return std::vector<Tensor>{loss, g[w].clone(), exp(x), x * z, x * one, one - x, x.to(DType::f32) + z.to(DType::f32)};
  };
  set_num_threads(1);
  const std::vector<Tensor> serial = all();
  for (const int threads : {2, 3}) {
    set_num_threads(threads);
    const std::vector<Tensor> parallel = all();
    for (std::size_t i = 0; i < serial.size(); ++i) EXPECT_TRUE(same_bits(serial[i], parallel[i])) << i << " with " << threads;
  }
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    ASSERT_EQ(serial[3].data<double>()[i], x.data<double>()[i] * z.data<double>()[i]);
    ASSERT_EQ(serial[4].data<double>()[i], x.data<double>()[i] * 1.25);
    ASSERT_EQ(serial[5].data<double>()[i], 1.25 - x.data<double>()[i]);
  }
}

TEST(Sizes, BroadcastOverSixAxes) {
  const Tensor a = sixteenths({2, 1, 3, 1, 2, 4}), b = sixteenths({5, 1, 2, 2, 1}, 1), y = a - b;
  ASSERT_EQ(y.shape(), (Shape{2, 5, 3, 2, 2, 4}));
  std::int64_t k = 0;
  for (std::int64_t i0 = 0; i0 < 2; ++i0)
    for (std::int64_t i1 = 0; i1 < 5; ++i1)
      for (std::int64_t i2 = 0; i2 < 3; ++i2)
        for (std::int64_t i3 = 0; i3 < 2; ++i3)
          for (std::int64_t i4 = 0; i4 < 2; ++i4)
            for (std::int64_t i5 = 0; i5 < 4; ++i5, ++k)
              ASSERT_EQ(y.data<double>()[k],
                        a.data<double>()[((i0 * 3 + i2) * 2 + i4) * 4 + i5] - b.data<double>()[(i1 * 2 + i3) * 2 + i4]);
}
