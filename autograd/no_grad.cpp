#include <capstan/autograd/no_grad.h>

#include <capstan/autograd/tape_state.h>

namespace capstan {

void NoGrad::pause() noexcept {
  paused_ = detail::thread_tapes.current;
  detail::set_current(nullptr);
}

void NoGrad::resume() noexcept {
  detail::TapeState* open = detail::thread_tapes.innermost;
  while (open && !(open == paused_ && open->serial == serial_)) open = open->outer;
  detail::set_current(detail::unspent(open));
}

}  // namespace capstan
