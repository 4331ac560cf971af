#pragma once
#include <cstdint>
#include <string>
#include <string_view>

// Private: how the library opens files, and how it writes them.
namespace capstan::detail {

/// A descriptor that is closed with its scope.
struct Descriptor {
  int number = -1;

  explicit Descriptor(int n) noexcept : number(n) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor();
  void close() noexcept;
};

/// open(2) with O_CLOEXEC; -1 and errno when that fails. Never gives 0, 1 or 2, which a program may have been started without:
/// what is printed later would go into the file.
int open_file(const char* path, int flags, unsigned mode = 0) noexcept;

/// Sixteen hexadecimal digits that no other file's name has; a process of the same number may have lived here before.
std::string unique_digits();

/// A file that comes to its path at once when it is complete, or not at all:
///
///   NewFile file("save", path, NewFile::Existing::replaced);
///   file.write(bytes);
///   file.publish();
///
/// Until publish() it has a name of its own in the same folder: the path's, 16 random digits and `.tmp`. It is locked (flock) as long. A
/// process that is killed leaves such a file, without the lock: the next NewFile of that path removes it.
/// The new file has the mode of the old one. Links stay links: the file lies where they lead, also when nothing is there yet.
/// Devices, pipes and open descriptors (/dev/stdout, /proc/self/fd/3) are written to directly, behind what they got before.
/// Throws IoError that begins with `op` and names the path and the system's reason. The path then holds what it held before.
class NewFile {
 public:
  /// What happens to a file that is there: kept is written on, in its place.
  enum class Existing { refused, replaced, kept };
  /// What a published file outlasts. power_cuts brings the file and its name to the disk, which takes the disk's time. The path then holds
  /// the old file or the new one, whole. kills is for what can be made again, as pictures and logs.
  enum class Lasts { kills, power_cuts };
  enum class Then { close, go_on };

  NewFile(const char* op, const std::string& path, Existing existing, Lasts lasts = Lasts::power_cuts);
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile();

  /// Appends all of the bytes or, when that fails, none of them.
  void write(std::string_view bytes);
  /// Brings what was written to the system, and to the disk when it is to outlast power cuts. publish() does so itself. Who calls it
  /// wants to know first that this can be done. Nothing can be written after it.
  void complete();
  /// Brings the file to its path. With Then::go_on, as for a log, more may be written there.
  void publish(Then then = Then::close);
  /// Brings what was written so far to the disk.
  void sync();
  /// Cuts off what is behind the first `size` bytes of a published file. Nothing happens to what is written to directly.
  void cut(std::int64_t size);

  const std::string& path() const noexcept { return path_; }
  /// Where links lead.
  const std::string& target() const noexcept { return target_; }
  /// Whether this is a device, a pipe or an open descriptor.
  bool direct() const noexcept { return direct_; }
  /// The file's length; of what is written to directly, how much of it was.
  std::int64_t size() const;
  /// The bytes [begin, begin + count) of the file, fewer where it ends before. Nothing of what is written to directly.
  std::string read(std::int64_t begin, std::int64_t count) const;

 private:
  bool follow_links();
  void open_directly(int number);
  void open_behind(std::int64_t size);
  void open_beside(bool exists, unsigned mode);
  bool lock() noexcept;
  void flush(int number) const;
  void place();
  void rename();
  [[noreturn]] void refuse(int error) const;
  [[noreturn]] void refuse_existing() const;

  const char* op_;
  std::string path_, target_;  // as it was given, and where links lead
  std::string unpublished_;    // the name to remove should this object go before publish()
  Existing existing_;
  Lasts lasts_;
  Descriptor file_{-1};
  Descriptor lock_{-1};  // holds the lock once more, so that closing file_ does not end it before the rename
  bool direct_ = false;
  std::int64_t size_ = 0;
};

}  // namespace capstan::detail
