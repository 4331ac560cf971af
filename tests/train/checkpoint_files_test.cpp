// A Checkpoint's files: their names, which one is taken, and that a save that fails or is killed leaves all as it was. Longer than 300
// lines, since all of them share the system calls of this program, which are replaced below.
#include <capstan/core/create.h>
#include <capstan/data/safetensors.h>
#include <capstan/nn/linear.h>
#include <capstan/train/checkpoint.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstring>
#include <limits>
#include <utility>

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

/// What is printed on stderr meanwhile.
template <class Body>
std::string printed(Body body) {
  testing::internal::CaptureStderr();
  body();
  return testing::internal::GetCapturedStderr();
}

}  // namespace

// This program's, in place of the C library's.
extern "C" int fsync(int descriptor) { return Fault::now() ? -1 : static_cast<int>(::syscall(SYS_fsync, descriptor)); }
extern "C" int rename(const char* from, const char* to) noexcept {
  return Fault::now() ? -1 : Fault::renamed(static_cast<int>(::syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0)));
}
extern "C" int link(const char* from, const char* to) noexcept {
  return Fault::now() ? -1 : static_cast<int>(::syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0));
}

TEST(CheckpointFiles, KeepsAsManyAsItIsTold) {
  const Folder folder;
  Counter counter(folder.file("x"), {.keep = 3});
  const std::vector<Names> want = {{"x"}, {"x", "x.1"}, {"x", "x.1", "x.2"}, {"x", "x.1", "x.2"}, {"x", "x.1", "x.2"}};
  for (std::int64_t i = 0; i < 5; ++i) {
    counter.save(i);
    EXPECT_EQ(sorted_names(folder), want[static_cast<std::size_t>(i)]);
    EXPECT_EQ(load(folder.file("x"))["n"].item(), i);
    for (std::int64_t k = 1; k <= std::min<std::int64_t>(i, 2); ++k)
      EXPECT_EQ(load(folder.file("x." + std::to_string(k)))["n"].item(), i - k);
  }
  Counter one(folder.file("x"));  // keeps one: the others stay as they are
  ASSERT_TRUE(one.run.load());
  one.save(9);
  EXPECT_EQ(load(folder.file("x.1"))["n"].item(), 3);
  EXPECT_EQ(Counter::at(folder.file("x")), 9);
}

TEST(CheckpointFiles, TheNewestIsToldByItsNumberAlone) {
  const Folder folder;
  Counter counter(folder.file("x"), {.keep = 3});
  for (std::int64_t i = 0; i < 3; ++i) counter.save(i);
  fs::rename(folder.file("x"), folder.file("y"));
  fs::rename(folder.file("x.2"), folder.file("x"));
  fs::rename(folder.file("y"), folder.file("x.2"));
  const timeval times[2] = {{2000000000, 0}, {2000000000, 0}}, old[2] = {{0, 0}, {0, 0}};
  ASSERT_EQ(::utimes(folder.file("x").c_str(), times) + ::utimes(folder.file("x.2").c_str(), old), 0);
  EXPECT_EQ(Counter::at(folder.file("x")), 2);
}

