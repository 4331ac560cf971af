#include <capstan/autograd/ops/factor.h>

#include <capstan/autograd/ops.h>
#include <capstan/autograd/ops/fold.h>
#include <capstan/autograd/record.h>
#include <capstan/core/compute.h>
#include <capstan/core/create.h>
#include <capstan/core/lapack.h>
#include <capstan/core/text.h>

#include <algorithm>
#include <limits>

// Factorisations and least squares by core/lapack.h, matrix by matrix. Their rules are written in operations.
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

/// detail::root_scales() for each matrix, as [..., 1, 1].
Tensor root_scales_of_matrices(const Tensor& a) {
  const Shape shape = a.shape().with(-1, 1).with(-2, 1);
  return kernels::view(detail::root_scales(a, {shape.numel(), a.size(-1) * a.size(-2), 1}), shape);
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
        fail<NotFiniteError>("eigh", "the lower triangle must be finite: ", a.shape(), ", matrix ", i);
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

Lstsq lstsq(const Tensor& a, const Tensor& b, std::optional<double> rcond) {
  kernels::require_floating("lstsq", a);
  kernels::require_same_dtype("lstsq", a, b);
  const bool vector = b.dim() == 1 && a.dim() == 2;
  if (a.dim() < 2 || !(vector ? b.size(0) == a.size(0) : b.dim() == a.dim() && b.shape().with(-1, a.size(-1)) == a.shape()))
    fail<ShapeError>("lstsq", "b must be [m] or [..., m, k] beside a [..., m, n]: ", b.shape(), " for ", a.shape());
  if (rcond && !(*rcond >= 0 && *rcond < 1)) fail<ValueError>("lstsq", "rcond must lie in [0, 1): ", *rcond);
  if (rcond) kernels::require_fit("lstsq", "rcond", *rcond, a.dtype());
  const std::int64_t m = a.size(-2), n = a.size(-1), k = vector ? 1 : b.size(-1), p = std::min(m, n);
  const Shape batch(a.shape().begin(), a.dim() - 2);
  const std::int64_t count = batch.numel();
  Lstsq all{zeros(vector ? Shape{n} : b.shape().with(-2, n), a.dtype()),
            {},
            zeros(batch, DType::i64),
            zeros(a.shape().without(-1).with(-1, p), a.dtype())};
  auto* ranks = data_of<std::int64_t>(all.rank);
  dispatch(a, [&]<class T>(T*) {
    const double cut = rcond ? *rcond : static_cast<double>(std::numeric_limits<T>::epsilon()) * static_cast<double>(std::max(m, n));
    for (std::int64_t i = 0; i < count && p > 0; ++i) {
      ranks[i] = kernels::least_squares(m, n, k, data_of<T>(a) + i * m * n, data_of<T>(b) + i * m * k, cut,
                                        data_of<T>(all.solution) + i * n * k, data_of<T>(all.singular_values) + i * p);
      if (ranks[i] < 0) fail<NotFiniteError>("lstsq", "the elements must be finite: ", a.shape(), " and ", b.shape(), ", matrix ", i);
    }
  });
  const std::int64_t least = count > 0 ? *std::min_element(ranks, ranks + count) : n;
  all.solution = record("lstsq", all.solution, {a, b},
                        [a = saved(a), b = saved(b), least, n, vector](const Tensor& out, const Tensor& dy, Inputs& dx) {
                          if (least < n) fail<ValueError>("lstsq", "a gradient needs full column rank: ", least, " of ", n);
                          const auto columns = [&](const Tensor& t) { return vector ? unsqueeze(t, -1) : t; };
                          // Of a scaled by a power of two: z itself goes by the square of a's size, and may vanish or overflow.
                          const Tensor root = root_scales_of_matrices(a.get());
                          const auto scaled = [&](const Tensor& t) { return t * root * root; };
                          const QR f = qr(scaled(a.get()));
                          const Tensor left = solve(transpose(f.r), columns(dy)), az = scaled(matmul(f.q, left));
                          if (dx.wants(1)) dx.add(1, vector ? squeeze(az, -1) : az);
                          if (!dx.wants(0)) return;
                          const Tensor y = columns(out), rest = scaled(columns(b.get()) - matmul(a.get(), y));
                          dx.add(0, scaled(matmul(rest, solve(f.r, left), {.transpose_b = true})) - matmul(az, y, {.transpose_b = true}));
                        });
  all.residuals = sum(square(matmul(a, all.solution) - b), vector ? -1 : -2);
  return all;
}

}  // namespace capstan
