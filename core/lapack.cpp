#include <capstan/core/lapack.h>

#include <capstan/core/blas.h>

#define HAVE_CBLAS 1
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <xtensor-blas/xblas.hpp>  // xlapack.hpp takes a macro from it
#include <xtensor-blas/xlapack.hpp>
#include <xtensor/xtensor.hpp>

// Every call of LAPACK. Each function copies its matrices into the columns that LAPACK wants, calls it under a BlasCall, and copies
// the result back. autograd/ops/algebra.h says what users see of it.

namespace capstan::kernels {

namespace {

/// A matrix as LAPACK wants it.
template <class T>
using Columns = xt::xtensor<T, 2, xt::layout_type::column_major>;
template <class T>
using Vector = xt::xtensor<T, 1>;

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

template <class T, class Result = T>
Columns<Result> columns_of(const T* row_major, std::int64_t rows, std::int64_t columns) {
  Columns<Result> m(std::array<std::size_t, 2>{size(rows), size(columns)});
  for (std::int64_t j = 0; j < columns; ++j)
    for (std::int64_t i = 0; i < rows; ++i) m.data()[j * rows + i] = row_major[i * columns + j];
  return m;
}

/// The first rows and columns, row-major.
template <class T, class Result>
void copy_out(const Columns<T>& m, std::int64_t rows, std::int64_t columns, Result* row_major) {
  const auto stride = static_cast<std::int64_t>(m.shape()[0]);
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = 0; j < columns; ++j) row_major[i * columns + j] = static_cast<Result>(m.data()[j * stride + i]);
}

}  // namespace

template <class T>
bool lu_solve(std::int64_t n, std::int64_t k, const T* a, bool transpose_a, const T* b, T* x) {
  const BlasCall call;
  Columns<T> m = columns_of(a, n, n), right = columns_of(b, n, k);
  xt::uvector<xt::blas_index_t> pivots(size(n));
  if (xt::lapack::getrf(m, pivots) != 0) return false;
  const auto order = static_cast<xt::blas_index_t>(n);
  cxxlapack::getrs<xt::blas_index_t>(transpose_a ? 'T' : 'N', order, static_cast<xt::blas_index_t>(k), m.data(), order, pivots.data(),
                                     right.data(), order);
  copy_out(right, n, k, x);
  return true;
}

template <class T>
void lower_solve(std::int64_t n, std::int64_t k, const T* l, bool transpose_l, const T* b, T* x) {
  const BlasCall call;
  std::copy_n(b, n * k, x);
  using Index = xt::blas_index_t;
  cxxblas::trsm<Index>(cxxblas::RowMajor, cxxblas::Left, cxxblas::Lower, transpose_l ? cxxblas::Trans : cxxblas::NoTrans, cxxblas::NonUnit,
                       static_cast<Index>(n), static_cast<Index>(k), T(1), l, static_cast<Index>(n), x, static_cast<Index>(k));
}

template <class T>
Determinant<T> determinant(std::int64_t n, const T* a) {
  const BlasCall call;
  Columns<T> m = columns_of(a, n, n);
  xt::uvector<xt::blas_index_t> pivots(size(n));
  xt::lapack::getrf(m, pivots);
  Determinant<T> d{{}, 1, 0};
  double log = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const T v = m.data()[i * n + i], exchanged = pivots[size(i)] != i + 1 ? T(-1) : T(1);
    d.product *= exchanged * v;
    d.sign *= exchanged * (v > 0 ? T(1) : v < 0 ? T(-1) : v);  // 0 and NaN stay
    log += std::log(std::abs(static_cast<double>(v)));
  }
  d.log = static_cast<T>(log);
  return d;
}

template <class T>
bool cholesky(std::int64_t n, const T* a, T* l) {
  const BlasCall call;
  Columns<T> m = columns_of(a, n, n);
  if (xt::lapack::potr(m, 'L') != 0) return false;
  for (std::int64_t j = 0; j < n; ++j)
    for (std::int64_t i = 0; i < j; ++i) m.data()[j * n + i] = 0;
  copy_out(m, n, n, l);
  return true;
}

