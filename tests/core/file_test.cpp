// The one writer of files: where they go, and that they come there whole or not at all. Longer than 300 lines, since all of these tests
// share the functions of the C library that are replaced below.
#include <capstan/core/file.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "../child.h"
#include "../files.h"
#include "support.h"

using capstan::detail::NewFile;
using Existing = NewFile::Existing;

namespace {

/// Which of the system's functions fails in this thread, and how: a disk that is full or broken, from outside the library.
struct Fault {
  Fault(const char* function, int error) {
    failing = function;
    reason = error;
  }
  ~Fault() { failing = ""; }
  static bool in(const char* function) {
    if (std::strcmp(failing, function) != 0) return false;
    errno = reason;
    return true;
  }
  static thread_local const char* failing;
  static thread_local int reason;
  static thread_local int files, folders;  // how many were brought to the disk
};
thread_local const char* Fault::failing = "";
thread_local int Fault::reason = 0;
thread_local int Fault::files = 0;
thread_local int Fault::folders = 0;

}  // namespace

// This program's, in place of the C library's.
extern "C" int close(int descriptor) {
  const auto result = static_cast<int>(::syscall(SYS_close, descriptor));  // as Linux does, which closes it in any case
  return Fault::in("close") ? -1 : result;
}
extern "C" int fsync(int descriptor) {
  struct stat info;
  ++(::fstat(descriptor, &info) == 0 && S_ISDIR(info.st_mode) ? Fault::folders : Fault::files);
  if (Fault::in(S_ISDIR(info.st_mode) ? "fsync of the folder" : "fsync")) return -1;
  return static_cast<int>(::syscall(SYS_fsync, descriptor));
}
extern "C" int rename(const char* from, const char* to) noexcept {
  return Fault::in("rename") ? -1 : static_cast<int>(::syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
}
extern "C" int link(const char* from, const char* to) noexcept {
  return Fault::in("link") ? -1 : static_cast<int>(::syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0));
}

namespace {

void save(const std::string& path, std::string_view bytes, Existing existing = Existing::replaced) {
  NewFile file("save", path, existing);
  file.write(bytes);
  file.publish();
}

constexpr const char* digits = "0123456789abcdef";  // as a new file's name has them

bool is_link(const std::string& path) { return std::filesystem::is_symlink(path); }

std::string refusal(const std::string& path, int error, const char* hint = " (write elsewhere?)") {
  return "IoError: [save] cannot write the file: " + path + ": " + std::strerror(error) + hint;
}

/// The body's exit code, run as process 1 of a container.
template <class Body>
std::string in_a_container(Body body) {
  return in_a_child([&] {
    if (::unshare(CLONE_NEWPID) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWPID) != 0) return 77;
    return in_a_child([&] { return ::getpid() == 1 ? body() : 78; }) == "exit 0" ? 0 : 1;
  });
}

}  // namespace

TEST(NewFile, ComesToItsPathWhenItIsComplete) {
  const Folder folder;
  const std::string path = folder.file("x");
  write(path, "old");
  {
    NewFile file("save", path, Existing::replaced);
    file.write("ne");
    file.write("w");
    EXPECT_EQ(read(path), "old");
    EXPECT_EQ(folder.names().size(), 2u);
    file.publish();
  }
  EXPECT_EQ(read(path), "new");
  { NewFile("save", path, Existing::replaced).write("never"); }
  EXPECT_EQ(read(path), "new");
  EXPECT_EQ(folder.names(), std::vector<std::string>{"x"});
}

TEST(NewFile, GoesOnAfterItCameThere) {
  const Folder folder;
  NewFile file("save", folder.file("x"), Existing::refused);
  file.write("a");
  file.publish(NewFile::Then::go_on);
  EXPECT_EQ(read(folder.file("x")), "a");
  file.write("b");
  EXPECT_EQ(read(folder.file("x")), "ab");
  EXPECT_EQ(folder.names(), std::vector<std::string>{"x"});
}

TEST(NewFile, ReplacesNothingUnlessTold) {
  const Folder folder;
  const std::string path = folder.file("x"),
                    text = "IoError: [save] the file must not exist yet: " + path + " (choose another name, or allow overwriting)";
  NewFile late("save", path, Existing::refused);
  late.write("late");
  write(path, "first");
  EXPECT_EQ(thrown([&] { save(path, "new", Existing::refused); }), text);
  EXPECT_EQ(thrown([&] { late.publish(); }), text);
  EXPECT_EQ(read(path), "first");
}

