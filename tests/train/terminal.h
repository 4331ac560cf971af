#pragma once
#include <capstan/train/progress.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <regex>
#include <string>
#include <thread>
#include <vector>

using namespace capstan;

inline void sleep_ms(int ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

inline bool matches(const std::string& text, const std::string& pattern) { return std::regex_match(text, std::regex(pattern)); }

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

inline void train(Progress& progress, int epochs, int steps, int ms = 3) {
  double loss = 1;
  for (int epoch = 0; epoch < epochs; ++epoch) {
    for (int step = 0; step < steps; ++step) {
      sleep_ms(ms);
      progress.step({{"loss", loss *= 0.98}});
    }
    progress.end_epoch({{"loss", loss}, {"accuracy", 1 - loss}});
  }
}
