// Loaded before fault_program, by LD_PRELOAD: a read or write of a file in the folder SHORT_IO_FOLDER takes at most SHORT_IO_BYTES bytes,
// and every third one is interrupted. At its end the program says on stderr how many were cut and interrupted. See
// tests/faults/short_io.py.
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace {

constinit std::atomic<long> calls = 0, cut = 0, interrupted = 0;  // before any constructor: OpenBLAS's own reads files

bool concerns(int file) {
  const char* const folder = std::getenv("SHORT_IO_FOLDER");
  char link[64], path[PATH_MAX];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  const ssize_t size = ::readlink(link, path, sizeof path);
  return folder && size > 0 && std::string_view(path, static_cast<std::size_t>(size)).starts_with(folder);
}

/// Makes the call with as many bytes as it is to take.
template <class Call>
ssize_t shortened(int file, std::size_t count, Call call) {
  if (!concerns(file)) return call(count);
  if (++calls % 3 == 0) {
    ++interrupted;
    errno = EINTR;
    return -1;
  }
  const char* const bytes = std::getenv("SHORT_IO_BYTES");
  const std::size_t taken = std::min(count, static_cast<std::size_t>(std::atol(bytes ? bytes : "1")));
  if (taken < count) ++cut;
  return call(taken);
}

__attribute__((destructor)) void tell() { std::fprintf(stderr, "short_io: cut %ld, interrupted %ld\n", cut.load(), interrupted.load()); }

}  // namespace

extern "C" {
ssize_t read(int file, void* to, size_t count) {
  return shortened(file, count, [&](std::size_t n) { return ::syscall(SYS_read, file, to, n); });
}
ssize_t pread(int file, void* to, size_t count, off_t at) {
  return shortened(file, count, [&](std::size_t n) { return ::syscall(SYS_pread64, file, to, n, at); });
}
ssize_t write(int file, const void* from, size_t count) {
  return shortened(file, count, [&](std::size_t n) { return ::syscall(SYS_write, file, from, n); });
}
}
