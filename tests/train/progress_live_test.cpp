#include <capstan/train/progress.h>

#include <chrono>

#include "support.h"
#include "terminal.h"

TEST(Progress, LiveLineOnATerminal) {
  const Environment locale("LC_ALL", "C.UTF-8");
  Terminal terminal(100);
  {
    Progress progress(2, 100, {.file = terminal.file()});
    train(progress, 2, 100);
  }
  terminal.close();
  EXPECT_TRUE(terminal.showed(R"(epoch 1/2 (?:━|─){30} +\d+%  loss 0\.\d{4}  0:0\d, 0:0\d left)"));
  EXPECT_TRUE(terminal.showed(R"(epoch 2/2 (?:━|─){30} +\d+%  loss 0\.\d+  accuracy 0\.\d{4}  0:0\d, 0:0\d left)"));
  ASSERT_EQ(terminal.lines.size(), 2u);
  EXPECT_TRUE(matches(terminal.lines[0], R"(epoch 2/2  loss 0\.01\d+  accuracy 0\.98\d\d  \d+\.\d\d s)")) << terminal.lines[0];
  EXPECT_EQ(terminal.lines[1], "");
  EXPECT_EQ(terminal.cursor, 0u);
}

TEST(Progress, ALiveLineStartsAtAnEpoch) {
  Terminal terminal(100);
  {
    Progress progress(3, 50, {.file = terminal.file(), .done = 1});
    train(progress, 2, 50);
  }
  terminal.close();
  EXPECT_FALSE(terminal.showed("epoch 1/3"));
  EXPECT_TRUE(terminal.showed(R"(epoch 2/3 .*%  loss 0\.\d{4}  0:0\d, 0:0\d left)"));
  ASSERT_EQ(terminal.lines.size(), 2u);
  EXPECT_TRUE(matches(terminal.lines[0], R"(epoch 3/3  loss .* s)")) << terminal.lines[0];
  // The time that is left follows from the epochs of this run alone.
  Terminal late(100);
  {
    Progress progress(1000, 50, {.file = late.file(), .done = 998});
    train(progress, 2, 50);
  }
  late.close();
  EXPECT_TRUE(late.showed(R"(epoch 1000/1000 .*  0:0\d, 0:0\d left)")) << late.raw();
}

TEST(Progress, NeverWraps) {
  for (const std::string locale : {"C", "C.UTF-8"})
    for (const int columns : {200, 80, 60, 50, 40, 30, 20, 10, 5, 2, 1}) {
      if (locale == "C" && columns % 40 != 0) continue;
      const Environment variable("LC_ALL", locale.c_str());
      Terminal terminal(columns);
      {
        Progress progress(2, 20, {.file = terminal.file()});
        train(progress, 2, 20);
      }
      terminal.close();
      EXPECT_LT(terminal.widest, static_cast<std::size_t>(columns));
      EXPECT_EQ(terminal.cursor, 0u);
      ASSERT_EQ(terminal.lines.size(), 2u) << columns;
      const std::string with_loss = R"(epoch 1/2 .*%  loss 0\.\d{4})", with_time = with_loss + R"(  0:0\d, 0:0\d left)";
      EXPECT_EQ(terminal.showed(with_loss) || terminal.showed(with_time), columns >= 30) << columns;
      EXPECT_EQ(terminal.showed(with_time), columns >= 50) << columns;
      const bool has_bar = columns == 40 || columns >= 60;  // between, the time takes its room
      EXPECT_EQ(terminal.raw().find("━") != std::string::npos, has_bar && locale == "C.UTF-8") << columns;
      EXPECT_EQ(terminal.raw().find('#') != std::string::npos, has_bar && locale == "C") << columns;
    }
}

TEST(Progress, WideNamesCountDouble) {
  Terminal terminal(35);
  {
    Progress progress(1, 20, {.file = terminal.file()});
    for (int i = 0; i < 20; ++i) {
      sleep_ms(4);
      progress.step({{"損失損失損失", 0.5}, {"x", 1}});  // 6 characters in 12 columns: does not fit beside the head
    }
  }
  terminal.close();
  EXPECT_EQ(terminal.raw().find("損"), std::string::npos);
  EXPECT_NE(terminal.raw().find("x 1.000"), std::string::npos);
}

TEST(Progress, FollowsTheTerminalsWidth) {
  const Environment locale("LC_ALL", "C");
  Terminal terminal(120);
  Progress progress(1, 1000, {.file = terminal.file()});
  progress.step({{"loss", 1}});
  terminal.resize(25);
  sleep_ms(60);
  progress.step({{"loss", 1}});
  progress.finish();
  terminal.close();
  EXPECT_TRUE(terminal.showed(R"(epoch 1/1 -{30}    0%  loss 1\.000  0:0\d, 0:0\d left)")) << terminal.raw();
  EXPECT_TRUE(terminal.showed(R"(epoch 1/1 -{8}    0%)")) << terminal.raw();
}

