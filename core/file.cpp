#include <capstan/core/file.h>

#include <capstan/core/text.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <new>
#include <utility>
#ifdef __linux__
#include <sys/vfs.h>
#endif

// How files are opened and written. A new file is written beside its path under a name of its own; complete() brings it to the disk,
// publish() renames it. What stands for something open already (/dev/stdout, a pipe) is written to directly. All that the library writes
// goes through here: tests/arrows.cmake looks for other ways.

namespace capstan::detail {

namespace {

/// The folder of a path, as open(2) takes it.
std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

/// Whether a file of this folder stands for something that is open already, and cannot be replaced by another file.
bool holds_descriptors(const std::string& folder) {
#ifdef __linux__
  constexpr auto procfs = 0x9fa0;
  struct statfs info;
  return ::statfs(folder.c_str(), &info) == 0 && info.f_type == procfs;
#else
  return folder == "/dev/fd";
#endif
}

std::string real_path(const char* path) {
  char* const real = ::realpath(path, nullptr);
  const std::string s = real ? real : "";
  std::free(real);
  return s;
}

/// The number of this process's descriptor that a path in such a folder names; -1 for anything else.
int own_descriptor(const std::string& path) {
  const std::string name = path.substr(path.rfind('/') + 1), folder = real_path(folder_of(path).c_str());
  if (name.empty() || name.size() > 9 || name.find_first_not_of("0123456789") != std::string::npos) return -1;
  const std::string self = real_path("/proc/self");
  const bool mine = folder == "/dev/fd" || folder == self + "/fd" || (folder.starts_with(self + "/task/") && folder.ends_with("/fd"));
  return mine ? std::atoi(name.c_str()) : -1;
}

/// What a name begins with that a new file has until it is published: a name has at most 255 bytes.
std::string beginning(const std::string& target) { return target.substr(0, std::min(target.size(), target.rfind('/') + 1 + 200)) + "."; }

/// Removes what killed processes left beside the target. A file that somebody writes is locked; one that cannot be locked stays.
void remove_leftovers(const std::string& target) noexcept try {
  const std::string start = beginning(target), folder = folder_of(target);
  const std::string_view name = std::string_view(start).substr(start.rfind('/') + 1);
  const auto close = [](DIR* d) { ::closedir(d); };
  const std::unique_ptr<DIR, decltype(close)> entries(::opendir(folder.c_str()), close);
  if (!entries) return;
  while (const dirent* entry = ::readdir(entries.get())) {
    const std::string_view found = entry->d_name;
    if (found.size() != name.size() + 20 || !found.starts_with(name) || !found.ends_with(".tmp")) continue;
    if (found.substr(name.size(), 16).find_first_not_of("0123456789abcdef") != std::string_view::npos) continue;
    const std::string path = start.substr(0, start.size() - name.size()) + std::string(found);
    Descriptor file(open_file(path.c_str(), O_WRONLY | O_NOFOLLOW | O_NONBLOCK));
    if (file.number < 0) file.number = open_file(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);  // has the mode of its target
    struct stat info;
    if (file.number < 0 || ::fstat(file.number, &info) != 0 || !S_ISREG(info.st_mode)) continue;
    if (::flock(file.number, LOCK_EX | LOCK_NB) == 0) ::unlink(path.c_str());
  }
} catch (const std::bad_alloc&) {  // next time, then
}

}  // namespace

Descriptor::~Descriptor() { close(); }
void Descriptor::close() noexcept {
  if (number >= 0) ::close(number);
  number = -1;
}

std::string unique_digits() {
  static std::atomic<std::uint64_t> counter{0};
  std::uint64_t z = static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count()) ^
                    static_cast<std::uint64_t>(::getpid()) << 40 ^ ++counter << 20;
  std::string digits(16, '0');
  for (char& digit : digits) {  // splitmix64
    std::uint64_t x = z += 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    digit = "0123456789abcdef"[x >> 60];
  }
  return digits;
}

int open_file(const char* path, int flags, unsigned mode) noexcept {
  const int first = ::open(path, flags | O_CLOEXEC, mode);
  if (first < 0 || first > 2) return first;
  const int above = ::fcntl(first, F_DUPFD_CLOEXEC, 3), error = errno;
  ::close(first);
  errno = error;
  return above;
}

