#pragma once
#include <capstan/core/kernels/table.h>

// Private: products of matrices. blas.cpp makes every call of BLAS.
namespace capstan::kernels {

/// c[m, n] = (accumulate ? c : bias or 0) + a[m, k] b[k, n], by a kernel of ours or by BLAS, whichever is faster there.
template <class T>
void product(std::int64_t m, std::int64_t n, std::int64_t k, const Operand<T>& a, const Operand<T>& b, T* c, const T* bias,
             bool accumulate);

/// Sets the BLAS to one thread, as the first product does; for whatever else calls it.
void prepare_blas();

}  // namespace capstan::kernels
