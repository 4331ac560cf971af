#pragma once
#include <capstan/core/grad_mode.h>

namespace capstan {

namespace detail {
struct TapeState;
}

/// Pauses recording on this thread until the end of the scope.
class [[nodiscard]] NoGrad {
 public:
  NoGrad() noexcept : serial_(detail::running_tape) {
    if (serial_ != 0) [[unlikely]]
      pause();
  }
  ~NoGrad() {
    if ((serial_ | detail::running_tape) != 0) [[unlikely]]
      resume();
  }
  NoGrad(const NoGrad&) = delete;
  NoGrad& operator=(const NoGrad&) = delete;

 private:
  void pause() noexcept;
  void resume() noexcept;

  detail::TapeState* paused_ = nullptr;
  std::uint64_t serial_;  // of the paused tape, which may end before this scope does; 0 where none recorded
};

}  // namespace capstan
