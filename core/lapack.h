#pragma once
#include <capstan/core/product.h>

#include <cstdint>

// Private: factorisations by LAPACK, for row-major matrices of float and double with at least one row and column.
namespace capstan::kernels {

/// x[n, k] with a x = b, or a^T x = b; false when a is singular. Both go by one factorisation, that of determinant(), whose value
/// and sign are then 0 or NaN: what could be solved can be differentiated.
template <class T>
bool lu_solve(std::int64_t n, std::int64_t k, const T* a, bool transpose_a, const T* b, T* x);

/// x[n, k] with l x = b, or l^T x = b, for a lower triangular l whose diagonal has no 0; what lies above it is not read. May
/// overflow, and is never refused: LU's interchanges of rows can leave a 0 where l has none.
template <class T>
void lower_solve(std::int64_t n, std::int64_t k, const T* l, bool transpose_l, const T* b, T* x);

/// The determinant, which neither overflows nor vanishes on the way, its sign (1, -1 or 0), and the logarithm of its magnitude.
template <class T>
struct Determinant {
  Product<T> product;
  T sign, log;
};
template <class T>
Determinant<T> determinant(std::int64_t n, const T* a);

/// The lower l[n, n] with l l^T = a, of which the lower triangle is read; false when a is not positive definite.
template <class T>
bool cholesky(std::int64_t n, const T* a, T* l);

/// q[m, p] r[p, n] = a[m, n] for p = min(m, n), with orthonormal columns of q and r upper triangular.
template <class T>
void qr(std::int64_t m, std::int64_t n, const T* a, T* q, T* r);

/// The eigenvalues of a symmetric a in ascending order, and their vectors as columns; a's lower triangle is read.
/// False when an element is not finite or the iteration does not converge.
template <class T>
bool eigh(std::int64_t n, const T* a, T* values, T* vectors);

/// The x[n, k] of least norm that minimises |a x - b| for a[m, n] and b[m, k], and a's min(m, n) singular values, descending.
/// Those up to rcond times the largest count as 0. Gives the rank, or -1 when an element is not finite or the iteration does
/// not converge.
template <class T>
std::int64_t least_squares(std::int64_t m, std::int64_t n, std::int64_t k, const T* a, const T* b, double rcond, T* x, T* singular);

}  // namespace capstan::kernels
