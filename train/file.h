#pragma once
#include <string>
#include <string_view>

namespace capstan::train::detail {

/// A file that appears under its path only when publish() is called, and not at all when something fails before.
/// With `overwrite` it is written under a temporary name beside the path and renamed, with the mode that the file there has; a
/// link stays one. Without, the path must be new (IoError). A path that names a device or a pipe is written to directly. `op` opens every
/// error text.
class NewFile {
 public:
  NewFile(const char* op, const std::string& path, bool overwrite);
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile();

  /// Appends all of the bytes or, when that fails, none of them: IoError with the path and the system's reason.
  void write(std::string_view bytes);
  void publish();
  const std::string& path() const noexcept { return path_; }

 private:
  [[noreturn]] void refuse(int error) const;

  const char* op_;
  std::string path_, target_;  // as it was given, and where links lead
  std::string unpublished_;    // the name to remove should this object go before publish()
  int descriptor_ = -1;
  long long size_ = 0;
  bool regular_ = true;
};

}  // namespace capstan::train::detail
