#pragma once
#include <capstan/autograd/ops/factor.h>

// Linear algebra by LAPACK, f32 and f64. Matrices are the last two axes; axes before them hold many, which are done one by one.
// What holds for all operations: autograd/ops.h. The gradients: Giles, "An extended collection of matrix derivative results",
// 2008, where nothing else is said.
namespace capstan {

/// y = sum of a[i] b[i] for two vectors of one size (ShapeError); da = b dy, db = a dy.
Tensor dot(const Tensor& a, const Tensor& b);
/// y[i][j] = a[i] b[j] for two vectors; da = dy b, db = dy^T a.
Tensor outer(const Tensor& a, const Tensor& b);

/// y with a y = b, by LU with row exchanges, for a [..., n, n] and b [n] or [..., n, k] with the same axes before;
/// db = a^-T dy, da = -db y^T. Throws ValueError for a singular a, by its number. Weakness: a nearly singular a is solved with as
/// large an error as its condition number says.
Tensor solve(const Tensor& a, const Tensor& b);
/// y = a^-1; da = -y^T dy y^T. Throws ValueError for a singular a. To solve a system, solve() is cheaper and more accurate.
Tensor inverse(const Tensor& a);
/// y = det a, 1 for n = 0, infinite or 0 only where the whole is, not a part of the product; da = y a^-T dy, for a singular a by its n^2
/// cofactors, each a determinant; right also where y overflows or vanishes.
Tensor det(const Tensor& a);
/// y = ln det a without overflow; NaN for a negative determinant, -inf for a singular a. da = a^-T dy; gradients() throws ValueError
/// for a singular a.
Tensor logdet(const Tensor& a);
/// The lower triangular l with l l^T = a, for a symmetric positive definite a (else ValueError, by its number), of which the lower
/// triangle is read. da = (s + s^T) / 2 for s = l^-T tril(l^T dl) l^-1 with the diagonal of tril halved (Murray, "Differentiation
/// of the Cholesky decomposition", 2016, eq. 10).
Tensor cholesky(const Tensor& a);

}  // namespace capstan