TEST(NewFile, WithoutLinksItIsRenamed) {  // as on FAT
  const Folder folder;
  const Fault fault("link", EPERM);
  save(folder.file("x"), "new", Existing::refused);
  EXPECT_EQ(read(folder.file("x")), "new");
  EXPECT_EQ(folder.names(), std::vector<std::string>{"x"});
}

TEST(NewFile, IsNotRenamedUntilTheSystemHasKeptIt) {
  const Folder folder;
  const std::string path = folder.file("x");
  write(path, "old");
  for (const char* function : {"fsync", "close", "rename", "fsync of the folder"})
    for (const int error : {EIO, EDQUOT, ENOSPC}) {
      const Fault fault(function, error);
      const char* hint = error == EIO ? " (write elsewhere?)" : " (free some space, or write elsewhere)";
      EXPECT_EQ(thrown([&] { save(path, "new"); }), refusal(path, error, hint)) << function;
      EXPECT_EQ(read(path), "old") << function;
      EXPECT_EQ(folder.names(), std::vector<std::string>{"x"}) << function;
    }
  for (const char* function : {"fsync", "fsync of the folder"}) {  // a file system that cannot: the rest is done
    write(path, "old");
    const Fault fault(function, EINVAL);
    save(path, "new");
    EXPECT_EQ(read(path), "new");
  }
}

TEST(NewFile, WhatCouldNotBeKeptIsNotThere) {
  const Folder folder;
  const Fault fault("fsync of the folder", EIO);
  for (const Existing existing : {Existing::refused, Existing::replaced})
    EXPECT_EQ(thrown([&] { save(folder.file("x"), "new", existing); }), refusal(folder.file("x"), EIO));
  EXPECT_TRUE(folder.names().empty());
}

TEST(NewFile, OnlyWhatOutlastsPowerCutsWaitsForTheDisk) {
  const Folder folder;
  Fault::files = Fault::folders = 0;
  for (const auto then : {NewFile::Then::close, NewFile::Then::go_on}) {
    NewFile file("save", folder.file("picture"), Existing::replaced, NewFile::Lasts::kills);
    file.write("x");
    file.publish(then);
  }
  EXPECT_EQ(Fault::files, 0);
  EXPECT_EQ(Fault::folders, 0);
  save(folder.file("x"), "new");
  EXPECT_EQ(Fault::files, 1);
  EXPECT_EQ(Fault::folders, 1);
  NewFile file("save", folder.file("x"), Existing::replaced);
  file.write("newer");
  file.complete();
  EXPECT_EQ(Fault::files, 2);
  EXPECT_EQ(read(folder.file("x")), "new");
  file.publish();
  EXPECT_EQ(Fault::files, 2);
  EXPECT_EQ(Fault::folders, 2);
  EXPECT_EQ(read(folder.file("x")), "newer");
}

TEST(NewFile, RemovesThemAlsoWhereItWritesOn) {
  const Folder folder;
  const std::string path = folder.file("x");
  write(path, "old\n");
  write(path + ".0123456789abcdef.tmp", "left");
  NewFile file("log", path, NewFile::Existing::kept, NewFile::Lasts::kills);
  EXPECT_EQ(folder.names(), std::vector<std::string>{"x"});
}