TEST(CheckpointFiles, PassesOverWhatIsBrokenAndSaysSo) {
  const Folder folder;
  const std::string path = folder.file("x");
  Counter counter(path, {.keep = 3});
  for (std::int64_t i = 0; i < 3; ++i) counter.save(i);
  std::string bytes = read(path);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  write(path, bytes);
  write(path + ".1", "torn");
  const std::string crc = load(path).size() == 5 ? "" : "?";
  Counter fresh(path, {.keep = 3});
  const std::string text = printed([&] { EXPECT_TRUE(fresh.run.load()); });
  EXPECT_EQ(fresh.n, 0);
  ASSERT_EQ(fresh.run.passed_over().size(), 2u);
  EXPECT_EQ(fresh.run.passed_over()[0], "[Checkpoint] a safetensors file is needed: " + path + ".1 has 4 bytes");
  EXPECT_TRUE(fresh.run.passed_over()[1].starts_with("[Checkpoint] the file must be whole: " + path + ": its CRC-32 is "));
  EXPECT_TRUE(fresh.run.passed_over()[1].ends_with("' (was it changed?)"));
  EXPECT_EQ(text, fresh.run.passed_over()[0] + ": passed over\n" + fresh.run.passed_over()[1] + ": passed over\n" +
                      "[Checkpoint] goes on with save 1, " + path + ".2\n");
  fresh.save(7);  // broken ones give way; what is whole stays
  EXPECT_EQ(load(path)["n"].item(), 7);
  EXPECT_EQ(read(path + ".1"), "torn");
  EXPECT_EQ(load(path + ".2")["n"].item(), 0);
  fresh.save(8);
  EXPECT_EQ(load(path)["n"].item(), 8);
  EXPECT_EQ(load(path + ".1")["n"].item(), 7);
  EXPECT_EQ(load(path + ".2")["n"].item(), 0);
  EXPECT_EQ(printed([&] { EXPECT_EQ(Counter::at(path), 8); }), "");
  EXPECT_EQ(sorted_names(folder), (Names{"x", "x.1", "x.2"}));
}

TEST(CheckpointFiles, NeverBeginsAnewWhenEverySaveIsBroken) {
  const Folder folder;
  const std::string path = folder.file("x");
  write(path, "torn");
  Counter counter(path);
  counter.n = 4;
  EXPECT_EQ(thrown([&] { counter.run.load(); }),
            "FormatError: [Checkpoint] one of the files must be whole: " + path +
                " (to begin anew, move them away):\n  [Checkpoint] a safetensors file is needed: " + path + " has 4 bytes");
  save(path, TensorMap{{"n", tensor(1)}});
  EXPECT_EQ(thrown([&] { counter.run.load(); }), "FormatError: [Checkpoint] one of the files must be whole: " + path +
                                                     " (to begin anew, move them away):\n  [Checkpoint] the file must be a checkpoint: " +
                                                     path + " is a safetensors file of another kind (capstan::load() reads it)");
  save(path, TensorMap{{"n", tensor(1)}}, {{"format", "capstan checkpoint 2"}, {"version", "9.1"}});
  EXPECT_EQ(thrown([&] { counter.run.load(); }),
            "FormatError: [Checkpoint] one of the files must be whole: " + path +
                " (to begin anew, move them away):\n  [Checkpoint] the format must be one that is known: " + path +
                " has 'capstan checkpoint 2', of version 9.1, wanted 'capstan checkpoint 1' (a newer Capstan may read it)");
  for (const char* number : {"2.0", "-1", "9007199254740992", "9223372036854775807"}) {
    save(path, TensorMap{{"n", tensor(1)}}, {{"format", "capstan checkpoint 1"}, {"save", number}});
    EXPECT_EQ(thrown([&] { counter.run.load(); }),
              "FormatError: [Checkpoint] one of the files must be whole: " + path +
                  " (to begin anew, move them away):\n  [Checkpoint] the number of the save must be whole, and below 2^53: " + path +
                  " has '" + number + "'");
  }
  EXPECT_EQ(counter.n, 4);
}

TEST(CheckpointFiles, RefusesEveryFlippedBitAndEveryCut) {
  const Folder folder;
  const std::string path = folder.file("x");
  Counter(path).save(5);
  const std::string good = read(path);
  Counter fresh(path);
  const auto refused = [&] {
    try {
      return !fresh.run.load() || fresh.n != 0;
    } catch (const FormatError&) {
      return fresh.n == 0;
    }
  };
  const int file = ::open(path.c_str(), O_RDWR);
  for (std::size_t i = 0; i < 8 * good.size(); ++i) {
    const auto at = static_cast<off_t>(i / 8);
    const char byte = good[i / 8], flipped = static_cast<char>(byte ^ 1 << i % 8);
    ASSERT_EQ(::pwrite(file, &flipped, 1, at), 1);
    ASSERT_TRUE(refused()) << "bit " << i << " of " << 8 * good.size();
    ASSERT_EQ(::pwrite(file, &byte, 1, at), 1);
  }
  EXPECT_TRUE(fresh.run.load());
  EXPECT_EQ(std::exchange(fresh.n, 0), 5);
  ASSERT_EQ(::pwrite(file, "", 1, std::ssize(good)), 1);
  ASSERT_TRUE(refused());
  for (auto size = std::ssize(good); size-- > 0;) {
    ASSERT_EQ(::ftruncate(file, size), 0);
    ASSERT_TRUE(refused()) << size;
  }
  ::close(file);
}

