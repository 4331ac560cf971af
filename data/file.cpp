#include <capstan/data/file.h>

#include <capstan/core/text.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

// Reads a file in pieces of fixed size, whatever its length, or at any place, with the path in each error.

namespace capstan::data {

using capstan::detail::fail;

namespace {

constexpr std::size_t piece_size = std::size_t{1} << 18;

[[noreturn]] void unreadable(const char* op, const std::string& path, int error) {
  fail<IoError>(op, "the file must be readable: ", path, ": ", detail::reason(error));
}

}  // namespace

FileReader::FileReader(const char* op, const std::string& path) : op_(op), path_(path), file_(-1) {
  if (path.find('\0') != std::string::npos) fail<IoError>(op, "a path must not hold a zero byte: ", path.c_str());
  file_.number = detail::open_file(path.c_str(), O_RDONLY);
  struct stat info;
  if (file_.number < 0 || ::fstat(file_.number, &info) != 0) refuse(errno);
  if (S_ISCHR(info.st_mode) || S_ISBLK(info.st_mode)) fail<IoError>(op, "a file is needed: ", path, " is a device");
  piece_ = std::make_unique_for_overwrite<char[]>(piece_size);
}

std::string_view FileReader::next() {
  for (;;) {
    const ssize_t count = ::read(file_.number, piece_.get(), piece_size);
    if (count >= 0) return {piece_.get(), static_cast<std::size_t>(count)};
    if (errno != EINTR) refuse(errno);
  }
}

void FileReader::refuse(int error) const { unreadable(op_, path_, error); }

RegularFile::RegularFile(const char* op, const std::string& path) : op_(op), path_(path), file_(-1) {
  if (path.find('\0') != std::string::npos) fail<IoError>(op, "a path must not hold a zero byte: ", path.c_str());
  file_.number = detail::open_file(path.c_str(), O_RDONLY | O_NONBLOCK);  // a pipe without a writer would be waited for
  struct stat info;
  if (file_.number < 0 || ::fstat(file_.number, &info) != 0) unreadable(op, path, errno);
  if (!S_ISREG(info.st_mode))
    fail<IoError>(op, "a file is needed: ", path, S_ISDIR(info.st_mode) ? " is a directory" : " is a device or a pipe");
  size_ = static_cast<std::uint64_t>(info.st_size);
}

void RegularFile::read(std::uint64_t at, char* to, std::size_t count) const {
  while (count > 0) {
    const ssize_t got = ::pread(file_.number, to, std::min(count, std::size_t{1} << 30), static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) unreadable(op_, path_, errno);
    if (got == 0) fail<IoError>(op_, "the file must not become shorter while it is read: ", path_);
    to += got;
    at += static_cast<std::uint64_t>(got);
    count -= static_cast<std::size_t>(got);
  }
}

std::string RegularFile::first_bytes() const {
  std::string bytes(std::min<std::uint64_t>(size_, 64), '\0');
  read(0, bytes.data(), bytes.size());
  return bytes;
}

NoRoomForFile::NoRoomForFile(const char* op, const std::string& path) noexcept {
  std::snprintf(text_, sizeof text_, "[%s] the system must have room for the file's content: %.400s (read a part of it at a time)", op,
                path.c_str());
}

}  // namespace capstan::data
