#include <capstan/core/blas.h>

#include <capstan/core/pool.h>
#include <capstan/core/threads.h>

#define HAVE_CBLAS 1
#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>
#include <xtensor-blas/xblas.hpp>

// OpenBLAS's own; weak, so that another BLAS can be linked.
extern "C" {
[[gnu::weak]] void openblas_set_num_threads(int);
[[gnu::weak]] int openblas_get_num_threads(void);
}

namespace capstan {

namespace {

// What OpenBLAS was set to before the first product; 0 while it is as its owner left it.
std::mutex blas_mutex;
int blas_threads_before = 0;
std::atomic<bool> blas_is_ours{false};

void take_blas() {
  if (blas_is_ours.load(std::memory_order_acquire)) [[likely]]
    return;
  const std::lock_guard lock(blas_mutex);
  if (blas_is_ours.load()) return;
  if (openblas_get_num_threads && openblas_set_num_threads) {
    blas_threads_before = openblas_get_num_threads();
    openblas_set_num_threads(1);
  }
  blas_is_ours.store(true, std::memory_order_release);
}

// A large product is cut into an even number of strips of columns, each a call of its own that a thread can take. How many
// depends on the sizes alone, so that the bits are the same for any number of threads.
std::int64_t strip_width(std::int64_t m, std::int64_t n, std::int64_t k) {
  constexpr std::int64_t worth_a_thread = std::int64_t{1} << 23;  // multiply-adds: about 0.2 ms
  if (n < 256 || m * n * k < 2 * worth_a_thread) return n;
  const std::int64_t strips = 2 * std::max<std::int64_t>(1, n / 512);
  return ((n + strips - 1) / strips + 15) / 16 * 16;
}

template <class T>
void blas_product(std::int64_t m, std::int64_t n, std::int64_t k, const kernels::Operand<T>& a, const kernels::Operand<T>& b, T* c,
                  const T* bias, bool accumulate) {
  take_blas();
  const bool transpose_a = a.column != 1, transpose_b = b.column != 1;
  parallel_for(n, strip_width(m, n, k), [&](std::int64_t begin, std::int64_t end) {
    if (bias)
      for (std::int64_t i = 0; i < m; ++i) std::memcpy(c + i * n + begin, bias + begin, static_cast<std::size_t>(end - begin) * sizeof(T));
    using Index = BLAS_IDX;
    const auto index = [](std::int64_t i) { return static_cast<Index>(i); };
    cxxblas::gemm<Index>(cxxblas::RowMajor, transpose_a ? cxxblas::Trans : cxxblas::NoTrans,
                         transpose_b ? cxxblas::Trans : cxxblas::NoTrans, index(m), index(end - begin), index(k), T(1), a.data,
                         index(transpose_a ? m : k), b.data + begin * b.column, index(transpose_b ? k : n),
                         accumulate || bias ? T(1) : T(0), c + begin, index(n));
  });
}

// Below this m n k a kernel of ours is faster than OpenBLAS 0.3.21 (measured: benchmarks/product.cpp).
constexpr std::int64_t blas_from = std::int64_t{64} * 64 * 64;

}  // namespace

namespace kernels {

template <class T>
void product_of_matrices(std::int64_t m, std::int64_t n, std::int64_t k, const Operand<T>& a, const Operand<T>& b, T* c, const T* bias,
                         bool accumulate) {
  if (m == 0 || n == 0) return;
  if (m * n * k >= blas_from && m > 16 && n > 16) return blas_product(m, n, k, a, b, c, bias, accumulate);
  const Table<T>& t = table<T>();
  const std::size_t bytes = static_cast<std::size_t>(t.gemm_scratch(m, n, k)) * sizeof(T);
  const int size_class = capstan::detail::size_class_of(bytes);
  void* scratch = capstan::detail::pool_get(size_class, bytes);
  t.gemm(m, n, k, a, b, c, bias, accumulate, static_cast<T*>(scratch));
  capstan::detail::pool_put(scratch, size_class);
}

template void product_of_matrices(std::int64_t, std::int64_t, std::int64_t, const Operand<float>&, const Operand<float>&, float*,
                                  const float*, bool);
template void product_of_matrices(std::int64_t, std::int64_t, std::int64_t, const Operand<double>&, const Operand<double>&, double*,
                                  const double*, bool);

void prepare_blas() { take_blas(); }

}  // namespace kernels

void restore_blas_threads() {
  const std::lock_guard lock(blas_mutex);
  if (!blas_is_ours.load()) return;
  if (openblas_set_num_threads && blas_threads_before > 0) openblas_set_num_threads(blas_threads_before);
  blas_is_ours.store(false, std::memory_order_release);
}

}  // namespace capstan
