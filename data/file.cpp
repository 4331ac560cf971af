#include <capstan/data/file.h>

#include <capstan/core/text.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace capstan::data {

using capstan::detail::fail;

namespace {

struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

[[noreturn]] void unreadable(const char* op, const std::string& path, int error) {
  fail<IoError>(op, "the file must be readable: ", path, ": ", std::generic_category().message(error));
}

}  // namespace

Bytes read_file(const char* op, const std::string& path) {
  if (path.find('\0') != std::string::npos) fail<IoError>(op, "a path must not hold a zero byte: ", path.c_str());
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.fd < 0) unreadable(op, path, errno);
  struct stat info;
  if (::fstat(file.fd, &info) != 0) unreadable(op, path, errno);
  if (S_ISCHR(info.st_mode) || S_ISBLK(info.st_mode)) fail<IoError>(op, "a file is needed: ", path, " is a device");

  // One byte more than the file claims to have shows its end without growing the buffer; a pipe claims none.
  std::size_t capacity = std::max<std::size_t>(static_cast<std::size_t>(info.st_size) + 1, std::size_t{1} << 16);
  Bytes bytes{std::make_unique_for_overwrite<char[]>(capacity), 0};
  for (;;) {
    if (bytes.size == capacity) {
      auto larger = std::make_unique_for_overwrite<char[]>(2 * capacity);
      std::memcpy(larger.get(), bytes.data.get(), bytes.size);
      bytes.data = std::move(larger);
      capacity *= 2;
    }
    const ssize_t count =
        ::read(file.fd, bytes.data.get() + bytes.size, std::min<std::size_t>(capacity - bytes.size, std::size_t{1} << 30));
    if (count == 0) return bytes;
    if (count > 0)
      bytes.size += static_cast<std::size_t>(count);
    else if (errno != EINTR)
      unreadable(op, path, errno);
  }
}

}  // namespace capstan::data