TEST(CheckpointFiles, TheBestIsOnlyReplacedByABetterOne) {
  const Folder folder;
  const std::string path = folder.file("x");
  {
    Counter counter(path);
    EXPECT_FALSE(counter.run.load_best());
    counter.n = 1;
    EXPECT_TRUE(counter.run.save_best(0.5));
    counter.n = 2;
    for (const double score : {0.5, 0.25, std::nan(""), -std::numeric_limits<double>::infinity()})
      EXPECT_FALSE(counter.run.save_best(score));
    counter.n = 3;
    EXPECT_TRUE(counter.run.save_best(0.75));
    counter.save(4);
  }
  EXPECT_EQ(sorted_names(folder), (Names{"x", "x.best"}));
  Counter resumed(path);
  ASSERT_TRUE(resumed.run.load());
  EXPECT_EQ(resumed.n, 4);
  EXPECT_FALSE(resumed.run.save_best(0.7));
  EXPECT_EQ(thrown([&] { resumed.run.save_best(0.1, {.lower = true}); }),
            "ValueError: [Checkpoint] the better score must be on the same side as before: " + path +
                ".best says 'higher', wanted 'lower' (remove it to begin anew)");
  ASSERT_TRUE(resumed.run.load_best());
  EXPECT_EQ(resumed.n, 3);
  resumed.save(5);  // goes on from the newest, not from the best
  Metadata metadata;
  load(path, &metadata);
  EXPECT_EQ(metadata.at("save"), "2");
  fs::copy(path, path + ".best", fs::copy_options::overwrite_existing);  // a save that has no score is no worse one
  EXPECT_EQ(thrown([&] { resumed.run.save_best(9); }), "ValueError: [Checkpoint] the better score must be on the same side as before: " +
                                                           path + ".best says '', wanted 'higher' (remove it to begin anew)");
  write(path + ".best", "torn");
  EXPECT_TRUE(resumed.run.save_best(0.1));  // a broken one is no save
  load(path + ".best", &metadata);
  EXPECT_EQ(metadata.at("score"), "0.1");
  EXPECT_EQ(metadata.at("better"), "higher");
}

TEST(CheckpointFiles, LowerScoresMayBeBetter) {
  const Folder folder;
  Counter counter(folder.file("x"));
  for (const auto& [score, better] : {std::pair{2.0, true}, {2.5, false}, {std::nan(""), false}, {1e-300, true}, {0.0, true}, {0.0, false}})
    EXPECT_EQ(counter.run.save_best(score, {.lower = true}), better) << score;
}

TEST(CheckpointFiles, AnotherRunOnTheSamePathIsRefused) {
  const Folder folder;
  const std::string path = folder.file("x");
  Counter mine(path), other(path);
  other.save(5);
  const auto text = [&](int n) {
    return "ValueError: [Checkpoint] another run must not save to the same path: " + path + " holds save " + std::to_string(n) +
           ", which is not this run's (give each run a path of its own, or load() that save)";
  };
  EXPECT_EQ(thrown([&] { mine.save(1); }), text(1));
  EXPECT_EQ(Counter::at(path), 5);
  ASSERT_TRUE(mine.run.load());
  mine.save(6);
  EXPECT_EQ(thrown([&] { other.save(7); }), text(2));
  mine.save(8);
  EXPECT_EQ(Counter::at(path), 8);
  EXPECT_EQ(folder.names(), Names{"x"});
  fs::remove(path);  // by hand: then there is nothing that could be lost
  mine.save(9);
  EXPECT_EQ(Counter::at(path), 9);
  fs::remove(path);
  Counter same(path);  // comes to the number that is known, with another file
  for (const int n : {1, 2, 3, 4}) same.save(n);
  EXPECT_EQ(thrown([&] { mine.save(10); }), text(4));
  EXPECT_EQ(Counter::at(path), 4);
}

