#include <capstan/core/blas.h>

#include <capstan/core/pool.h>
#include <capstan/core/threads.h>

#define HAVE_CBLAS 1
#include <dlfcn.h>
#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <functional>
#include <mutex>
#include <string_view>
#include <xtensor-blas/xblas.hpp>

// Every call of BLAS, and which products are given to it. product() of blas.h comes here for two matrices: it asks which kernel is
// faster at these sizes, cuts the product into pieces for the thread pool, and sets the BLAS to one thread around a call.

// OpenBLAS's own; weak, so that another BLAS can be linked.
extern "C" {
[[gnu::weak]] void openblas_set_num_threads(int);
[[gnu::weak]] int openblas_get_num_threads(void);
[[gnu::weak]] char* openblas_get_corename(void);
[[gnu::weak]] int openblas_get_parallel(void);
}

namespace capstan {

namespace {

// What OpenBLAS was set to before the first call; 0 while it is as its owner left it.
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

// OpenBLAS that is built for one thread, or for OpenMP, hands out its buffers without a lock: two threads that call it get each other's
// numbers (0.3.21). One with threads of its own takes any number of callers, and so does the reference BLAS.
bool takes_many_callers() {
  static const bool many = !openblas_get_parallel || openblas_get_parallel() == 1;
  return many;
}

// OpenMP's number of threads is each thread's own, and OpenBLAS with OpenMP follows it, not what it was set to before: a thread that calls
// it has one for the length of the call. Null where there is no OpenMP.
struct OpenMP {
  int (*threads)();
  void (*set_threads)(int);
};
const OpenMP& open_mp() {
  static const OpenMP found = [] {
    const bool wanted = openblas_get_parallel && openblas_get_parallel() == 2;
    const auto look_up = [&](const char* symbol) { return wanted ? ::dlsym(RTLD_DEFAULT, symbol) : nullptr; };
    return OpenMP{reinterpret_cast<int (*)()>(look_up("omp_get_max_threads")),
                  reinterpret_cast<void (*)(int)>(look_up("omp_set_num_threads"))};
  }();
  return found;
}

// Held during a call of a BLAS that takes one caller. A fork() waits for it, so that a child does not find it held by a thread that is
// not there.
std::mutex& call_mutex() {
  static std::mutex& m = [] {
    const auto unlock = [] { call_mutex().unlock(); };
    pthread_atfork([] { call_mutex().lock(); }, unlock, unlock);
    return std::ref(*new std::mutex);
  }();
  return m;
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
  const kernels::BlasCall call;
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

// Whether OpenBLAS has kernels with fused multiply-adds for this processor. One that is newer than the library gets those of the
// oldest: 0.3.21 reaches 32 GFLOP/s on an Emerald Rapids, where ours reach 160.
bool blas_knows_processor() {
  if (!openblas_get_corename) return true;
  const std::string_view name = openblas_get_corename();
  return name == "Haswell" || name == "Zen" || name == "SkylakeX" || name == "Cooperlake" || name == "SapphireRapids";
}

// Whether a kernel of ours is to be used: where it is faster than OpenBLAS 0.3.21 (measured on Zen 3 and Emerald Rapids:
// benchmarks/product.cpp). Where vectors are wide it is, unless all three matrices are much larger than the caches.
bool ours_is_faster(std::int64_t m, std::int64_t n, std::int64_t k) {
  constexpr std::int64_t blas_from = std::int64_t{64} * 64 * 64, wide_blas_beyond = std::int64_t{1} << 28;
  if (m <= 16 || n <= 16 || m * n * k < blas_from || !takes_many_callers()) return true;
  static const bool blas_is_wide = blas_knows_processor();
  return kernels::isa_level() >= 3 && (m * n * k <= wide_blas_beyond || !blas_is_wide);
}

// How many of the rows or columns of a product, `count` of them, one piece gets. The bits do not depend on it.
std::int64_t piece_of(std::int64_t count, std::int64_t multiply_adds) {
  constexpr std::int64_t worth_a_thread = std::int64_t{1} << 22;  // about 0.1 ms
  if (multiply_adds < 2 * worth_a_thread) return count;
  const std::int64_t threads = num_threads();
  if (threads == 1) return count;
  const std::int64_t pieces = std::min(multiply_adds / worth_a_thread, 2 * threads);
  return (count + 32 * pieces - 1) / (32 * pieces) * 32;
}

// Memory for a kernel, back in the pool also when no thread can be started.
struct Scratch {
  explicit Scratch(std::size_t bytes) : size_class(detail::size_class_of(bytes)), data(detail::pool_get(size_class, bytes)) {}
  ~Scratch() { detail::pool_put(data, size_class); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const int size_class;
  void* const data;
};

template <class T>
void our_product(std::int64_t m, std::int64_t n, std::int64_t k, const kernels::Operand<T>& a, const kernels::Operand<T>& b, T* c,
                 const T* bias, bool accumulate, bool* finite) {
  const kernels::Table<T>& t = kernels::table<T>();
  const bool by_columns = n >= m;
  const std::int64_t count = by_columns ? n : m, piece = piece_of(count, m * n * k);
  // One block for all pieces, by the caller: which thread takes which piece would decide whose lists run out.
  const std::int64_t each = by_columns ? t.gemm_scratch(m, piece, k) : t.gemm_scratch(piece, n, k);
  const Scratch scratch(static_cast<std::size_t>((count + piece - 1) / piece * each) * sizeof(T));
  parallel_for(count, piece, [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t row = by_columns ? 0 : begin, column = by_columns ? begin : 0, size = end - begin;
    bool sound = true;
    t.gemm(by_columns ? m : size, by_columns ? size : n, k, {a.data + row * a.row, a.row, a.column},
           {b.data + column * b.column, b.row, b.column}, c + row * n + column, n, bias ? bias + column : nullptr, accumulate,
           static_cast<T*>(scratch.data) + begin / piece * each, finite ? &sound : nullptr);
    if (!sound) __atomic_store_n(finite, false, __ATOMIC_RELAXED);
  });
}

}  // namespace

namespace kernels {

template <class T>
void product_of_matrices(std::int64_t m, std::int64_t n, std::int64_t k, const Operand<T>& a, const Operand<T>& b, T* c, const T* bias,
                         bool accumulate, bool* finite) {
  if (m == 0 || n == 0) return;
  if (ours_is_faster(m, n, k)) return our_product(m, n, k, a, b, c, bias, accumulate, finite);
  if (finite) *finite = false;
  blas_product(m, n, k, a, b, c, bias, accumulate);
}

template void product_of_matrices(std::int64_t, std::int64_t, std::int64_t, const Operand<float>&, const Operand<float>&, float*,
                                  const float*, bool, bool*);
template void product_of_matrices(std::int64_t, std::int64_t, std::int64_t, const Operand<double>&, const Operand<double>&, double*,
                                  const double*, bool, bool*);

BlasCall::BlasCall() {
  const bool many = takes_many_callers();
  if (!many) call_mutex().lock();
  if (many || !open_mp().threads || !open_mp().set_threads) {
    take_blas();
  } else {
    threads_before_ = open_mp().threads();
    open_mp().set_threads(1);
  }
}
BlasCall::~BlasCall() {
  if (takes_many_callers()) return;
  if (threads_before_ > 0) open_mp().set_threads(threads_before_);
  call_mutex().unlock();
}

}  // namespace kernels

void restore_blas_threads() {
  const std::lock_guard lock(blas_mutex);
  if (!blas_is_ours.load()) return;
  if (openblas_set_num_threads && blas_threads_before > 0) openblas_set_num_threads(blas_threads_before);
  blas_is_ours.store(false, std::memory_order_release);
}

}  // namespace capstan
