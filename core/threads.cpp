#include <capstan/core/threads.h>

#include <capstan/core/text.h>

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace capstan {

namespace {

int available_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

void pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

constinit thread_local bool inside_piece = false;

/// One call of parallel_for: threads claim pieces by a counter; who finishes the last piece lets the caller go.
struct Job {
  using Call = void (*)(const void*, std::int64_t, std::int64_t);
  Job(Call c, const void* b, std::int64_t size, std::int64_t piece)
      : call(c), body(b), n(size), grain(piece), pieces((size + piece - 1) / piece) {}

  Call call;
  const void* body;
  std::int64_t n, grain, pieces;
  std::atomic<std::int64_t> next{0}, done{0};
  std::atomic<int> helpers{0};  // pool threads that hold a pointer to this job
  std::mutex mutex;
  std::exception_ptr error;

  void work() {
    inside_piece = true;
    for (std::int64_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < pieces;) {
      try {
        call(body, i * grain, std::min(n, (i + 1) * grain));
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!error) error = std::current_exception();
      }
      done.fetch_add(1, std::memory_order_release);
    }
    inside_piece = false;
  }
};

class ThreadPool {
 public:
  ~ThreadPool() { resize(1); }

  int size() const { return size_.load(std::memory_order_relaxed); }

  void resize(int n) {
    const std::lock_guard turn(turn_);
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
      epoch_.fetch_add(1);
    }
    wake_.notify_all();
    for (std::thread& t : threads_) t.join();
    threads_.clear();
    stop_ = false;
    size_ = n;
  }

  void run(Job& job) {
    std::unique_lock turn(turn_, std::try_to_lock);
    if (!turn || size() == 1 || inside_piece) return job.work();
    if (threads_.empty())
      for (int i = 1; i < size(); ++i) threads_.emplace_back([this, seen = epoch_.load()] { serve(seen); });
    {
      const std::lock_guard lock(mutex_);
      job_ = &job;
      epoch_.fetch_add(1, std::memory_order_release);
    }
    if (sleeping_.load() > 0) wake_.notify_all();
    job.work();
    while (job.done.load(std::memory_order_acquire) < job.pieces) pause();
    {
      const std::lock_guard lock(mutex_);
      job_ = nullptr;
    }
    while (job.helpers.load(std::memory_order_acquire) > 0) pause();
  }

 private:
  void serve(std::uint64_t seen) {
    for (;;) {
      // Steps of a training loop follow one another within microseconds: waiting awake for a moment spares the wake-up.
      for (int spin = 0; spin < 4000 && epoch_.load(std::memory_order_acquire) == seen; ++spin) pause();
      Job* job;
      {
        std::unique_lock lock(mutex_);
        ++sleeping_;
        wake_.wait(lock, [&] { return epoch_.load() != seen; });
        --sleeping_;
        seen = epoch_.load();
        if (stop_) return;
        job = job_;
        if (job) job->helpers.fetch_add(1);
      }
      if (!job) continue;
      job->work();
      job->helpers.fetch_sub(1, std::memory_order_release);
    }
  }

  std::atomic<int> size_{available_cpus()};
  std::mutex turn_;  // one parallel_for at a time; another thread's runs serially meanwhile
  std::mutex mutex_;
  std::condition_variable wake_;
  std::atomic<std::uint64_t> epoch_{0};
  std::atomic<int> sleeping_{0};
  bool stop_ = false;
  Job* job_ = nullptr;
  std::vector<std::thread> threads_;
};

ThreadPool& pool() {
  static ThreadPool p;
  return p;
}

}  // namespace

void set_num_threads(int n) {
  if (n < 1 || n > 256) detail::fail<ValueError>("set_num_threads", "the number of threads must be from 1 to 256: ", n);
  if (inside_piece) detail::fail<ValueError>("set_num_threads", "the number of threads cannot change inside parallel_for: ", n);
  pool().resize(n);
}

int num_threads() { return pool().size(); }

void detail::parallel_run(std::int64_t n, std::int64_t grain, void (*call)(const void*, std::int64_t, std::int64_t), const void* body) {
  if (grain < 1) fail<ValueError>("parallel_for", "the grain must be positive: ", grain);
  if (inside_piece || num_threads() == 1) {  // the pieces stay the same, so that the bits do
    for (std::int64_t begin = 0; begin < n; begin += grain) call(body, begin, std::min(n, begin + grain));
    return;
  }
  Job job(call, body, n, grain);
  pool().run(job);
  if (job.error) std::rethrow_exception(job.error);
}

}  // namespace capstan
