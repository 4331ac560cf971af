#pragma once
#include <cstdint>

namespace capstan {

/// How many threads Capstan's own pool may use, the caller among them. Results have the same bits for any number.
/// Default: the environment's CAPSTAN_NUM_THREADS; else the number of CPUs that this process may run on, at most 256.
/// The variable is read once, when the pool is first asked.
/// Throws:
///   - ValueError unless 1 <= n <= 256.
///   - ValueError for a variable that is not such a number, in whatever first asks the pool: these functions, an optimizer
///     that is made, an operation that is large enough for threads.
void set_num_threads(int n);
int num_threads();

/// Gives OpenBLAS back the number of threads it had, until Capstan's next call of it. Capstan sets it to one thread when it
/// first calls it, for LAPACK or for a large product: with two OpenBLAS gives other bits. Capstan's own pool stands above it.
/// An OpenBLAS with OpenMP has one thread for the length of each call only. That one, and one that is built for one thread,
/// are not safe for several callers (0.3.21). Capstan calls them for LAPACK alone, one thread at a time.
void restore_blas_threads();

/// Calls body(begin, end) for pieces that cover [0, n), on the pool's threads. The pieces have `grain` elements (the last
/// one fewer) whatever the number of threads; one piece runs on the caller alone. An exception of a piece is passed on
/// after all have ended. A call from inside a piece runs serially, and so does one while another thread's is running.
/// The call waits for pieces that a thread has begun, never for a thread that has begun none. Does nothing for n <= 0.
///
///     parallel_for(n, 10'000, [&](std::int64_t begin, std::int64_t end) { for (auto i = begin; i < end; ++i) y[i] = f(x[i]); });
///
/// Throws ValueError unless grain > 0.
/// The child of a fork() starts threads of its own. After a fork() from inside a piece it may only go on to exec or _exit.
/// A piece and a signal handler may call exit(). It waits for no thread, and destructors of static
/// storage may compute. A shared object whose threads have begun stays in memory after dlclose().
template <class Body>
void parallel_for(std::int64_t n, std::int64_t grain, const Body& body);

namespace detail {
void parallel_run(std::int64_t n, std::int64_t grain, void (*call)(const void*, std::int64_t, std::int64_t), const void* body);
}

template <class Body>
void parallel_for(std::int64_t n, std::int64_t grain, const Body& body) {
  if (n <= grain) {
    if (n > 0) body(std::int64_t{0}, n);
    return;
  }
  detail::parallel_run(
      n, grain, [](const void* b, std::int64_t begin, std::int64_t end) { (*static_cast<const Body*>(b))(begin, end); }, &body);
}

}  // namespace capstan
