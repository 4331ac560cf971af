#include <capstan/train/progress.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <regex>
#include <thread>

#include "support.h"

using capstan::train::Progress;
using capstan::train::ProgressOptions;
using capstan::train::ProgressStyle;

namespace {

void sleep_ms(int ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

/// Sets an environment variable until the end of the scope.
class Environment {
 public:
  Environment(const char* name, const char* value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    ::setenv(name, value, 1);
  }
  ~Environment() { before_ ? ::setenv(name_, before_->c_str(), 1) : ::unsetenv(name_); }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  const char* name_;
  std::optional<std::string> before_;
};

/// A terminal of some width, and what a program that writes to it has shown so far.
class Terminal {
 public:
  explicit Terminal(int columns) : term_("TERM", "xterm") {
    master_ = ::posix_openpt(O_RDWR | O_NOCTTY);
    EXPECT_EQ(::grantpt(master_), 0);
    EXPECT_EQ(::unlockpt(master_), 0);
    file_ = std::fopen(::ptsname(master_), "r+");
    resize(columns);
    reader_ = std::thread([this] {
      char bytes[4096];
      for (ssize_t n; (n = ::read(master_, bytes, sizeof bytes)) > 0;) raw_.append(bytes, static_cast<std::size_t>(n));
    });
  }
  ~Terminal() { close(); }

  std::FILE* file() const { return file_; }
  void resize(int columns) {
    columns_ = columns;
    winsize size{};
    size.ws_row = 24, size.ws_col = static_cast<unsigned short>(columns);
    ::ioctl(master_, TIOCSWINSZ, &size);
  }

  /// Ends the session and plays what was written: lines on the screen, the cursor, how far right it ever got.
  void close() {
    if (!file_) return;
    std::fclose(file_);
    file_ = nullptr;
    reader_.join();
    ::close(master_);
    std::size_t column = 0;
    lines.assign(1, {});
    for (std::size_t i = 0; i < raw_.size(); ++i) {
      const char c = raw_[i];
      if (c == '\r') {
        column = 0;
        ++returns;
      } else if (c == '\n') {
        lines.push_back({});
        cells_.clear();
      } else if (raw_.compare(i, 3, "\x1b[K") == 0) {
        cells_.resize(std::min(cells_.size(), column));
        i += 2;
      } else if (c == '\x1b') {
        ADD_FAILURE() << "an escape sequence that is not undone at byte " << i;
      } else {
        std::string character(1, c);
        while (i + 1 < raw_.size() && (static_cast<unsigned char>(raw_[i + 1]) & 0xC0) == 0x80) character += raw_[++i];
        if (cells_.size() <= column) cells_.resize(column + 1, " ");
        cells_[column++] = character;
        widest = std::max(widest, column);
      }
      lines.back().clear();
      for (const std::string& cell : cells_) lines.back() += cell;
      if (lines.back() != history_.back()) history_.push_back(lines.back());
    }
    cursor = column;
  }

  /// Whether the line that is being drawn ever looked like that.
  bool showed(const std::string& pattern) const {
    return std::any_of(history_.begin(), history_.end(),
                       [&](const std::string& line) { return std::regex_match(line, std::regex(pattern)); });
  }
  const std::string& raw() const { return raw_; }

  std::vector<std::string> lines;
  std::size_t widest = 0, cursor = 0, returns = 0;

 private:
  Environment term_;
  int master_ = -1, columns_ = 0;
  std::FILE* file_ = nullptr;
  std::thread reader_;
  std::string raw_;
  std::vector<std::string> cells_, history_{""};
};

void train(Progress& progress, int epochs, int steps, int ms = 3) {
  double loss = 1;
  for (int epoch = 0; epoch < epochs; ++epoch) {
    for (int step = 0; step < steps; ++step) {
      sleep_ms(ms);
      progress.step({{"loss", loss *= 0.98}});
    }
    progress.end_epoch({{"loss", loss}, {"accuracy", 1 - loss}});
  }
}

bool matches(const std::string& text, const std::string& pattern) { return std::regex_match(text, std::regex(pattern)); }

/// What `body` makes a Progress write to a plain file.
template <class Body>
std::string written(ProgressStyle style, Body body) {
  const Folder folder;
  std::FILE* file = std::fopen(folder.file("out").c_str(), "w");
  body(ProgressOptions{.style = style, .file = file});
  std::fclose(file);
  return read(folder.file("out"));
}

}  // namespace

TEST(Progress, APlainLinePerEpoch) {
  const std::string text = written(ProgressStyle::automatic, [](ProgressOptions options) {  // a file is no terminal
    Progress progress(10, 5, options);
    for (int epoch = 0; epoch < 10; ++epoch) {
      for (int step = 0; step < 5; ++step) progress.step({{"loss", 0.5}});
      progress.end_epoch({{"loss", 0.231 / (epoch + 1)}, {"correct", 359 + epoch}});
    }
  });
  const std::string seconds = R"(  \d+\.\d\d s\n)";
  EXPECT_TRUE(matches(text, R"(epoch  1/10  loss 0\.2310  correct 359\.0)" + seconds + R"((epoch  [2-9]/10  loss 0\.\d+  correct 36\d\.0)" +
                                seconds + R"(){8}epoch 10/10  loss 0\.02310  correct 368\.0)" + seconds))
      << text;
}

TEST(Progress, PlainWithUnknownTotalsAndWithoutValues) {
  const std::string text = written(ProgressStyle::plain, [](ProgressOptions options) {
    Progress progress(0, 0, options);
    progress.step();
    progress.end_epoch();
    progress.end_epoch({{"a\nb\x1b[2J", -0.5}});
  });
  EXPECT_TRUE(matches(text, R"(epoch 1  \d\.\d\d s\nepoch 2  a\?b\?\[2J -0\.5000  \d\.\d\d s\n)")) << text;
}

TEST(Progress, PlainSaysNothingOfAnUnfinishedEpoch) {
  EXPECT_EQ(written(ProgressStyle::plain, [](ProgressOptions options) { Progress(3, 3, options).step({{"loss", 1}}); }), "");
}

TEST(Progress, OffSaysNothing) {
  EXPECT_EQ(written(ProgressStyle::off,
                    [](ProgressOptions options) {
                      Progress progress(2, 2, options);
                      train(progress, 2, 2, 0);
                    }),
            "");
}

TEST(Progress, ValuesHaveFourDigits) {
  const std::string text = written(ProgressStyle::plain, [](ProgressOptions options) {
    Progress progress(0, 0, options);
    progress.end_epoch(
        {{"a", 0.0}, {"b", 12.3456}, {"c", 123456}, {"d", 1e-5}, {"e", -2.5e12}, {"f", 0.0123456}, {"g", NAN}, {"h", -HUGE_VAL}, {"i", 1}});
  });
  EXPECT_TRUE(text.starts_with("epoch 1  a 0.000  b 12.35  c 123456  d 1.000e-05  e -2.500e+12  f 0.01235  g nan  h -inf  i 1.000  "))
      << text;
}

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

TEST(Progress, AStepBetweenTwoDrawingsCostsOneLookAtTheClock) {
#if !defined(__OPTIMIZE__) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "measures optimised code";
#endif
  std::FILE* null = std::fopen("/dev/null", "w");
  Progress progress(1, 0, {.style = ProgressStyle::live, .file = null});
  using Clock = std::chrono::steady_clock;
  constexpr int n = 20000;
  double step = 1e9, look = 1e9;
  for (int round = 0; round < 20; ++round) {
    const auto begin = Clock::now();
    for (int i = 0; i < n; ++i) progress.step({{"loss", 0.5}, {"accuracy", 0.5}});
    const auto middle = Clock::now();
    for (int i = 0; i < n; ++i) {
      const auto now = Clock::now();
      asm volatile("" : : "g"(&now) : "memory");
    }
    step = std::min(step, std::chrono::duration<double, std::nano>(middle - begin).count() / n);
    look = std::min(look, std::chrono::duration<double, std::nano>(Clock::now() - middle).count() / n);
  }
  progress.finish();
  std::fclose(null);
  EXPECT_LT(step, look + 60) << "a look at the clock costs " << look << " ns";
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

TEST(Progress, RefusesNegativeTotals) {
  EXPECT_EQ(thrown([] { Progress progress(-1, 10); }),
            "ValueError: [Progress] totals cannot be negative: epochs -1, steps per epoch 10 (0 stands for unknown)");
  EXPECT_EQ(thrown([] { Progress progress(1, -10); }),
            "ValueError: [Progress] totals cannot be negative: epochs 1, steps per epoch -10 (0 stands for unknown)");
}
