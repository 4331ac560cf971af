#pragma once
#include <capstan/core/kernels/table.h>

// Private: products of matrices. blas.cpp makes every call of BLAS, lapack.cpp of LAPACK.
namespace capstan::kernels {

/// product() when neither side is a vector.
template <class T>
void product_of_matrices(std::int64_t m, std::int64_t n, std::int64_t k, const Operand<T>& a, const Operand<T>& b, T* c, const T* bias,
                         bool accumulate, bool* finite = nullptr);

/// c[m, n] = (accumulate ? c : bias or 0) + a[m, k] b[k, n]. A kernel of ours or BLAS does it, whichever is faster there.
/// When `finite` is not null, it is left true only if the kernel saw that all of c is finite.
template <class T>
[[gnu::always_inline]] inline void product(std::int64_t m, std::int64_t n, std::int64_t k, const Operand<T>& a, const Operand<T>& b, T* c,
                                           const T* bias, bool accumulate, bool* finite = nullptr) {
  if ((m == 1 || n == 1) && finite) [[unlikely]]
    *finite = false;
  if (n == 1 && b.row == 1) {
    if (a.column == 1) return table<T>().gemv(m, k, a.data, a.row, b.data, c, bias, accumulate);
    if (!bias) return table<T>().gemv_transposed(k, m, a.data, a.column, b.data, c, accumulate);
  }
  if (m == 1 && a.column == 1 && b.column == 1 && !bias) return table<T>().gemv_transposed(k, n, b.data, b.row, a.data, c, accumulate);
  product_of_matrices(m, n, k, a, b, c, bias, accumulate, finite);
}

/// What every call of BLAS or LAPACK stands under: the BLAS has one thread, and one caller at a time where it cannot have more.
class BlasCall {
 public:
  BlasCall();
  ~BlasCall();
  BlasCall(const BlasCall&) = delete;
  BlasCall& operator=(const BlasCall&) = delete;

 private:
  int threads_before_ = 0;  // of OpenMP in this thread, when the BLAS has it
};

}  // namespace capstan::kernels
