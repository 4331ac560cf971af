// The one writer of files, and other processes: those that were killed, and those that write to the same path.
#include <sched.h>
#include <sys/stat.h>

#include <csignal>

#include "../child.h"
#include "../files.h"
#include "new_file.h"
#include "support.h"

namespace {

/// The body's exit code, run as process 1 of a container.
template <class Body>
std::string in_a_container(Body body) {
  return in_a_child([&] {
    if (::unshare(CLONE_NEWPID) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWPID) != 0) return 77;
    return in_a_child([&] { return ::getpid() == 1 ? body() : 78; }) == "exit 0" ? 0 : 1;
  });
}

}  // namespace

TEST(NewFile, RemovesWhatKilledProcessesLeft) {
  const Folder folder;
  const std::string path = folder.file("x"), left = path + ".0123456789abcdef.tmp";
  EXPECT_EQ(in_a_child([&] {
              NewFile file("save", path, Existing::replaced);
              file.write("half");
              return ::kill(::getpid(), SIGKILL);
            }),
            "signal 9");
  ASSERT_EQ(folder.names().size(), 1u);
  write(left, "read-only");
  ASSERT_EQ(::chmod(left.c_str(), 0444), 0);
  const std::vector<std::string> others = {"x.tmp", "x.0123456789abcde.tmp", "x.0123456789abcdeF.tmp", "y.0123456789abcdef.tmp"};
  for (const std::string& name : others) write(folder.file(name), "somebody's");
  std::filesystem::create_directory(folder.file("x.0123456789abcde0.tmp"));
  save(path, "whole");
  EXPECT_EQ(read(path), "whole");
  EXPECT_EQ(folder.names().size(), others.size() + 2);
  for (const std::string& name : others) EXPECT_EQ(read(folder.file(name)), "somebody's");
}

TEST(NewFile, LeavesAloneWhatAnotherProcessWrites) {
  const Folder folder;
  const std::string path = folder.file("x");
  int ready[2], go[2];
  ASSERT_EQ(::pipe(ready) + ::pipe(go), 0);
  const pid_t other = ::fork();
  if (other == 0) {
    ::alarm(120);
    NewFile file("save", path, Existing::replaced);
    file.write("the other's");
    file.complete();  // also between closing and renaming
    char byte = 'x';
    if (::write(ready[1], &byte, 1) != 1 || ::read(go[0], &byte, 1) != 1) ::_exit(2);
    ::_exit(thrown([&] { file.publish(); }) != "nothing");
  }
  char byte;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  save(path, "mine");
  EXPECT_EQ(folder.names().size(), 2u);
  ASSERT_EQ(::write(go[1], "x", 1), 1);
  int status = 0;
  ASSERT_EQ(::waitpid(other, &status, 0), other);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(read(path), "the other's");
  EXPECT_EQ(folder.names(), std::vector<std::string>{"x"});
  for (const int end : {ready[0], ready[1], go[0], go[1]}) ::close(end);
}

TEST(NewFile, ManyProcessesSaveToOnePath) {
  const Folder folder;
  const std::string path = folder.file("x");
  std::vector<pid_t> all;
  for (int i = 0; i < 8; ++i) {
    all.push_back(::fork());
    if (all.back() == 0) {
      ::alarm(120);
      ::_exit(thrown([&] {
                for (int k = 0; k < 50; ++k) save(path, std::string(1000, static_cast<char>('a' + i)));
              }) != "nothing");
    }
  }
  for (const pid_t child : all) {
    int status = 1;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(read(path), std::string(1000, read(path)[0]));
  EXPECT_EQ(folder.names(), std::vector<std::string>{"x"});
}

TEST(NewFile, AKilledProcessOfTheSameNumberIsInNobodysWay) {
  const Folder folder;
  const std::string killed = in_a_container([&] {
    NewFile file("save", folder.file("x"), Existing::replaced);
    file.write("half");
    if (folder.names().size() == 1) ::_exit(0);
    return 2;
  });
  if (killed == "exit 77") GTEST_SKIP() << "this system gives no process the number 1";
  ASSERT_EQ(killed, "exit 0");
  ASSERT_EQ(folder.names().size(), 1u);
  EXPECT_EQ(in_a_container([&] {
              save(folder.file("x"), "whole");
              return 0;
            }),
            "exit 0");
  EXPECT_EQ(read(folder.file("x")), "whole");
  EXPECT_EQ(folder.names(), std::vector<std::string>{"x"});  // and what it left is gone
}
