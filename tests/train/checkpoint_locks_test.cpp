// Two runs at one path: each looks at the files and changes them while it has the folder's lock, and looks again once it has it.
#include <capstan/train/checkpoint.h>
#include <capstan/train/checkpoint_files.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <unistd.h>

#include "../child.h"
#include "counter.h"
#include "support.h"

using namespace capstan;
namespace fs = std::filesystem;

namespace {

/// A child that runs body while this process has the folder's lock; body's exit code comes once it is let go.
class Waiting {
 public:
  template <class Body>
  Waiting(const Folder& folder, Body body) : lock_(::open(folder.file("").c_str(), O_RDONLY | O_DIRECTORY)) {
    EXPECT_EQ(::flock(lock_, LOCK_EX) + ::pipe(done_), 0);
    child_ = ::fork();
    if (child_ != 0) return;
    ::close(lock_);  // the lock is the parent's alone
    ::alarm(120);
    int code = 1;
    EXPECT_EQ(thrown([&] { code = body(); }), "nothing");
    ::_exit(::write(done_[1], "x", 1) == 1 ? code : 2);
  }
  /// Whether it came to its end within a while.
  bool done() const {
    pollfd one = {done_[0], POLLIN, 0};
    return ::poll(&one, 1, 200) == 1;
  }
  int let_go() {
    ::close(lock_);
    int status = 1;
    EXPECT_EQ(::waitpid(child_, &status, 0), child_);
    for (const int end : done_) ::close(end);
    return status;
  }

 private:
  int lock_, done_[2];
  pid_t child_;
};

}  // namespace

TEST(CheckpointLocks, WhatChangesOrReadsTheFilesWaits) {
  const Folder folder;
  const std::string path = folder.file("x");
  {
    Counter counter(path);
    counter.save(1);
    counter.run.save_best(1);
  }
  const auto waits = [&](auto body) {
    Waiting other(folder, [&] {
      Counter counter(path);
      return body(counter) ? 0 : 1;
    });
    const bool waited = !other.done();
    EXPECT_EQ(other.let_go(), 0);
    return waited;
  };
  EXPECT_TRUE(waits([](Counter& counter) { return counter.run.load(); }));
  EXPECT_TRUE(waits([](Counter& counter) { return counter.run.load_best(); }));
  EXPECT_TRUE(waits([](Counter& counter) { return counter.run.save_best(2); }));
  fs::remove(path);
  EXPECT_TRUE(waits([](Counter& counter) {
    counter.save(2);
    return true;
  }));
}

TEST(CheckpointLocks, ABetterOneThatCameMeanwhileStays) {
  const Folder folder, aside;
  const std::string best = folder.file("x.best");
  Counter(aside.file("x")).run.save_best(2);
  Waiting other(folder, [&] { return Counter(folder.file("x")).run.save_best(1) ? 1 : 0; });
  for (int i = 0; i < 20'000 && folder.names().empty(); ++i) ::usleep(1000);  // until it found none, and writes beside
  EXPECT_FALSE(other.done());
  fs::copy_file(aside.file("x.best"), best);
  EXPECT_EQ(other.let_go(), 0);
  EXPECT_EQ(read(best), read(aside.file("x.best")));
  EXPECT_EQ(folder.names(), Names{"x.best"});
}

TEST(CheckpointLocks, AFileThatIsReplacedWhileItIsReadIsNotTaken) {
  const Folder folder;
  const std::string path = folder.file("x");
  Counter counter(path);
  counter.save(1);
  const detail::SavedFile first = detail::look_at(path);
  counter.save(2);
  EXPECT_EQ(thrown([&] { detail::read_whole(first); }),
            "FormatError: [Checkpoint] the file must not be replaced while it is read: " + path);
}
