#include <capstan/autograd/ops/algebra.h>

#include <capstan/autograd/ops.h>
#include <capstan/autograd/record.h>
#include <capstan/core/compute.h>
#include <capstan/core/create.h>
#include <capstan/core/lapack.h>
#include <capstan/core/text.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

// Matrix by matrix through core/lapack.h. Rules are written in operations (solve, matmul), so that they have gradients themselves;
// det() has a faster one besides.
namespace capstan {

using detail::fail;
using kernels::data_of;
using kernels::dispatch;

namespace {

/// How many square matrices a holds, of what size; Shape of the axes before them.
struct Squares {
  std::int64_t count, n;
  Shape batch;
};

Squares squares_of(const char* op, const Tensor& a) {
  kernels::require_floating(op, a);
  if (a.dim() < 2 || a.size(-1) != a.size(-2)) fail<ShapeError>(op, "the matrix must be square: ", a.shape());
  const Shape batch(a.shape().begin(), a.dim() - 2);
  return {batch.numel(), a.size(-1), batch};
}

void require_vectors(const char* op, const Tensor& a, const Tensor& b) {
  kernels::require_floating(op, a);
  kernels::require_same_dtype(op, a, b);
  if (a.dim() != 1 || b.dim() != 1) fail<ShapeError>(op, "takes two vectors: ", a.shape(), " and ", b.shape());
}

/// What is known of a matrix.
enum class Form { general, lower_triangular };

/// a^-1 b or a^-T b, matrix by matrix.
Tensor solved(const char* op, const Tensor& a, const Tensor& b, bool transpose_a, Form form = Form::general) {
  Tensor y = empty_like(b);
  if (b.numel() == 0) return y;
  const std::int64_t n = a.size(-1), count = a.numel() / (n * n), k = b.numel() / (count * n);
  dispatch(a, [&]<class T>(T*) {
    for (std::int64_t i = 0; i < count; ++i)
      if (form == Form::lower_triangular)
        kernels::lower_solve(n, k, data_of<T>(a) + i * n * n, transpose_a, data_of<T>(b) + i * n * k, data_of<T>(y) + i * n * k);
      else if (!kernels::lu_solve(n, k, data_of<T>(a) + i * n * n, transpose_a, data_of<T>(b) + i * n * k, data_of<T>(y) + i * n * k))
        fail<ValueError>(op, "the matrix must be invertible: ", a.shape(), ", matrix ", i);
  });
  return y;
}

/// One identity for each matrix of a.
Tensor identities(const Tensor& a) { return expand(eye(a.size(-1), a.dtype()), a.shape()); }

/// [...] as [..., 1, 1], to stand beside matrices.
Tensor beside_matrices(const Tensor& t) { return unsqueeze(unsqueeze(t, -1), -1); }

/// The cofactors of one matrix: d det a / da, also for a singular a.
template <class T>
void cofactors(std::int64_t n, const T* a, T* c) {
  std::vector<T> minor(static_cast<std::size_t>((n - 1) * (n - 1)));
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < n; ++j) {
      std::size_t at = 0;
      for (std::int64_t p = 0; p < n; ++p)
        for (std::int64_t q = 0; q < n; ++q)
          if (p != i && q != j) minor[at++] = a[p * n + q];
      const T d = n > 1 ? kernels::determinant(n - 1, minor.data()).product.value() : T(1);
      c[i * n + j] = (i + j) % 2 ? -d : d;
    }
}

/// The same in operations, so that they can be differentiated; n^2 determinants.
Tensor recorded_cofactors(const Tensor& a) {
  const std::int64_t n = a.size(-1);
  std::vector<Tensor> list, others;  // others[i]: the indices without i
  for (std::int64_t i = 0; i < n; ++i) {
    std::vector<std::int64_t> kept;
    for (std::int64_t j = 0; j < n; ++j)
      if (j != i) kept.push_back(j);
    others.push_back(tensor(kept));
  }
  for (std::int64_t i = 0; i < n; ++i) {
    const Tensor row = index_select(a, -2, others[static_cast<std::size_t>(i)]);
    for (std::int64_t j = 0; j < n; ++j) {
      const Tensor d = det(index_select(row, -1, others[static_cast<std::size_t>(j)]));
      list.push_back((i + j) % 2 ? -d : d);
    }
  }
  return reshape(stack(list, -1), a.shape());
}

/// Powers of two for matrices whose determinants left the range: those of a * rows do not, and times both of `back` their slopes are a's.
/// All are [..., n, 1]; `known` is false when a determinant is 0 indeed, or not finite.
struct Levels {
  Tensor rows, back[2];
  bool known = true;
};

template <class T>
constexpr std::int64_t most_exponent = std::numeric_limits<T>::max_exponent - 1;

/// 2^e, for an e beyond the range the end that lies there.
template <class T>
T power_of_two(std::int64_t e) {
  return std::ldexp(T(1), static_cast<int>(std::clamp(e, -most_exponent<T>, most_exponent<T>)));
}

template <class T>
void level(std::int64_t n, const T* a, Levels& l, std::int64_t first_row) {
  const kernels::Product<T> whole = kernels::determinant(n, a).product;
  l.known = l.known && whole.mantissa != 0 && std::isfinite(whole.mantissa);
  const auto share = [&](std::int64_t row) {  // of the exponent that is to be got rid of
    return std::clamp((whole.exponent * row) / n - (whole.exponent * (row + 1)) / n, -most_exponent<T>, most_exponent<T>);
  };
  std::int64_t total = 0;
  for (std::int64_t i = 0; i < n; ++i) total += share(i);
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t back = share(i) - total;
    data_of<T>(l.rows)[first_row + i] = power_of_two<T>(share(i));
    data_of<T>(l.back[0])[first_row + i] = power_of_two<T>(back / 2);
    data_of<T>(l.back[1])[first_row + i] = power_of_two<T>(back - back / 2);
  }
}

