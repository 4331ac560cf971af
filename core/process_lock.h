#pragma once
#include <csignal>
#include <mutex>

// Private: the locks of what all threads of the process share.
namespace capstan::detail {

/// Holds a lock whose owner may be interrupted by a signal handler that calls exit(). Destructors of static tensors then come
/// here on the same thread. They find taken() false, and leave alone what is half done.
class ProcessLock {
 public:
  /// `held`: a thread_local of the lock's own.
  ProcessLock(std::mutex& mutex, volatile std::sig_atomic_t& held) noexcept : mutex_(mutex), held_(held), taken_(held == 0) {
    if (!taken_) return;
    held_ = 1;
    mutex_.lock();
  }
  ~ProcessLock() {
    if (!taken_) return;
    mutex_.unlock();
    held_ = 0;
  }
  ProcessLock(const ProcessLock&) = delete;
  ProcessLock& operator=(const ProcessLock&) = delete;

  bool taken() const noexcept { return taken_; }

 private:
  std::mutex& mutex_;
  volatile std::sig_atomic_t& held_;
  const bool taken_;
};

}  // namespace capstan::detail