NewFile::NewFile(const char* op, const std::string& path, Existing existing, Lasts lasts)
    : op_(op), path_(path), target_(path), existing_(existing), lasts_(lasts) {
  if (path.find('\0') != std::string::npos) fail<IoError>(op_, "a path must not hold a zero byte: ", path.c_str());
  const bool descriptor = follow_links();
  struct stat info;
  const bool exists = ::stat(target_.c_str(), &info) == 0;
  if (!exists && (descriptor || errno != ENOENT)) refuse(errno);
  if (exists && S_ISDIR(info.st_mode)) refuse(EISDIR);
  if (descriptor || (exists && !S_ISREG(info.st_mode)))
    open_directly(descriptor ? own_descriptor(target_) : -1);
  else if (exists && existing_ == Existing::refused)
    refuse_existing();
  else if (exists && existing_ == Existing::kept)
    open_behind(info.st_size);
  else
    open_beside(exists, exists ? info.st_mode & 0777 : 0);
}

NewFile::~NewFile() {
  if (!unpublished_.empty()) ::unlink(unpublished_.c_str());
}

/// Whether the path leads to an open descriptor; links beyond it are not followed, as they only tell the file's former name.
bool NewFile::follow_links() {
  for (int links = 0; links <= 40; ++links) {
    if (holds_descriptors(folder_of(target_))) return true;
    char text[PATH_MAX];
    const ssize_t size = ::readlink(target_.c_str(), text, sizeof text);
    if (size < 0) return false;  // no link
    const std::string to(text, static_cast<std::size_t>(size));
    target_ = to.starts_with('/') ? to : target_.substr(0, target_.rfind('/') + 1) + to;
  }
  refuse(ELOOP);
}

void NewFile::open_directly(int number) {
  if (number == STDOUT_FILENO) std::fflush(stdout);  // what was printed before stands before this
  direct_ = true;
  // A copy has the descriptor's place in the file; opened once more, each would write over the other's bytes.
  file_.number = number >= 0 ? ::fcntl(number, F_DUPFD_CLOEXEC, 3) : open_file(target_.c_str(), O_WRONLY | O_APPEND);
  if (file_.number < 0) refuse(errno);
}

void NewFile::open_behind(std::int64_t size) {
  remove_leftovers(target_);
  file_.number = open_file(target_.c_str(), O_RDWR | O_APPEND);
  if (file_.number < 0) refuse(errno);
  size_ = size;
}

void NewFile::open_beside(bool exists, unsigned mode) {
  remove_leftovers(target_);
  const std::string start = beginning(target_);
  do {
    file_.close();
    unpublished_ = start + unique_digits() + ".tmp";
    file_.number = open_file(unpublished_.c_str(), O_RDWR | O_APPEND | O_CREAT | O_EXCL, 0666);
    if (file_.number < 0 && errno != EEXIST) {
      const int error = errno;
      unpublished_.clear();
      refuse(error);
    }
  } while (file_.number < 0 || !lock());
  if (exists) static_cast<void>(::fchmod(file_.number, mode));  // where the file's owner is another: no
}

/// Whether the file is this process's to write: another may have taken it for a leftover before it was locked. A file system without locks
/// has no such others.
bool NewFile::lock() noexcept {
  if (::flock(file_.number, LOCK_EX | LOCK_NB) != 0) return errno != EWOULDBLOCK;
  struct stat info;
  if (::fstat(file_.number, &info) == 0 && info.st_nlink == 0) return false;
  lock_.close();
  lock_.number = ::fcntl(file_.number, F_DUPFD_CLOEXEC, 3);
  return true;
}

