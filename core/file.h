#pragma once
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
};

/// open(2) with O_CLOEXEC; -1 and errno when that fails. Never gives 0, 1 or 2, which a program may have been started without:
/// what is printed later would go into the file.
int open_file(const char* path, int flags, unsigned mode = 0) noexcept;

/// A file that comes to its path at once when it is complete, or not at all:
///
///   NewFile file("save", path, NewFile::Existing::replaced);
///   file.write(bytes);
///   file.publish();
///
/// Until publish() it has a name of its own in the same folder: the path's, 16 random digits and `.tmp`. A process that is killed
/// leaves such a file, which is in nobody's way. After a loss of power the path holds the old file or the new one, whole.
/// The new file has the mode of the old one. Links stay links: the file lies where they lead, also when nothing is there yet.
/// Devices, pipes and open descriptors (/dev/stdout, /proc/self/fd/3) are written to directly, behind what they got before.
/// Throws IoError that begins with `op` and names the path and the system's reason.
class NewFile {
 public:
  /// What happens to a file that is there: kept is written on, in its place.
  enum class Existing { refused, replaced, kept };
  enum class Then { close, go_on };

  NewFile(const char* op, const std::string& path, Existing existing);
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile();

  /// Appends all of the bytes or, when that fails, none of them.
  void write(std::string_view bytes);
  /// Brings what was written to the disk, and the file to its path. With Then::go_on, as for a log, more may be written there.
  void publish(Then then = Then::close);
  const std::string& path() const noexcept { return path_; }

 private:
  bool follow_links();
  void open_directly(int number);
  void open_behind(long long size);
  void open_beside(bool exists, unsigned mode);
  void rename();
  [[noreturn]] void refuse(int error) const;
  [[noreturn]] void refuse_existing() const;

  const char* op_;
  std::string path_, target_;  // as it was given, and where links lead
  std::string unpublished_;    // the name to remove should this object go before publish()
  Existing existing_;
  Descriptor file_{-1};
  bool direct_ = false;
  long long size_ = 0;
};

}  // namespace capstan::detail
