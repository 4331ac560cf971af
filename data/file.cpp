#include <capstan/data/file.h>

#include <capstan/core/text.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

// Reads a file in pieces of fixed size, whatever its length, with the path in each error.

namespace capstan::data {

using capstan::detail::fail;

namespace {

constexpr std::size_t piece_size = std::size_t{1} << 18;

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

void FileReader::refuse(int error) const { fail<IoError>(op_, "the file must be readable: ", path_, ": ", detail::reason(error)); }

NoRoomForFile::NoRoomForFile(const char* op, const std::string& path) noexcept {
  std::snprintf(text_, sizeof text_, "[%s] the system must have room for the file's content: %.400s (read a part of it at a time)", op,
                path.c_str());
}

}  // namespace capstan::data
