#pragma once
#include <cstdint>

namespace capstan::detail {

/// The serial of the tape that records this thread's operations; 0 when none does. It is all that core knows of tapes, and
/// refuses in-place changes by it. Written by autograd alone.
extern constinit thread_local std::uint64_t running_tape;

}  // namespace capstan::detail
