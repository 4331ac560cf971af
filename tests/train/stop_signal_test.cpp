#include <capstan/train/stop_signal.h>

#include <csignal>

#include "child.h"
#include "support.h"

using capstan::StopSignal;

TEST(StopSignal, TellsWhichSignalCameFirst) {
  const StopSignal stop;
  EXPECT_FALSE(stop.arrived());
  EXPECT_EQ(stop.exit_code(), 0);
  std::raise(SIGTERM);
  std::raise(SIGINT);
  EXPECT_TRUE(stop.arrived());
  EXPECT_EQ(stop.exit_code(), 143);
}

TEST(StopSignal, BeginsAnew) {
  std::signal(SIGINT, SIG_DFL);  // a job in the background was started with it ignored
  for (const int round : {1, 2}) {
    const StopSignal stop;
    EXPECT_FALSE(stop.arrived()) << round;
    std::raise(SIGINT);
    EXPECT_EQ(stop.exit_code(), 130);
  }
}

TEST(StopSignal, TheSecondOfAKindEndsTheProcess) {
  EXPECT_EQ(in_a_child([] {
              const StopSignal stop;
              std::raise(SIGTERM);
              std::raise(SIGTERM);
              return 0;
            }),
            "signal " + std::to_string(SIGTERM));
}

TEST(StopSignal, PutsBackWhatItFound) {
  EXPECT_EQ(in_a_child([] {
              std::signal(SIGINT, [](int) { ::_exit(7); });
              { const StopSignal stop; }
              std::raise(SIGINT);
              return 0;
            }),
            "exit 7");
}

TEST(StopSignal, LeavesAnIgnoredSignalIgnored) {
  EXPECT_EQ(in_a_child([] {
              std::signal(SIGINT, SIG_IGN);
              const StopSignal stop;
              std::raise(SIGINT);
              return stop.arrived() ? 1 : 0;
            }),
            "exit 0");
}

TEST(StopSignal, IsAloneInItsProcess) {
  const StopSignal stop;
  EXPECT_EQ(thrown([] { const StopSignal second; }),
            "ValueError: [StopSignal] one at a time: another is there (make it once, before the loop)");
}