TEST(Progress, DrawsAtMostTwentyTimesASecond) {
  Terminal terminal(80);
  const auto begin = std::chrono::steady_clock::now();
  {
    Progress progress(51, 10000, {.file = terminal.file()});
    for (int epoch = 0; epoch < 50; ++epoch) {
      for (int step = 0; step < 10000; ++step) progress.step({{"loss", 0.5}});
      progress.end_epoch({{"loss", 0.5}});
    }
    while (std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(300)) progress.step({{"loss", 0.5}});
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  terminal.close();
  const auto draws = static_cast<double>(terminal.returns) - 1;  // the final line feed comes with a return of its own
  EXPECT_LE(draws, 20 * seconds + 3);
  EXPECT_GE(draws, 3);
}

TEST(Progress, KeepsTheLastEpochsValuesInSight) {
  Terminal terminal(120);
  {
    Progress progress(2, 2, {.file = terminal.file()});
    progress.step({{"loss", 0.75}});
    progress.end_epoch({{"accuracy", 0.5}, {"loss", 0.25}});
    sleep_ms(60);
    progress.step({{"loss", 0.125}});
  }
  terminal.close();
  EXPECT_TRUE(terminal.showed(R"(epoch 2/2 .* 50%  loss 0\.1250  accuracy 0\.5000  .*)"));
}

TEST(Progress, UnknownTotals) {
  Terminal terminal(80);
  {
    Progress progress(0, 0, {.file = terminal.file()});
    train(progress, 2, 30);
  }
  terminal.close();
  EXPECT_TRUE(terminal.showed(R"(epoch 1  step \d+  loss 0\.\d{4}  0:0\d)"));
  EXPECT_TRUE(matches(terminal.lines.at(0), R"(epoch 2  loss 0\.29\d\d  accuracy 0\.\d{4}  \d+\.\d\d s)")) << terminal.lines[0];
  EXPECT_EQ(terminal.cursor, 0u);

  Terminal steps_unknown(80);
  {
    Progress progress(4, 0, {.file = steps_unknown.file()});
    train(progress, 4, 30);
  }
  steps_unknown.close();
  EXPECT_TRUE(steps_unknown.showed(R"(epoch 3/4  step \d+  loss 0\.\d+  accuracy 0\.\d{4}  0:0\d, 0:0\d left)"));
}

TEST(Progress, MoreStepsThanSaidStayAtTheEnd) {
  Terminal terminal(80);
  {
    Progress progress(1, 10, {.file = terminal.file()});
    train(progress, 1, 50);
  }
  terminal.close();
  EXPECT_TRUE(terminal.showed(R"(epoch 1/1 .*100%.*)"));
  EXPECT_FALSE(terminal.showed(R"(epoch 1/1 .*[1-9]\d[1-9]%.*)"));
}

TEST(Progress, AnExceptionLeavesACleanLine) {
  Terminal terminal(80);
  try {
    Progress progress(5, 10, {.file = terminal.file()});
    train(progress, 2, 10);
    progress.step({{"loss", 1}});
    throw 1;
  } catch (int) {
    std::fputs("error: no\n", terminal.file());
  }
  terminal.close();
  ASSERT_EQ(terminal.lines.size(), 3u);
  EXPECT_TRUE(terminal.lines[0].starts_with("epoch 2/5  loss 0.66")) << terminal.lines[0];
  EXPECT_EQ(terminal.lines[1], "error: no");

  Terminal early(80);
  Progress(5, 10, {.file = early.file()}).step({{"loss", 1}});  // not one epoch is done
  early.close();
  ASSERT_EQ(early.lines.size(), 2u);
  EXPECT_TRUE(matches(early.lines[0], R"(epoch 1/5 .*10%  loss 1\.000  0:0\d, 0:0\d left)")) << early.lines[0];
}

TEST(Progress, TheLastEpochEndsTheLine) {
  Terminal terminal(80);
  Progress progress(1, 10, {.file = terminal.file()});
  progress.step({{"loss", 1}});
  progress.end_epoch({{"loss", 0.5}});
  std::fputs("accuracy 0.97\n", terminal.file());
  progress.finish();  // nothing is left to do
  terminal.close();
  ASSERT_EQ(terminal.lines.size(), 3u);
  EXPECT_TRUE(terminal.lines[0].starts_with("epoch 1/1  loss 0.5000  ")) << terminal.lines[0];
  EXPECT_EQ(terminal.lines[1], "accuracy 0.97");
}

TEST(Progress, ADumbTerminalGetsPlainLines) {
  Terminal terminal(80);
  {
    const Environment term("TERM", "dumb");
    Progress progress(2, 5, {.file = terminal.file()});
    train(progress, 2, 5);
  }
  terminal.close();
  ASSERT_EQ(terminal.lines.size(), 3u);
  EXPECT_TRUE(terminal.lines[0].starts_with("epoch 1/2  loss "));
  EXPECT_EQ(terminal.raw().find('\x1b'), std::string::npos);
}
