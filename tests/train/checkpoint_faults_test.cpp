// A save of a Checkpoint that fails or is killed leaves all as it was. Some of the C library's functions are replaced below, and fail.
#include <capstan/core/create.h>
#include <capstan/data/safetensors.h>
#include <capstan/nn/linear.h>
#include <capstan/train/checkpoint.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "../child.h"
#include "counter.h"
#include "support.h"

using namespace capstan;
namespace fs = std::filesystem;

namespace {

/// The n-th of the calls below fails, once or from then on.
struct Fault {
  static void begin(int n, bool then_on) {
    left = n;
    from_then_on = then_on;
  }
  /// Whether it came to that.
  static bool end() {
    const bool reached = left <= 0;
    left = 1 << 30;
    return reached;
  }
  static bool now() {
    if (left > 1 << 29) return false;
    --left;
    errno = EIO;
    return left == 0 || (left < 0 && from_then_on);
  }
  /// Counts the renames after which there is no file `always`.
  static int renamed(int result) {
    const int error = errno;
    if (!always.empty() && !fs::exists(always)) ++gone;
    errno = error;
    return result;
  }
  static inline int left = 1 << 30, gone = 0;
  static inline bool from_then_on = false;
  static inline std::string always;
};

}  // namespace

// This program's, in place of the C library's.
extern "C" int fsync(int descriptor) { return Fault::now() ? -1 : static_cast<int>(::syscall(SYS_fsync, descriptor)); }
extern "C" int rename(const char* from, const char* to) noexcept {
  return Fault::now() ? -1 : Fault::renamed(static_cast<int>(::syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0)));
}
extern "C" int link(const char* from, const char* to) noexcept {
  return Fault::now() ? -1 : static_cast<int>(::syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0));
}

TEST(CheckpointFaults, AFailedSaveLeavesAllAsItWas) {
  const Folder folder;
  const std::string path = folder.file("x");
  EXPECT_EQ(in_a_child([&] {
              Tensor big = zeros({1 << 16});
              nn::Linear model(256, 256);
              Counter counter(path, {.keep = 2});
              counter.run.add("model", model);
              counter.save(1);
              counter.save(2);
              const Names before = sorted_names(folder);
              const std::string bytes = read(path), older = read(path + ".1");
              std::signal(SIGXFSZ, SIG_IGN);
              const rlimit limit{100000, 100000};
              if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 2;
              const std::string text = thrown([&] { counter.save(3); });
              if (text != "IoError: [Checkpoint] cannot write the file: " + path + ": File too large (write elsewhere?)") return 3;
              return sorted_names(folder) == before && read(path) == bytes && read(path + ".1") == older ? 0 : 4;
            }),
            "exit 0");
  Counter lost(folder.file("no/x"));
  EXPECT_EQ(thrown([&] { lost.save(1); }), "IoError: [Checkpoint] cannot write the file: " + folder.file("no/x") +
                                               ": No such file or directory (create the directory first?)");
  Counter full("/dev/full");
  EXPECT_EQ(thrown([&] { full.save(1); }),
            "IoError: [Checkpoint] cannot write the file: /dev/full: No space left on device (free some space, or write elsewhere)");
  Counter is_folder(folder.file(""));
  EXPECT_EQ(thrown([&] { is_folder.save(1); }),
            "IoError: [Checkpoint] cannot write the file: " + folder.file("") + ": Is a directory (write elsewhere?)");
}

