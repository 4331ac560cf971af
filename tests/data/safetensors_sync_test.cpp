#include <capstan/core/create.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "safetensors.h"

// That save() brings the file and its name to the disk before it returns: this program's own fsync() counts what it is called for.

using namespace capstan;

namespace {
int files = 0, folders = 0;
}

extern "C" int fsync(int descriptor) {
  struct stat info;
  if (::fstat(descriptor, &info) == 0) ++(S_ISDIR(info.st_mode) ? folders : files);
  return static_cast<int>(::syscall(SYS_fsync, descriptor));
}

TEST(Safetensors, IsOnTheDiskWhenSaveReturns) {
  const Scratch file;
  files = folders = 0;
  save(file.path(), TensorMap({{"x", ones({3})}}));
  EXPECT_EQ(files, 1);
  EXPECT_EQ(folders, 1);
}
