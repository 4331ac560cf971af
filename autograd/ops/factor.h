#pragma once
#include <capstan/core/tensor.h>

#include <optional>

// Factorisations and least squares by LAPACK, f32 and f64. Matrices are the last two axes; axes before them hold many, which are done
// one by one. What holds for all operations: autograd/ops.h.
namespace capstan {

/// Two factors.
struct QR {
  Tensor q, r;
};
/// a = q r for a [..., m, n] and p = min(m, n): q [..., m, p] with orthonormal columns, r [..., p, n] upper triangular, signs as
/// LAPACK gives them. For m >= n and r invertible da = (dq + q c) r^-T. The symmetric c has the lower triangle of
/// r dr^T - dq^T q. Otherwise gradients() throws ValueError. Source: Walter & Lehmann, "Algorithmic differentiation of linear algebra
/// functions", 2018, section 4.
QR qr(const Tensor& a);

/// Eigenvalues in ascending order, and their vectors as columns.
struct Eigh {
  Tensor values, vectors;
};
/// a = v diag(w) v^T for a symmetric a, of which the lower triangle alone is read (UPLO = 'L' of NumPy and PyTorch). da = v (diag(dw) +
/// (v^T dv) * f) v^T, made symmetric, with f[i][j] = 1 / (w[j] - w[i]) and 0 on the diagonal: infinite for the vectors of equal
/// eigenvalues. A vector's sign is LAPACK's; let nothing depend on it. Throws NotFiniteError unless that triangle is finite.
Eigh eigh(const Tensor& a);

/// What a least-squares problem has to say.
struct Lstsq {
  Tensor solution;         // [..., n, k], or [n] for a vector b
  Tensor residuals;        // |a y - b|^2 of each column: [..., k], or []; also where NumPy leaves it out
  Tensor rank;             // of a, i64: [...]
  Tensor singular_values;  // of a, descending: [..., min(m, n)]; no gradient
};
/// The y that minimises |a y - b|, and of many the one of least norm, by singular values (LAPACK's gelsd). It takes a of [..., m, n].
/// `b` is [m], or [..., m, k] with the same axes before. Singular values up to rcond times the largest count as 0; the rank says how many
/// do not. Without rcond it is max(m, n) eps, as in NumPy and PyTorch. A polynomial of high degree wants less, down to 0, or columns of
/// like size. For full column rank with z = (a^T a)^-1 dy, by a's QR, db = a z and da = (b - a y) z^T - a z y^T. Otherwise gradients()
/// throws ValueError. The residuals have the gradient that follows. Throws: ShapeError; NotFiniteError unless all elements are finite;
/// ValueError unless 0 <= rcond < 1, and for one that f32 takes for 0.
///
///     const auto [w, residuals, rank, singular_values] = lstsq(x, y, 1e-17);
Lstsq lstsq(const Tensor& a, const Tensor& b, std::optional<double> rcond = {});

}  // namespace capstan