TEST(CheckpointFaults, EachCallOfTheSystemThatFailsLeavesAllAsItWas) {
  const std::string reason = std::strerror(EIO);
  for (const bool from_then_on : {false, true})
    for (const std::int64_t keep : {1, 3})
      for (int n = 1;; ++n) {
        const Folder folder;
        const std::string path = folder.file("x");
        Counter counter(path, {.keep = keep});
        for (std::int64_t i = 0; i < keep; ++i) counter.save(i);
        const Names before = sorted_names(folder);
        std::string bytes;
        for (const std::string& name : before) bytes += read(folder.file(name));
        Fault::begin(n, from_then_on);
        const std::string text = thrown([&] { counter.save(7); });
        const bool reached = Fault::end();
        if (text == "nothing") {  // without hard links, say, another way was found
          EXPECT_EQ(Counter::at(path), 7);
          if (!reached) break;
          continue;
        }
        EXPECT_TRUE(text.starts_with("IoError: [Checkpoint] cannot ") && text.find(path) != text.npos && text.find(reason) != text.npos)
            << text;
        if (!from_then_on) {
          EXPECT_EQ(sorted_names(folder), before) << n << " " << text;
          std::string after;
          for (const std::string& name : before) after += read(folder.file(name));
          EXPECT_EQ(after, bytes) << n << " " << text;
          EXPECT_EQ(Counter::at(path), keep - 1) << n << " " << text;
        }
        const std::int64_t there = Counter::at(path);  // where nothing can be put back, the new one may stay: it is whole, too
        EXPECT_TRUE(there == keep - 1 || there == 7) << n << " " << text;
        counter.save(8);
        EXPECT_EQ(sorted_names(folder), before) << n << " " << text;
        EXPECT_EQ(Counter::at(path), 8);
        ASSERT_LT(n, 100);
      }
}

TEST(CheckpointFaults, AFailedFirstRotationLeavesNoSecondName) {
  bool reached = true;
  for (int n = 1; reached; ++n) {
    const Folder folder;
    Counter counter(folder.file("x"), {.keep = 2});
    counter.save(1);
    Fault::begin(n, false);
    const std::string text = thrown([&] { counter.save(2); });
    reached = Fault::end();
    EXPECT_EQ(sorted_names(folder), text == "nothing" ? (Names{"x", "x.1"}) : Names{"x"}) << n << " " << text;
    ASSERT_LT(n, 100);
  }
}

TEST(CheckpointFaults, ThePathNamesASaveAtEveryMoment) {
  const Folder folder;
  Counter counter(folder.file("x"), {.keep = 3});
  counter.save(0);
  Fault::always = folder.file("x");
  for (const int n : {1, 2, 3}) counter.save(n);
  Fault::always.clear();
  EXPECT_EQ(Fault::gone, 0);
}

TEST(CheckpointFaults, ASaveThatWasKilledBetweenItsNamesLosesNoOlderOne) {
  const Folder folder;
  const std::string path = folder.file("x");
  Counter counter(path, {.keep = 3});
  for (const int n : {0, 1}) counter.save(n);
  fs::rename(path + ".1", path + ".2");
  fs::create_hard_link(path, path + ".1");  // the new file was to take its place
  counter.save(2);
  for (const int age : {0, 1, 2}) EXPECT_EQ(load(path + (age ? "." + std::to_string(age) : ""))["n"].item(), 2 - age);
}

TEST(CheckpointFaults, WhatAKilledProcessLeftIsRemoved) {
  const Folder folder;
  const std::string path = folder.file("x");
  struct Big {
    TensorMap state() const { return {{"v", zeros({1 << 18})}}; }
    void load_state(const TensorMap&) {}
  } big;
  struct Slow : Counter {
    explicit Slow(const std::string& at, Big& part) : Counter(at, {.keep = 3}) { run.add("big", part); }
  };
  Slow(path, big).save(1);
  for (int delay = 1; delay <= 12; ++delay) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::alarm(120);
      Slow counter(path, big);
      static_cast<void>(counter.run.load());
      for (std::int64_t i = 2;; ++i) counter.save(i);
    }
    ::usleep(static_cast<useconds_t>(700 * delay));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status));
    Slow fresh(path, big);
    EXPECT_EQ(printed([&] { EXPECT_TRUE(fresh.run.load()); }), "");
    fresh.save(1);
    for (const std::string& name : folder.names()) EXPECT_FALSE(name.ends_with(".tmp")) << name;
  }
}