TEST(CheckpointFiles, ManyProcessesOnOnePathLeaveOneWholeSave) {
  const Folder folder;
  const std::string path = folder.file("x");
  std::vector<pid_t> all;
  for (int i = 0; i < 6; ++i) {
    all.push_back(::fork());
    if (all.back() != 0) continue;
    ::alarm(120);
    const std::string text = thrown([&] {
      Counter counter(path, {.keep = 3});
      for (int k = 0; k < 20; ++k) {
        try {
          counter.save(100 * i + k);
        } catch (const ValueError& e) {
          if (!std::strstr(e.what(), "another run must not save")) throw;
          counter.run.load();
        }
        counter.run.save_best(i * k);
      }
    });
    EXPECT_EQ(text, "nothing");
    ::_exit(text != "nothing");
  }
  for (const pid_t child : all) {
    int status = 1;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(sorted_names(folder), (Names{"x", "x.1", "x.2", "x.best"}));
  Counter fresh(path, {.keep = 3});
  EXPECT_EQ(printed([&] { EXPECT_TRUE(fresh.run.load()); }), "");
  EXPECT_TRUE(fresh.run.load_best());
  Metadata metadata;
  load(path + ".best", &metadata);
  EXPECT_EQ(metadata.at("score"), "95");
}

TEST(CheckpointFiles, AFailedSaveLeavesAllAsItWas) {
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

TEST(CheckpointFiles, EachCallOfTheSystemThatFailsLeavesAllAsItWas) {
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

TEST(CheckpointFiles, AFailedFirstRotationLeavesNoSecondName) {
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

TEST(CheckpointFiles, ThePathNamesASaveAtEveryMoment) {
  const Folder folder;
  Counter counter(folder.file("x"), {.keep = 3});
  counter.save(0);
  Fault::always = folder.file("x");
  for (const int n : {1, 2, 3}) counter.save(n);
  Fault::always.clear();
  EXPECT_EQ(Fault::gone, 0);
}

TEST(CheckpointFiles, LinksAndModesStay) {
  const Folder folder;
  const std::string link = folder.file("link"), path = folder.file("far/x");
  fs::create_directory(folder.file("far"));
  ASSERT_EQ(::symlink("far/x", link.c_str()), 0);
  Counter counter(link, {.keep = 2});
  counter.save(1);
  ASSERT_EQ(::chmod(path.c_str(), 0640), 0);
  counter.save(2);
  counter.run.save_best(1);
  EXPECT_TRUE(fs::is_symlink(link));
  struct stat info;
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0640u);
  EXPECT_EQ(sorted_names(folder), (Names{"far", "link"}));
  EXPECT_TRUE(fs::exists(path + ".1") && fs::exists(path + ".best"));
  Counter fresh(link, {.keep = 2});
  ASSERT_TRUE(fresh.run.load());  // over the file just loaded
  EXPECT_EQ(fresh.n, 2);
  fresh.save(3);
  EXPECT_EQ(Counter::at(link), 3);
}

TEST(CheckpointFiles, ASaveThatWasKilledBetweenItsNamesLosesNoOlderOne) {
  const Folder folder;
  const std::string path = folder.file("x");
  Counter counter(path, {.keep = 3});
  for (const int n : {0, 1}) counter.save(n);
  fs::rename(path + ".1", path + ".2");
  fs::create_hard_link(path, path + ".1");  // the new file was to take its place
  counter.save(2);
  for (const int age : {0, 1, 2}) EXPECT_EQ(load(path + (age ? "." + std::to_string(age) : ""))["n"].item(), 2 - age);
}

TEST(CheckpointFiles, WhatAKilledProcessLeftIsRemoved) {
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