void NewFile::write(std::string_view bytes) {
  const std::int64_t before = size_;
  while (!bytes.empty()) {
    const ssize_t written = ::write(file_.number, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      const int error = errno;
      // Part of the bytes may have fitted on the disk: readers never see half a line.
      if (!direct_ && size_ != before && ::ftruncate(file_.number, static_cast<off_t>(before)) == 0) size_ = before;
      refuse(error);
    }
    size_ += written;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

/// fsync(2); that a file system has none is no error.
void NewFile::flush(int number) const {
  while (::fsync(number) != 0) {
    if (errno == EINVAL || errno == ENOTSUP) return;
    if (errno != EINTR) refuse(errno);
  }
}

void NewFile::sync() { flush(file_.number); }

// A full disk or quota may show only when the system has to keep what it took: while it can be told, nothing is renamed.
void NewFile::complete() {
  if (file_.number < 0) return;
  if (!unpublished_.empty() && lasts_ == Lasts::power_cuts) sync();
  if (::close(std::exchange(file_.number, -1)) != 0 && errno != EINTR) refuse(errno);
}

void NewFile::publish(Then then) {
  if (then == Then::close)
    complete();
  else if (!unpublished_.empty() && lasts_ == Lasts::power_cuts)
    sync();
  if (!unpublished_.empty()) place();
  unpublished_.clear();
  lock_.close();
}

/// Renames the file and brings its name to the disk. The old file has a second name until that is done.
void NewFile::place() {
  if (lasts_ == Lasts::kills) return rename();
  const Descriptor folder(open_file(folder_of(target_).c_str(), O_RDONLY | O_DIRECTORY));
  if (folder.number < 0 && errno != EACCES) refuse(errno);  // a folder that may not be read cannot be brought to the disk
  std::string old = beginning(target_) + unique_digits() + ".tmp";
  const bool linked = existing_ == Existing::replaced && ::link(target_.c_str(), old.c_str()) == 0;
  const bool fresh = existing_ != Existing::replaced || (!linked && errno == ENOENT);
  try {
    rename();
    unpublished_.clear();
    if (folder.number >= 0) flush(folder.number);
  } catch (...) {  // without hard links the new file stays, which is whole as well
    const bool renamed = unpublished_.empty();
    if (renamed && fresh) ::unlink(target_.c_str());
    if (linked && !(renamed && ::rename(old.c_str(), target_.c_str()) == 0)) ::unlink(old.c_str());
    throw;
  }
  if (linked) ::unlink(old.c_str());
}

void NewFile::rename() {
  if (existing_ != Existing::replaced) {  // somebody may have been faster; a link, unlike a rename, replaces nothing
    if (::link(unpublished_.c_str(), target_.c_str()) == 0) {
      ::unlink(unpublished_.c_str());
      return;
    }
    if (errno == EEXIST || ::access(target_.c_str(), F_OK) == 0) refuse_existing();
  }  // else a file system without links
  if (::rename(unpublished_.c_str(), target_.c_str()) != 0) refuse(errno);
}

std::int64_t NewFile::size() const {
  struct stat info;
  if (!direct_ && ::fstat(file_.number, &info) != 0) refuse(errno);
  return direct_ ? size_ : std::int64_t{info.st_size};
}

std::string NewFile::read(std::int64_t begin, std::int64_t count) const {
  std::string bytes(static_cast<std::size_t>(direct_ ? 0 : count), '\0');
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n = ::pread(file_.number, bytes.data() + done, bytes.size() - done, static_cast<off_t>(begin) + static_cast<off_t>(done));
    if (n == 0) break;
    if (n < 0 && errno != EINTR) refuse(errno);
    if (n > 0) done += static_cast<std::size_t>(n);
  }
  bytes.resize(done);
  return bytes;
}

void NewFile::cut(std::int64_t size) {
  if (direct_) return;
  while (::ftruncate(file_.number, size) != 0)
    if (errno != EINTR) refuse(errno);
  size_ = size;
}

void NewFile::refuse(int error) const {
  const char* hint = error == ENOENT                      ? " (create the directory first?)"
                     : error == ENOSPC || error == EDQUOT ? " (free some space, or write elsewhere)"
                                                          : " (write elsewhere?)";
  fail<IoError>(op_, "cannot write the file: ", path_, ": ", reason(error), hint);
}

void NewFile::refuse_existing() const {
  fail<IoError>(op_, "the file must not exist yet: ", path_, " (choose another name, or allow overwriting)");
}

}  // namespace capstan::detail