Levels levels_of(const Tensor& a, const Tensor& determinants) {
  const std::int64_t n = a.size(-1);
  const Shape one_a_row = a.shape().with(-1, 1);
  Levels l{ones(one_a_row, a.dtype()), {ones(one_a_row, a.dtype()), ones(one_a_row, a.dtype())}};
  dispatch(a, [&]<class T>(T*) {
    for (std::int64_t i = 0; i < determinants.numel(); ++i)
      if (!std::isnormal(data_of<T>(determinants)[i])) level(n, data_of<T>(a) + i * n * n, l, i * n);
  });
  return l;
}

bool all_normal(const Tensor& t) {
  return dispatch(t,
                  [&]<class T>(T*) { return std::all_of(data_of<T>(t), data_of<T>(t) + t.numel(), [](T x) { return std::isnormal(x); }); });
}
template <class T>
bool all_finite(const T* x, std::int64_t n) {
  return kernels::table<T>().first_non_finite(x, n) == n;
}

/// d det a / da in operations.
Tensor recorded_det_slope(const Tensor& a, const Tensor& determinants) {
  const auto finite = [](const Tensor& t) { return dispatch(t, [&]<class T>(T*) { return all_finite(data_of<T>(t), t.numel()); }); };
  if (all_normal(determinants)) {
    const Tensor inverted = inverse(a);
    return finite(inverted) ? transpose(inverted) * beside_matrices(determinants) : recorded_cofactors(a);
  }
  const Levels l = levels_of(a, determinants);
  const Tensor levelled = a * l.rows, near_1 = det(levelled);
  if (!l.known || !all_normal(near_1)) return recorded_cofactors(a);
  return transpose(inverse(levelled)) * beside_matrices(near_1) * l.back[0] * l.back[1];
}

/// y = a^-1 b, or a^-T b; recorded. da = -db y^T, or its transpose.
Tensor recorded_solve(const char* op, const Tensor& a, const Tensor& b, bool transpose_a, Form form = Form::general) {
  const bool vector = b.dim() == 1;
  const auto rule = [op, a = saved(a), vector, transpose_a, form](const Tensor& y, const Tensor& dy, Inputs& dx) {
    const Tensor db = dx.recorded() ? recorded_solve(op, a.get(), dy, !transpose_a, form) : solved(op, a.get(), dy, !transpose_a, form);
    dx.add(1, db);
    if (!dx.wants(0)) return;
    const Tensor &left = transpose_a ? y : db, &right = transpose_a ? db : y;
    dx.add(0, vector ? outer(-left, right) : matmul(-left, right, {.transpose_b = true}));
  };
  return record(op, solved(op, a, b, transpose_a, form), {a, b}, rule);
}

}  // namespace

Tensor dot(const Tensor& a, const Tensor& b) {
  require_vectors("dot", a, b);
  if (a.size(0) != b.size(0)) fail<ShapeError>("dot", "the sizes must agree: ", a.shape(), " and ", b.shape());
  return matmul(a, b);
}

Tensor outer(const Tensor& a, const Tensor& b) {
  require_vectors("outer", a, b);
  return unsqueeze(a, 1) * unsqueeze(b, 0);
}

