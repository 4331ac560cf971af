#include <capstan/data/standardize.h>

#include <capstan/core/create.h>
#include <capstan/core/text.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

// Columns to mean 0 and standard deviation 1, and back. fit() takes both from a table in double, whatever its dtype.

namespace capstan::data {

using detail::fail;

namespace {

using std::int64_t;

void check_table(const char* op, const Tensor& x) {
  if (x.dim() != 2) fail<ShapeError>(op, "x must be [rows, columns]: ", x.shape());
  if (!is_floating(x.dtype())) fail<ValueError>(op, "x must be f32 or f64: ", x.dtype(), " (convert with to())");
}

template <class T>
std::string shortest(T value) {
  char buffer[32];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr};
}

template <class T>
void fit_columns(const T* x, int64_t rows, int64_t columns, double* mean, double* stddev) {
  for (int64_t j = 0; j < columns; ++j) mean[j] = stddev[j] = 0;
  std::vector<T> low(x, x + columns), high = low;
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j) {
      const T value = x[i * columns + j];
      if (!std::isfinite(value))
        fail<NotFiniteError>("Standardizer", "values must be finite: ", shortest(value), " in row ", i, ", column ", j,
                             " (both counted from 0)");
      const auto k = static_cast<std::size_t>(j);
      low[k] = std::min(low[k], value);
      high[k] = std::max(high[k], value);
      mean[j] += static_cast<double>(value);
    }
  for (int64_t j = 0; j < columns; ++j) mean[j] /= static_cast<double>(rows);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j) {
      const double d = static_cast<double>(x[i * columns + j]) - mean[j];
      stddev[j] += d * d;
    }
  for (int64_t j = 0; j < columns; ++j) {
    const auto k = static_cast<std::size_t>(j);
    stddev[j] = std::sqrt(stddev[j] / static_cast<double>(rows));
    if (low[k] == high[k])  // the rounded mean of equal values may differ from them: stddev itself does not tell
      fail<ValueError>("Standardizer", "a column must not be constant: column ", j, " (counted from 0) is ", shortest(low[k]), " in all ",
                       rows, " rows (leave it out)");
    if (!std::isfinite(stddev[j]) || stddev[j] == 0)
      fail<ValueError>("Standardizer", "the squares of a column must fit f64: column ", j, " (counted from 0) lies in [", shortest(low[k]),
                       ", ", shortest(high[k]), "] (scale it first)");
  }
}

// y_ij = f(x_ij, mean_j, stddev_j)
template <class F>
Tensor for_each_column(const char* op, const Standardizer& s, const Tensor& x, F f) {
  check_table(op, x);
  const int64_t rows = x.size(0), columns = x.size(1);
  if (s.mean.shape() != Shape{columns} || s.stddev.shape() != Shape{columns})
    fail<ShapeError>(op, "x must have the columns that were fitted: x ", x.shape(), ", mean ", s.mean.shape(), ", stddev ",
                     s.stddev.shape());
  const Tensor mean = s.mean.to(DType::f64), stddev = s.stddev.to(DType::f64);
  const double *m = mean.data<double>(), *d = stddev.data<double>();
  Tensor y = empty_like(x);
  const auto run = [&](const auto* from, auto* to) {
    for (int64_t i = 0; i < rows; ++i, from += columns, to += columns)
      for (int64_t j = 0; j < columns; ++j)
        to[j] = static_cast<std::remove_reference_t<decltype(*to)>>(f(static_cast<double>(from[j]), m[j], d[j]));
  };
  if (x.dtype() == DType::f32)
    run(x.data<float>(), y.data<float>());
  else
    run(x.data<double>(), y.data<double>());
  return y;
}

}  // namespace

Standardizer Standardizer::fit(const Tensor& x) {
  check_table("Standardizer", x);
  const int64_t rows = x.size(0), columns = x.size(1);
  if (rows == 0 || columns == 0) fail<ShapeError>("Standardizer", "x must not be empty: ", x.shape());
  Standardizer s{empty({columns}, DType::f64), empty({columns}, DType::f64)};
  if (x.dtype() == DType::f32)
    fit_columns(x.data<float>(), rows, columns, s.mean.data<double>(), s.stddev.data<double>());
  else
    fit_columns(x.data<double>(), rows, columns, s.mean.data<double>(), s.stddev.data<double>());
  return s;
}

Tensor Standardizer::apply(const Tensor& x) const {
  return for_each_column("apply", *this, x, [](double v, double m, double d) { return (v - m) / d; });
}

Tensor Standardizer::invert(const Tensor& x) const {
  return for_each_column("invert", *this, x, [](double v, double m, double d) { return v * d + m; });
}

}  // namespace capstan::data
