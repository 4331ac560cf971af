#include <capstan/train/stop_signal.h>

#include <capstan/core/text.h>

#include <csignal>

// Signals that a training loop looks at between two steps. A handler may do next to nothing: it keeps the signal's number. The
// handlers are one-shot, so that a loop that does not look can still be ended by the second Ctrl-C.

namespace capstan {

namespace {

volatile std::sig_atomic_t arrived_signal = 0;
bool is_there = false;

struct Handler {
  int number;
  struct sigaction before = {};
  bool installed = false;
};
Handler handlers[] = {{SIGINT}, {SIGTERM}};

extern "C" void note_signal(int number) {
  if (arrived_signal == 0) arrived_signal = number;
}

}  // namespace

StopSignal::StopSignal() {
  if (is_there) detail::fail<ValueError>("StopSignal", "one at a time: another is there (make it once, before the loop)");
  is_there = true;
  arrived_signal = 0;
  for (Handler& handler : handlers) {
    struct sigaction action = {};
    action.sa_handler = note_signal;
    action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
    sigemptyset(&action.sa_mask);
    sigaction(handler.number, nullptr, &handler.before);
    handler.installed = handler.before.sa_handler != SIG_IGN;
    if (handler.installed) sigaction(handler.number, &action, nullptr);
  }
}

StopSignal::~StopSignal() {
  for (Handler& handler : handlers)
    if (handler.installed) sigaction(handler.number, &handler.before, nullptr);
  is_there = false;
}

int StopSignal::exit_code() const noexcept { return arrived_signal == 0 ? 0 : 128 + arrived_signal; }

}  // namespace capstan
