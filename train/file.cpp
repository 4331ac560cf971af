#include <capstan/core/text.h>
#include <capstan/train/file.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

namespace capstan::train::detail {

using capstan::detail::fail;

NewFile::NewFile(const char* op, const std::string& path, bool overwrite) : op_(op), path_(path), target_(path) {
  if (path.find('\0') != std::string::npos) fail<IoError>(op_, "a path must not hold a zero byte: ", path.c_str());
  static std::atomic<int> counter{0};
  struct stat info;
  const bool exists = ::stat(path.c_str(), &info) == 0;
  if (exists) {
    regular_ = S_ISREG(info.st_mode);
    if (S_ISDIR(info.st_mode)) refuse(EISDIR);
    if (regular_ && !overwrite) fail<IoError>(op_, "the file must not exist yet: ", path_, " (choose another name, or allow overwriting)");
    if (char* const real = regular_ ? ::realpath(path.c_str(), nullptr) : nullptr) {  // a link stays one
      target_ = real;
      std::free(real);
    }
  }
  std::string name = target_;
  if (regular_ && overwrite) {
    name.resize(std::min(name.size(), name.rfind('/') + 1 + 200));  // a name has at most 255 bytes
    name += "." + std::to_string(::getpid()) + "-" + std::to_string(counter++) + ".tmp";
  }
  descriptor_ = ::open(name.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | (regular_ ? O_CREAT | O_EXCL : 0), 0666);
  if (descriptor_ < 0) refuse(errno);
  if (exists && regular_) static_cast<void>(::fchmod(descriptor_, info.st_mode & 0777));  // where the file's owner is another: no
  if (regular_) unpublished_ = std::move(name);
}

NewFile::~NewFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!unpublished_.empty()) ::unlink(unpublished_.c_str());
}

void NewFile::write(std::string_view bytes) {
  const long long before = size_;
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      const int error = errno;
      // Part of the bytes may have fitted on the disk: readers never see half a line.
      if (regular_ && size_ != before && ::ftruncate(descriptor_, static_cast<off_t>(before)) == 0) size_ = before;
      refuse(error);
    }
    size_ += written;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void NewFile::publish() {
  if (!unpublished_.empty() && unpublished_ != target_ && ::rename(unpublished_.c_str(), target_.c_str()) != 0) refuse(errno);
  unpublished_.clear();
}

void NewFile::refuse(int error) const {
  const char* hint = error == ENOENT   ? " (create the directory first?)"
                     : error == ENOSPC ? " (free some space, or write elsewhere)"
                                       : " (write elsewhere?)";
  fail<IoError>(op_, "cannot write the file: ", path_, ": ", std::generic_category().message(error), hint);
}

}  // namespace capstan::train::detail