Tensor solve(const Tensor& a, const Tensor& b) {
  const Squares s = squares_of("solve", a);
  kernels::require_same_dtype("solve", a, b);
  const bool vector = b.dim() == 1 && a.dim() == 2;
  if (!(vector && b.size(0) == s.n) && !(b.dim() == a.dim() && b.shape().with(-1, s.n) == a.shape()))
    fail<ShapeError>("solve", "b must be [n] or [..., n, k] beside a [..., n, n]: ", b.shape(), " for ", a.shape());
  return recorded_solve("solve", a, b, false);
}

Tensor inverse(const Tensor& a) {
  squares_of("inverse", a);
  return record("inverse", solved("inverse", a, identities(a), false), {a}, [](const Tensor& y, const Tensor& dy, Inputs& dx) {
    dx.add(0, -matmul(matmul(y, dy, {.transpose_a = true}), y, {.transpose_b = true}));
  });
}

Tensor det(const Tensor& a) {
  const Squares s = squares_of("det", a);
  Tensor y = ones(s.batch, a.dtype());
  dispatch(a, [&]<class T>(T*) {
    for (std::int64_t i = 0; i < s.count && s.n > 0; ++i)
      data_of<T>(y)[i] = kernels::determinant(s.n, data_of<T>(a) + i * s.n * s.n).product.value();
  });
  return record("det", y, {a}, [a = saved(a), n = s.n](const Tensor& out, const Tensor& dy, Inputs& dx) {
    if (dx.recorded()) return dx.add(0, recorded_det_slope(a.get(), out) * beside_matrices(dy));
    Tensor c = empty_like(a.get());
    dispatch(dy, [&]<class T>(T*) {
      const Tensor one = eye(n, dy.dtype());
      for (std::int64_t i = 0; i < out.numel() && n > 0; ++i) {
        const T *matrix = data_of<T>(a.get()) + i * n * n, y_i = data_of<T>(out)[i];
        T* to = data_of<T>(c) + i * n * n;
        kernels::Product<T> whole{y_i};
        if (!std::isnormal(y_i)) whole = kernels::determinant(n, matrix).product;  // which may be known where y_i overflowed or vanished
        if (whole.mantissa == 0 || !kernels::lu_solve(n, n, matrix, true, data_of<T>(one), to) ||
            (std::isfinite(whole.mantissa) && !all_finite(to, n * n)))  // the inverse overflowed
          cofactors(n, matrix, to);
        else
          for (std::int64_t k = 0; k < n * n; ++k) to[k] = std::isnormal(y_i) ? to[k] * y_i : whole.value(to[k]);
      }
    });
    dx.add(0, c * beside_matrices(dy));
  });
}

Tensor logdet(const Tensor& a) {
  const Squares s = squares_of("logdet", a);
  Tensor y = zeros(s.batch, a.dtype());
  dispatch(a, [&]<class T>(T*) {
    for (std::int64_t i = 0; i < s.count && s.n > 0; ++i) {
      const kernels::Determinant<T> d = kernels::determinant(s.n, data_of<T>(a) + i * s.n * s.n);
      data_of<T>(y)[i] = d.sign < 0 ? std::numeric_limits<T>::quiet_NaN() : d.log;
    }
  });
  return record("logdet", y, {a}, [a = saved(a)](const Tensor& dy, Inputs& dx) {
    dx.add(0, recorded_solve("logdet", a.get(), identities(a.get()), true) * beside_matrices(dy));
  });
}

namespace {
template <class T>
bool finite_diagonal(const T* m, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i)
    if (!std::isfinite(m[i * n + i])) return false;
  return true;
}
}  // namespace

Tensor cholesky(const Tensor& a) {
  const Squares s = squares_of("cholesky", a);
  Tensor l = empty_like(a);
  dispatch(a, [&]<class T>(T*) {
    for (std::int64_t i = 0; i < s.count && s.n > 0; ++i)
      if (!kernels::cholesky(s.n, data_of<T>(a) + i * s.n * s.n, data_of<T>(l) + i * s.n * s.n) ||
          !finite_diagonal(data_of<T>(l) + i * s.n * s.n, s.n))  // OpenBLAS lets NaN pass
        fail<ValueError>("cholesky", "the matrix must be positive definite: ", a.shape(), ", matrix ", i);
  });
  return record("cholesky", l, {a}, [](const Tensor& out, const Tensor& dl, Inputs& dx) {
    const Tensor product = matmul(out, dl, {.transpose_a = true});
    const Tensor half = tril(product, -1) + 0.5 * (tril(product) - tril(product, -1));
    const auto over = [&](const Tensor& x) { return recorded_solve("cholesky", out, x, true, Form::lower_triangular); };  // l^-T x
    const Tensor both = transpose(over(transpose(over(half))));                                                           // l^-T half l^-1
    dx.add(0, 0.5 * (both + transpose(both)));
  });
}

}  // namespace capstan
