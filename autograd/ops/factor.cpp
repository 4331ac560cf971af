// Factorisations and least squares: qr, eigh, lstsq.
#include <capstan/autograd/ops.h>
#include <capstan/autograd/record.h>
#include <capstan/core/compute.h>
#include <capstan/core/create.h>
#include <capstan/core/lapack.h>
#include <capstan/core/text.h>

#include <algorithm>

namespace capstan {

using detail::fail;
using kernels::data_of;
using kernels::dispatch;

namespace {

/// x r^-T.
Tensor over_transposed(const Tensor& x, const Tensor& r) { return transpose(solve(r, transpose(x))); }

/// (dq + q c) r^-T, where c is symmetric with m's lower triangle; dq may be undefined for 0.
Tensor qr_gradient(const Tensor& q, const Tensor& r, const Tensor& dq, const Tensor& m) {
  if (q.size(-2) < r.size(-1))
    fail<ValueError>("qr", "a gradient needs at least as many rows as columns: ", q.size(-2), " rows, ", r.size(-1), " columns");
  const Tensor c = tril(m) + transpose(tril(m, -1)), qc = matmul(q, c);
  return over_transposed(dq.defined() ? dq + qc : qc, r);
}

/// v x v^T, made symmetric.
Tensor turned_back(const Tensor& v, const Tensor& x) {
  const Tensor a = matmul(matmul(v, x), v, {.transpose_b = true});
  return 0.5 * (a + transpose(a));
}

/// 1 / (w[j] - w[i]), 0 on the diagonal.
Tensor gaps(const Tensor& w) {
  const Tensor difference = unsqueeze(w, -2) - unsqueeze(w, -1);
  const Tensor diagonal = eye(w.size(-1), w.dtype());
  return where(diagonal != 0, zeros({}, w.dtype()), 1 / (difference + diagonal));
}

}  // namespace

QR qr(const Tensor& a) {
  kernels::require_floating("qr", a);
  if (a.dim() < 2) fail<ShapeError>("qr", "needs at least two axes: ", a.shape());
  const std::int64_t m = a.size(-2), n = a.size(-1), p = std::min(m, n);
  Tensor q = empty(a.shape().with(-1, p), a.dtype()), r = empty(a.shape().with(-2, p), a.dtype());
  dispatch(a, [&]<class T>(T*) {
    for (std::int64_t i = 0; a.numel() > 0 && i < a.numel() / (m * n); ++i)
      kernels::qr(m, n, data_of<T>(a) + i * m * n, data_of<T>(q) + i * m * p, data_of<T>(r) + i * p * n);
  });
  QR f;
  f.q = record("qr", q, {a}, [q = saved(q), r = saved(r)](const Tensor& dq, Inputs& dx) {
    dx.add(0, qr_gradient(q.get(), r.get(), dq, -matmul(dq, q.get(), {.transpose_a = true})));
  });
  f.r = record("qr", r, {a}, [q = saved(q), r = saved(r)](const Tensor& dr, Inputs& dx) {
    dx.add(0, qr_gradient(q.get(), r.get(), {}, matmul(r.get(), dr, {.transpose_b = true})));
  });
  return f;
}

Eigh eigh(const Tensor& a) {
  kernels::require_floating("eigh", a);
  if (a.dim() < 2 || a.size(-1) != a.size(-2)) fail<ShapeError>("eigh", "the matrix must be square: ", a.shape());
  const std::int64_t n = a.size(-1);
  Tensor w = empty(a.shape().without(-1), a.dtype()), v = empty_like(a);
  dispatch(a, [&]<class T>(T*) {
    for (std::int64_t i = 0; a.numel() > 0 && i < a.numel() / (n * n); ++i)
      if (!kernels::eigh(n, data_of<T>(a) + i * n * n, data_of<T>(w) + i * n, data_of<T>(v) + i * n * n))
        fail<NotFiniteError>("eigh", "the matrix must have finite elements: ", a.shape(), ", matrix ", i);
  });
  Eigh e;
  e.values = record("eigh", w, {a}, [v = saved(v)](const Tensor& dw, Inputs& dx) {
    const Tensor scaled = v.get() * unsqueeze(dw, -2), g = matmul(scaled, v.get(), {.transpose_b = true});
    dx.add(0, 0.5 * (g + transpose(g)));  // v diag(dw) v^T
  });
  e.vectors = record("eigh", v, {a}, [w = saved(w), v = saved(v)](const Tensor& dv, Inputs& dx) {
    dx.add(0, turned_back(v.get(), matmul(v.get(), dv, {.transpose_a = true}) * gaps(w.get())));
  });
  return e;
}

Tensor lstsq(const Tensor& a, const Tensor& b) {
  kernels::require_floating("lstsq", a);
  kernels::require_same_dtype("lstsq", a, b);
  if (a.dim() != 2 || b.dim() < 1 || b.dim() > 2 || b.size(0) != a.size(0))
    fail<ShapeError>("lstsq", "a [m, n] and b [m] or [m, k] must agree: ", a.shape(), " and ", b.shape());
  const std::int64_t m = a.size(0), n = a.size(1), k = b.dim() == 2 ? b.size(1) : 1;
  Tensor y = zeros(b.shape().with(0, n), a.dtype());
  std::int64_t rank = 0;
  dispatch(a, [&]<class T>(T*) {
    if (m > 0 && n > 0 && k > 0) rank = kernels::least_squares(m, n, k, data_of<T>(a), data_of<T>(b), data_of<T>(y));
  });
  if (rank < 0) fail<NotFiniteError>("lstsq", "the elements must be finite: ", a.shape(), " and ", b.shape());
  return record("lstsq", y, {a, b}, [a = saved(a), b = saved(b), rank, m, n, k](const Tensor& out, const Tensor& dy, Inputs& dx) {
    if (rank < n && k > 0) fail<ValueError>("lstsq", "a gradient needs full column rank: ", rank, " of ", n);
    const Shape columns{n, k}, rows{m, k};
    const Tensor y_k = reshape(out, columns), b_k = reshape(b.get(), rows);
    const Tensor z = solve(matmul(a.get(), a.get(), {.transpose_a = true}), reshape(dy, columns)), az = matmul(a.get(), z);
    if (dx.wants(1)) dx.add(1, reshape(az, dx.shape(1)));
    if (dx.wants(0)) {
      const Tensor rest = b_k - matmul(a.get(), y_k);
      dx.add(0, matmul(rest, z, {.transpose_b = true}) - matmul(az, y_k, {.transpose_b = true}));
    }
  });
}

}  // namespace capstan
