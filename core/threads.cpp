#include <capstan/core/threads.h>

#include <capstan/core/text.h>

#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <mutex>
#include <new>
#include <thread>
#include <utility>
#include <vector>

// The thread pool behind parallel_for(). The caller hangs up a job, works at it itself, and waits for the pieces that others have
// begun. Threads look out for the next job for a moment before they sleep.

namespace capstan {

namespace {

constexpr int most_threads = 256;

int available_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::clamp(CPU_COUNT(&set), 1, most_threads);
  return std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, most_threads);
}

int first_size() {
  const char* wish = std::getenv("CAPSTAN_NUM_THREADS");
  if (!wish || !*wish) return available_cpus();
  int n = 0;
  const char* const end = wish + std::strlen(wish);
  if (const auto [rest, error] = std::from_chars(wish, end, n); error != std::errc() || rest != end || n < 1 || n > most_threads)
    detail::fail<ValueError>("CAPSTAN_NUM_THREADS", "must be a whole number from 1 to 256: '", wish, "'");
  return n;
}

/// Waits awake for a moment until done(): steps of a training loop follow one another within microseconds, and a thread that
/// sleeps takes longer to wake.
template <class Done>
void spin_until(Done done) {
  for (int spin = 0; spin < 4000 && !done(); ++spin) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
  }
}

constinit thread_local bool inside_piece = false;

class ThreadPool;
ThreadPool& pool();

struct PieceScope {
  PieceScope() { inside_piece = true; }
  ~PieceScope() { inside_piece = false; }
  PieceScope(const PieceScope&) = delete;
  PieceScope& operator=(const PieceScope&) = delete;
};

/// One call of parallel_for.
struct Job {
  void (*call)(const void*, std::int64_t, std::int64_t);
  const void* body;
  std::int64_t n, grain;

  std::int64_t pieces() const { return n / grain + (n % grain != 0); }
  void piece(std::int64_t i) const { call(body, i * grain, grain < n - i * grain ? (i + 1) * grain : n); }
  void serially() const {
    for (std::int64_t i = 0, count = pieces(); i < count; ++i) piece(i);
  }
};

/// Threads claim the job's pieces one by one. The caller waits for pieces that are claimed, never for a thread: one that comes
/// late, or is not given a processor before it has claimed one, finds none left, or claims one of a later job. So what threads
/// share is the pool's and not a job's, and no lock is held that another needs to get on. Never destroyed: exit() may be called from
/// inside a piece, or by a signal handler while the caller waits, and must not wait for a thread.
class ThreadPool {
 public:
  int size() const { return size_.load(std::memory_order_relaxed); }

  void resize(int n) {
    const std::lock_guard turn(turn_);
    stop_.store(true);
    epoch_.fetch_add(1);
    epoch_.notify_all();
    for (std::thread& t : threads_) t.join();
    threads_.clear();
    stop_.store(false);
    size_ = n;
  }

  void run(const Job& job) {
    const std::unique_lock turn(turn_, std::try_to_lock);
    if (!turn || size() == 1) {
      const PieceScope inside;
      return job.serially();
    }
    if (threads_.empty()) start();
    job_ = job;
    unfinished_.store(job.pieces(), std::memory_order_relaxed);
    unclaimed_.store(job.pieces(), std::memory_order_release);
    epoch_.fetch_add(1);
    epoch_.notify_all();
    work();
    // Asleep it leaves its processor to a thread that was taken off another in the middle of a piece.
    spin_until([this] { return unfinished_.load(std::memory_order_acquire) == 0; });
    while (const std::int64_t left = unfinished_.load(std::memory_order_acquire)) unfinished_.wait(left, std::memory_order_acquire);
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  }

  /// In the child of a fork(), where the pool's threads are not: a later call starts others. What another thread of the parent
  /// was at is dropped. In the middle of a piece there is nothing to save: see parallel_for.
  void forget_threads() {
    if (inside_piece) return;
    if (!lost_) lost_ = new std::vector<std::vector<std::thread>>;
    lost_->push_back(std::move(threads_));  // neither joined nor ended: there is nothing behind them
    new (&threads_) std::vector<std::thread>();
    new (&turn_) std::mutex();
    new (&error_mutex_) std::mutex();
    new (&error_) std::exception_ptr();
    stop_.store(false);
    unclaimed_.store(0);
    unfinished_.store(0);
  }

 private:
  /// Where the system gives no more threads, those that there are do the work: the caller alone can.
  void start() noexcept {
    stay_loaded();
    try {
      for (int i = 1; i < size(); ++i) threads_.emplace_back([this, seen = epoch_.load()] { serve(seen); });
    } catch (const std::exception&) {
    }
  }

  /// The shared object that this code lies in stays in memory after a dlclose(): threads may be in it.
  static void stay_loaded() noexcept {
    Dl_info here;
    if (::dladdr(reinterpret_cast<void*>(&pool), &here) && here.dli_fname)
      ::dlopen(here.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
  }

  void work() {
    const PieceScope inside;
    for (std::int64_t left = unclaimed_.load(std::memory_order_relaxed); left > 0;) {
      if (!unclaimed_.compare_exchange_weak(left, left - 1, std::memory_order_acquire, std::memory_order_relaxed)) continue;
      const Job job = job_;  // stays until the claimed piece is finished
      try {
        job.piece(job.pieces() - left);
      } catch (...) {
        const std::lock_guard lock(error_mutex_);
        if (!error_) error_ = std::current_exception();
      }
      if (unfinished_.fetch_sub(1) == 1) unfinished_.notify_one();
      left = unclaimed_.load(std::memory_order_relaxed);
    }
  }

  void serve(std::uint32_t seen) {
    for (;;) {
      spin_until([&] { return epoch_.load(std::memory_order_acquire) != seen; });
      epoch_.wait(seen);
      seen = epoch_.load();
      if (stop_.load()) return;
      work();
    }
  }

  static inline std::vector<std::vector<std::thread>>* lost_ = nullptr;

  std::atomic<int> size_{first_size()};
  std::mutex turn_;  // one parallel_for at a time; another thread's runs serially meanwhile
  std::vector<std::thread> threads_;
  std::atomic<bool> stop_{false};
  std::atomic<std::uint32_t> epoch_{0};  // changes with each job, and when the threads shall end
  Job job_{};
  std::atomic<std::int64_t> unclaimed_{0}, unfinished_{0};  // pieces of job_
  std::mutex error_mutex_;
  std::exception_ptr error_;
};

ThreadPool& pool() {
  static ThreadPool* const p = [] {
    auto* const made = new ThreadPool;
    pthread_atfork(nullptr, nullptr, [] { pool().forget_threads(); });
    return made;
  }();
  return *p;
}

}  // namespace

void set_num_threads(int n) {
  if (n < 1 || n > most_threads) detail::fail<ValueError>("set_num_threads", "the number of threads must be from 1 to 256: ", n);
  if (inside_piece) detail::fail<ValueError>("set_num_threads", "the number of threads cannot change inside parallel_for: ", n);
  pool().resize(n);
}

int num_threads() { return pool().size(); }

void detail::parallel_run(std::int64_t n, std::int64_t grain, void (*call)(const void*, std::int64_t, std::int64_t), const void* body) {
  if (grain < 1) fail<ValueError>("parallel_for", "the grain must be positive: ", grain);
  const Job job{call, body, n, grain};
  if (inside_piece || num_threads() == 1) return job.serially();  // the pieces stay the same, so that the bits do
  pool().run(job);
}

}  // namespace capstan
