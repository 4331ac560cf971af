// The one writer of files: that they come to their path whole or not at all, where the system's functions fail, too.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstring>

#include "../files.h"
#include "new_file.h"
#include "support.h"

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
