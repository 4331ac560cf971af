#pragma once

namespace capstan {

/// Notes Ctrl-C (SIGINT) and SIGTERM instead of ending the process, so that a training loop can save and leave:
///
///   StopSignal stop;
///   for (auto [x, y] : batches) {
///     ...                                       // one step
///     if (stop.arrived()) {
///       run.save();                             // a Checkpoint
///       return stop.exit_code();                // 130 after Ctrl-C, 143 after SIGTERM, as a shell would say
///     }
///   }
///
/// The second signal of the same kind ends the process at once. A signal that was ignored before stays ignored, as SIGINT is in
/// a shell script's background. The destructor puts back the handlers that it found.
/// The library installs no handler by itself. Signal handlers belong to the process: make one StopSignal, in main's thread.
class StopSignal {
 public:
  /// Throws:
  ///   - ValueError while another StopSignal is there.
  StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;
  ~StopSignal();

  /// Whether one of the two has arrived. Costs one read of memory.
  bool arrived() const noexcept { return exit_code() != 0; }
  /// 128 + the number of the signal that came first: 130 for SIGINT, 143 for SIGTERM; 0 when none has arrived.
  int exit_code() const noexcept;
};

}  // namespace capstan