TEST(NewFile, RemovesWhatKilledProcessesLeft) {
  const Folder folder;
  const std::string path = folder.file("x"), left = path + "." + digits + ".tmp";
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

TEST(NewFile, CutsWhatWasPublished) {
  const Folder folder;
  NewFile file("save", folder.file("x"), Existing::refused);
  file.write("abcdef");
  file.publish(NewFile::Then::go_on);
  EXPECT_EQ(file.size(), 6);
  file.cut(4);
  file.write("x");
  EXPECT_EQ(file.size(), 5);
  EXPECT_EQ(read(folder.file("x")), "abcdx");
  NewFile pipe("save", "/dev/null", Existing::replaced);
  pipe.write("abc");
  pipe.cut(1);  // nothing to cut there
  EXPECT_EQ(pipe.size(), 3);
  EXPECT_TRUE(pipe.direct());
}

TEST(NewFile, WhatIsWrittenDirectlyIsClosedWithCareToo) {
  const Fault fault("close", EIO);
  EXPECT_EQ(thrown([] { save("/dev/null", "x"); }), refusal("/dev/null", EIO));
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

TEST(NewFile, LinksStayLinks) {
  const Folder folder;
  std::filesystem::create_directory(folder.file("far"));
  const std::string near = folder.file("near"), second = folder.file("second");
  ASSERT_EQ(::symlink("second", near.c_str()), 0);
  ASSERT_EQ(::symlink("far/file", second.c_str()), 0);
  for (const Existing existing : {Existing::refused, Existing::replaced, Existing::replaced}) {  // it dangles at first
    save(near, "new", existing);
    EXPECT_TRUE(is_link(near) && is_link(second));
    EXPECT_EQ(read(folder.file("far/file")), "new");
  }
  EXPECT_EQ(folder.names().size(), 3u);
  ASSERT_EQ(::symlink("loop", folder.file("loop").c_str()), 0);
  EXPECT_EQ(thrown([&] { save(folder.file("loop"), "x"); }), refusal(folder.file("loop"), ELOOP));
  ASSERT_EQ(::symlink("no/where", folder.file("lost").c_str()), 0);
  EXPECT_EQ(thrown([&] { save(folder.file("lost"), "x"); }), refusal(folder.file("lost"), ENOENT, " (create the directory first?)"));
  EXPECT_TRUE(is_link(folder.file("lost")));
}

TEST(NewFile, StandardOutputKeepsWhatWasPrinted) {
  for (const char* name : {"/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"}) {
    const Folder folder;
    EXPECT_EQ(in_a_child([&] {
                if (!std::freopen(folder.file("out").c_str(), "w", stdout)) return 2;
                const std::size_t before = folder.names().size();
                for (int i = 0; i < 3; ++i) {
                  std::printf("line %d\n", i);
                  save(name, "picture\n", i == 0 ? Existing::refused : Existing::replaced);
                }
                std::printf("end\n");
                std::fflush(stdout);
                return folder.names().size() == before ? 0 : 3;
              }),
              "exit 0");
    EXPECT_EQ(read(folder.file("out")), "line 0\npicture\nline 1\npicture\nline 2\npicture\nend\n") << name;
    EXPECT_EQ(is_link("/dev/stdout"), true);
  }
}

TEST(NewFile, OpenDescriptorsAreWrittenThrough) {
  const Folder folder;
  const int own = ::open(folder.file("own").c_str(), O_RDWR | O_CREAT, 0600);
  ASSERT_EQ(::write(own, "before,", 7), 7);
  const std::string number = std::to_string(own), link = folder.file("link");
  ASSERT_EQ(::symlink(("/proc/self/fd/" + number).c_str(), link.c_str()), 0);
  save("/dev/fd/" + number, "one,");
  save("/proc/" + std::to_string(::getpid()) + "/fd/" + number, "two,");
  save("/proc/thread-self/fd/" + number, "three,");
  save(link, "four,");
  ::unlink(folder.file("own").c_str());  // its name is no name of it any more
  save(link, "five");
  EXPECT_TRUE(is_link(link));
  EXPECT_EQ(folder.names(), std::vector<std::string>{"link"});
  const std::string ours = "/proc/" + std::to_string(::getpid()) + "/fd/" + number;
  EXPECT_EQ(in_a_child([&] {
              ::close(own);
              save(ours, ",a child's");
              return 0;
            }),
            "exit 0");
  std::string text(100, '\0');
  text.resize(static_cast<std::size_t>(::pread(own, text.data(), text.size(), 0)));
  EXPECT_EQ(text, "before,one,two,three,four,five,a child's");
  ::close(own);
  EXPECT_EQ(thrown([&] { save(link, "x"); }), refusal(link, ENOENT, " (create the directory first?)"));
}

TEST(NewFile, NeverTakesTheDescriptorsOfAProgramThatWasStartedWithout) {
  for (const int missing : {0, 1, 2}) {
    const Folder folder;
    EXPECT_EQ(in_a_child([&] {
                ::close(missing);
                NewFile file("save", folder.file("x"), Existing::replaced);
                const bool taken = ::write(missing, "a message\n", 10) >= 0;
                file.write("bytes");
                file.publish();
                return taken || ::fcntl(missing, F_GETFD) >= 0 ? 1 : 0;
              }),
              "exit 0");
    EXPECT_EQ(read(folder.file("x")), "bytes");
  }
}

TEST(NewFile, OpenFileTakesNoStandardDescriptorForReadingEither) {
  EXPECT_EQ(in_a_child([&] {
              for (const int standard : {0, 1, 2}) ::close(standard);
              const int file = capstan::detail::open_file("/dev/zero", O_RDONLY);
              return file > 2 && (::fcntl(file, F_GETFD) & FD_CLOEXEC) ? 0 : 1;
            }),
            "exit 0");
}
