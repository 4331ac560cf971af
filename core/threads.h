#pragma once
#include <cstdint>

namespace capstan {

/// How many threads Capstan's own pool may use, the caller among them. Starts at what the environment's CAPSTAN_NUM_THREADS
/// says, and where that is not set or empty at the number of CPUs this process may run on, at most 256. Results have the same
/// bits for any number. Throws ValueError unless 1 <= n <= 256. The variable is read once, when the pool is first asked; when
/// it is not a whole number from 1 to 256, whatever asks the pool throws ValueError: both functions here, an optimizer that is
/// made, an operation that is large enough for threads.
void set_num_threads(int n);
int num_threads();

/// Capstan sets OpenBLAS to one thread when it first calls it, for LAPACK or a product that it computes faster, because OpenBLAS
/// gives other bits with two, and puts its own pool above it. This gives OpenBLAS back the number of threads it had, until
/// Capstan's next call. An OpenBLAS with OpenMP has one thread for the length of each call only. That one, and one that is built
/// for one thread, are called by one thread at a time, for LAPACK alone: they are not safe for more (0.3.21).
void restore_blas_threads();

/// Calls body(begin, end) for pieces that cover [0, n), on the pool's threads. The pieces have `grain` elements (the last
/// one fewer) whatever the number of threads; one piece runs on the caller alone. An exception of a piece is passed on
/// after all have ended. A call from inside a piece runs serially, and so does one while another thread's is running. The call
/// waits for pieces that a thread has begun, never for a thread that has begun none. The child of a fork() starts threads of
/// its own; after a fork() from inside a piece the child may only go on to exec or _exit. exit() may be called from inside a piece
/// and by a signal handler: it waits for no thread, and destructors of static storage may compute. A shared object whose threads
/// have begun stays in memory after dlclose(). Throws ValueError unless grain > 0, and
/// does nothing for n <= 0.
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
