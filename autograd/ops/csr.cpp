#include <capstan/autograd/ops/csr.h>

#include <capstan/autograd/record.h>
#include <capstan/autograd/row_places.h>
#include <capstan/autograd/row_sort.h>
#include <capstan/core/compute.h>
#include <capstan/core/create.h>
#include <capstan/core/text.h>
#include <capstan/core/threads.h>

#include <algorithm>
#include <cstring>
#include <utility>

// Three products that are each other's gradients: x w, x^T d, and of two matrices the elements where x has its values. The gradient for w
// is added up by rows; the loops go through x once, and ask memory in time for the rows of w that they will need.
namespace capstan {

using detail::fail;
using kernels::data_of;
using kernels::dispatch;

namespace {

constexpr std::int64_t ahead = 32;  // values

/// What a rule keeps of x. Its values are needed by the gradient for `other` alone.
class SavedCsr {
 public:
  SavedCsr(const CsrMatrix& x, const Tensor& other)
      : crow_(saved(x.crow())), col_(saved(x.col())), values_(saved_for(other, x.values())), rows_(x.rows()), columns_(x.columns()) {}
  CsrMatrix get() const { return CsrMatrix::known(crow_.get(), col_.get(), values_.get(), rows_, columns_); }

 private:
  Saved crow_, col_, values_;
  std::int64_t rows_, columns_;
};

/// As many numbers as one row of a [.., k] or [..] has.
std::int64_t width_of(const Tensor& t) { return t.dim() == 1 ? 1 : t.size(1); }

/// The pointers of a matrix; of its values only where a rule has them.
template <class T>
struct Csr {
  explicit Csr(const CsrMatrix& x)
      : rows(x.rows()),
        n(x.nnz()),
        crow(data_of<std::int64_t>(x.crow())),
        col(data_of<std::int64_t>(x.col())),
        v(x.values().defined() ? data_of<T>(x.values()) : nullptr) {}
  /// Calls f(i, e) for each value e of row i, in order.
  template <class F>
  [[gnu::always_inline]] void each(F f) const {
    for (std::int64_t i = 0, e = 0; i < rows; ++i)
      for (const std::int64_t end = crow[i + 1]; e < end; ++e) f(i, e);
  }
  std::int64_t rows, n;
  const std::int64_t *crow, *col;
  const T* v;
};

/// Rows [begin, end) of x w for w [columns]: four sums for each, of every fourth value.
template <class T>
void vector_product(const Csr<T>& x, const T* w, T* y, std::int64_t begin, std::int64_t end) {
  const auto* const col = x.col;
  const T* const v = x.v;
  const auto term = [=](std::int64_t e) { return v[e] * w[col[e]]; };
  for (std::int64_t i = begin; i < end; ++i) {
    std::int64_t e = x.crow[i];
    const std::int64_t last = x.crow[i + 1], known = std::min(last, x.n - ahead);  // so far it is known what comes
    T a = 0, b = 0, c = 0, d = 0;
    for (; e + 4 <= known; e += 4) {
      for (std::int64_t next = e + ahead; next < e + ahead + 4; ++next) __builtin_prefetch(w + col[next]);
      a += term(e), b += term(e + 1), c += term(e + 2), d += term(e + 3);
    }
    for (; e + 4 <= last; e += 4) a += term(e), b += term(e + 1), c += term(e + 2), d += term(e + 3);
    if (e < last) a += term(e++);
    if (e < last) b += term(e++);
    if (e < last) c += term(e++);
    y[i] = (a + b) + (c + d);
  }
}

template <class T>
void matrix_product(const Csr<T>& x, const T* w, T* y, std::int64_t k, std::int64_t begin, std::int64_t end) {
  const auto add = kernels::table<T>().add_scaled;
  for (std::int64_t i = begin; i < end; ++i) {
    std::memset(y + i * k, 0, static_cast<std::size_t>(k) * sizeof(T));
    for (std::int64_t e = x.crow[i]; e < x.crow[i + 1]; ++e) {
      if (e + ahead < x.n) __builtin_prefetch(w + x.col[e + ahead] * k);
      add(w + x.col[e] * k, x.v[e], y + i * k, k, true);
    }
  }
}

/// Adds x^T d to sums, whose row for value e is place[e].
template <class T>
void add_transposed(const Csr<T>& x, const T* d, const std::int64_t* place, T* sums, std::int64_t k) {
  if (k == 1) return x.each([=, v = x.v](std::int64_t i, std::int64_t e) { sums[place[e]] += v[e] * d[i]; });
  const auto add = kernels::table<T>().add_scaled;
  x.each([=, v = x.v](std::int64_t i, std::int64_t e) { add(d + i * k, v[e], sums + place[e] * k, k, true); });
}

/// One product on its way to a row of the gradient.
template <class T>
struct Part {
  std::uint32_t row;
  T g;
};

/// Adds x^T d to the gradient for w, for d of one column.
template <class T>
void add_by_rows(const CsrMatrix& matrix, const Shape& shape, const T* d, Inputs& dx) {
  const Csr<T> x(matrix);
  if (x.rows == 1) {  // whose columns ascend
    const Tensor rows = matrix.col().clone(), products = empty(shape.with(0, x.n), matrix.values().dtype());
    T* const to = data_of<T>(products);
    for (std::int64_t e = 0; e < x.n; ++e) to[e] = x.v[e] * d[0];
    return dx.add_rows(0, rows, products);
  }
  const Tensor memory = empty({2 * x.n * static_cast<std::int64_t>(sizeof(Part<T>) / sizeof(float))});
  auto* const parts = static_cast<Part<T>*>(memory.header()->data);
  x.each([=, col = x.col, v = x.v](std::int64_t i, std::int64_t e) { parts[e] = {static_cast<std::uint32_t>(col[e]), v[e] * d[i]}; });
  const Part<T>* const all = detail::sorted_by_rows(parts, parts + x.n, x.n, matrix.columns());
  std::int64_t count = x.n > 0;
  for (std::int64_t e = 1; e < x.n; ++e) count += all[e].row != all[e - 1].row;
  const Tensor rows = empty({count}, DType::i64), sums = empty(shape.with(0, count), matrix.values().dtype());
  auto* row = data_of<std::int64_t>(rows);
  T *to = data_of<T>(sums), sum = 0;
  for (std::int64_t e = 0; e < x.n; ++e) {
    sum += all[e].g;
    if (e + 1 < x.n && all[e + 1].row == all[e].row) [[unlikely]]
      continue;
    *row++ = all[e].row;
    *to++ = std::exchange(sum, T(0));
  }
  dx.add_rows(0, rows, sums);
}

/// What the gradient for w is owed.
void add_to_w(const CsrMatrix& x, const Tensor& d, Inputs& dx) {
  const std::int64_t k = width_of(d), height = x.columns();
  const bool few = detail::few_rows(x.col(), height);
  dispatch(d, [&]<class T>(T*) {
    const T* from = data_of<T>(d);
    if (few && k == 1 && x.nnz() <= height / 4 && height <= UINT32_MAX) return add_by_rows(x, dx.shape(0), from, dx);
    const detail::RowSums to(dx, x.col(), d.dtype(), few);
    add_transposed(Csr<T>(x), from, data_of<std::int64_t>(to.place), data_of<T>(to.sums), k);
    to.add_to(dx);
  });
}

Tensor transposed_product(const CsrMatrix& x, const Tensor& d);
Tensor sampled_product(const CsrMatrix& x, const Tensor& a, const Tensor& b);

/// x w, of operands that fit.
Tensor product(const CsrMatrix& x, const Tensor& w) {
  const std::int64_t k = width_of(w);
  const Tensor y = empty(w.shape().with(0, x.rows()), w.dtype());
  dispatch(w, [&]<class T>(T*) {
    const Csr<T> from(x);
    const T* table = data_of<T>(w);
    T* to = data_of<T>(y);
    const std::int64_t work = from.n * k / std::max<std::int64_t>(x.rows(), 1) + 1;  // of a row
    parallel_for(x.rows(), std::max<std::int64_t>((std::int64_t{1} << 14) / work, 1), [&](std::int64_t begin, std::int64_t end) {
      k == 1 ? vector_product(from, table, to, begin, end) : matrix_product(from, table, to, k, begin, end);
    });
  });
  return record("matmul", y, {w, x.values()}, [x = SavedCsr(x, w), w = saved_for(x.values(), w)](const Tensor& dy, Inputs& dx) {
    const CsrMatrix all = x.get();
    if (dx.wants(1)) dx.add(1, sampled_product(all, dy, w.get()));
    if (!dx.wants(0)) return;
    if (dx.recorded()) return dx.add(0, transposed_product(all, dy));
    add_to_w(all, dy, dx);
  });
}

/// x^T d.
Tensor transposed_product(const CsrMatrix& x, const Tensor& d) {
  const Tensor y = zeros(d.shape().with(0, x.columns()), d.dtype());
  dispatch(d, [&]<class T>(T*) { add_transposed(Csr<T>(x), data_of<T>(d), data_of<std::int64_t>(x.col()), data_of<T>(y), width_of(d)); });
  return record("matmul", y, {d, x.values()}, [x = SavedCsr(x, d), d = saved_for(x.values(), d)](const Tensor& dy, Inputs& dx) {
    const CsrMatrix all = x.get();
    if (dx.wants(0)) dx.add(0, product(all, dy));
    if (dx.wants(1)) dx.add(1, sampled_product(all, d.get(), dy));
  });
}

/// (a b^T)[i, c] where x has a value, for a row of `a` for each row of x, and a row of b for each column.
Tensor sampled_product(const CsrMatrix& x, const Tensor& a, const Tensor& b) {
  const Tensor y = empty({x.nnz()}, a.dtype());
  dispatch(a, [&]<class T>(T*) {
    const std::int64_t k = width_of(a);
    const T *left = data_of<T>(a), *right = data_of<T>(b);
    T* to = data_of<T>(y);
    const auto* col = data_of<std::int64_t>(x.col());
    Csr<T>(x).each([=](std::int64_t i, std::int64_t e) {
      T sum = 0;
      for (std::int64_t j = 0; j < k; ++j) sum += left[i * k + j] * right[col[e] * k + j];
      to[e] = sum;
    });
  });
  return record("matmul", y, {a, b}, [x, a = saved_for(b, a), b = saved_for(a, b)](const Tensor& dy, Inputs& dx) {
    const CsrMatrix d = CsrMatrix::known(x.crow(), x.col(), dy, x.rows(), x.columns());
    if (dx.wants(0)) dx.add(0, product(d, b.get()));
    if (dx.wants(1)) dx.add(1, transposed_product(d, a.get()));
  });
}

}  // namespace

Tensor matmul(const CsrMatrix& x, const Tensor& w) {
  kernels::require_floating("matmul", w);
  kernels::require_same_dtype("matmul", x.values(), w);
  if (w.dim() < 1 || w.dim() > 2) fail<ShapeError>("matmul", "w must be [columns, k] or [columns]: ", w.shape());
  if (w.size(0) != x.columns()) fail<ShapeError>("matmul", "inner dimensions must agree: ", x.shape(), " x ", w.shape());
  return product(x, w);
}

}  // namespace capstan