template <class T>
void qr(std::int64_t m, std::int64_t n, const T* a, T* q, T* r) {
  const BlasCall call;
  const std::int64_t p = std::min(m, n);
  Columns<T> f = columns_of(a, m, n);
  xt::uvector<T> tau(size(p));
  xt::lapack::geqrf(f, tau);
  for (std::int64_t i = 0; i < p; ++i)
    for (std::int64_t j = 0; j < n; ++j) r[i * n + j] = j < i ? T(0) : f.data()[j * m + i];
  xt::lapack::orgqr(f, tau, static_cast<xt::blas_index_t>(p));
  copy_out(f, m, p, q);
}

template <class T>
bool eigh(std::int64_t n, const T* a, T* values, T* vectors) {
  for (std::int64_t i = 0; i < n; ++i)
    if (table<T>().first_non_finite(a + i * n, i + 1) < i + 1) return false;
  const BlasCall call;
  // In f64, f32 too: OpenBLAS 0.3.21's ssymv below Nehalem, which processors that it does not know get as well, reads what an earlier
  // call left in its buffer, and a NaN there became one here.
  Columns<double> m = columns_of<T, double>(a, n, n);
  for (std::int64_t j = 1; j < n; ++j) std::fill_n(m.data() + j * n, j, 0.);  // what stands above the diagonal is nobody's business
  Vector<double> w(std::array<std::size_t, 1>{size(n)});
  if (xt::lapack::syevd(m, 'V', 'L', w) != 0) return false;
  std::transform(w.data(), w.data() + n, values, [](double x) { return static_cast<T>(x); });
  copy_out(m, n, n, vectors);
  return true;
}

template <class T>
std::int64_t least_squares(std::int64_t m, std::int64_t n, std::int64_t k, const T* a, const T* b, double rcond, T* x, T* singular) {
  if (table<T>().first_non_finite(a, m * n) < m * n || table<T>().first_non_finite(b, m * k) < m * k) return -1;
  const BlasCall call;
  const std::int64_t longer = std::max(m, n), columns = std::max<std::int64_t>(k, 1);
  Columns<T> left = columns_of(a, m, n), right(std::array<std::size_t, 2>{size(longer), size(columns)});
  std::fill_n(right.data(), longer * columns, T(0));
  for (std::int64_t j = 0; j < k; ++j)
    for (std::int64_t i = 0; i < m; ++i) right.data()[j * longer + i] = b[i * k + j];
  Vector<T> values(std::array<std::size_t, 1>{size(std::min(m, n))});
  xt::blas_index_t rank = 0;
  constexpr auto least = static_cast<double>(std::numeric_limits<T>::min());  // gelsd takes 0 for eps
  if (xt::lapack::gelsd(left, right, values, rank, std::max(rcond, least)) != 0) return -1;
  copy_out(right, n, k, x);
  std::copy_n(values.data(), std::min(m, n), singular);
  return rank;
}

template bool lu_solve(std::int64_t, std::int64_t, const float*, bool, const float*, float*);
template void lower_solve(std::int64_t, std::int64_t, const float*, bool, const float*, float*);
template Determinant<float> determinant(std::int64_t, const float*);
template bool cholesky(std::int64_t, const float*, float*);
template void qr(std::int64_t, std::int64_t, const float*, float*, float*);
template bool eigh(std::int64_t, const float*, float*, float*);
template std::int64_t least_squares(std::int64_t, std::int64_t, std::int64_t, const float*, const float*, double, float*, float*);
template bool lu_solve(std::int64_t, std::int64_t, const double*, bool, const double*, double*);
template void lower_solve(std::int64_t, std::int64_t, const double*, bool, const double*, double*);
template Determinant<double> determinant(std::int64_t, const double*);
template bool cholesky(std::int64_t, const double*, double*);
template void qr(std::int64_t, std::int64_t, const double*, double*, double*);
template bool eigh(std::int64_t, const double*, double*, double*);
template std::int64_t least_squares(std::int64_t, std::int64_t, std::int64_t, const double*, const double*, double, double*, double*);

}  // namespace capstan::kernels
