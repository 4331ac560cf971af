#pragma once
#include <cstdint>

namespace capstan::detail {

/// The serial of the tape that records this thread's operations; 0 when none does: the one fact about tapes that core
/// needs, to refuse in-place changes. Written by autograd alone.
extern constinit thread_local std::uint64_t running_tape;

}  // namespace capstan::detail
