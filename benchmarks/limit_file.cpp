#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "limits.h"

// Plain system calls, as large as they may be. An error ends the program: its time would mean nothing.

namespace {

void check(bool good, const char* what) {
  if (good) return;
  std::perror(what);
  std::exit(1);
}

}  // namespace

void limits::write_file(const char* path, const char* bytes, std::size_t size) {
  const int file = ::open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  check(file >= 0, path);
  for (std::size_t at = 0; at < size;) {
    const ssize_t count = ::write(file, bytes + at, size - at);
    check(count > 0, "write");
    at += static_cast<std::size_t>(count);
  }
  check(::fsync(file) == 0, "fsync");
  check(::close(file) == 0, "close");
}

void limits::read_file(const char* path, char* bytes, std::size_t size) {
  const int file = ::open(path, O_RDONLY | O_CLOEXEC);
  check(file >= 0, path);
  for (std::size_t at = 0; at < size;) {
    const ssize_t count = ::read(file, bytes + at, size - at);
    check(count > 0, "read");
    at += static_cast<std::size_t>(count);
  }
  check(::close(file) == 0, "close");
}
