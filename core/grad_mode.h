#pragma once
#include <cstdint>

// Private: the one fact about tapes that core needs, for in-place changes and for views.
namespace capstan::detail {

/// The serial of the tape that records this thread's operations; 0 when none does. Written by autograd alone.
extern constinit thread_local std::uint64_t running_tape;

}  // namespace capstan::detail
