#pragma once
#include <capstan/core/file.h>

#include <memory>
#include <new>
#include <string>
#include <string_view>

// Private: how a file comes into memory.
namespace capstan::data {

/// The bytes of a file or pipe, a piece at a time. Throws IoError naming `op`, the path and the system's reason; also for a device.
class FileReader {
 public:
  FileReader(const char* op, const std::string& path);
  /// The next ones, which stay until the next call; none at the end.
  std::string_view next();

 private:
  [[noreturn]] void refuse(int error) const;

  const char* op_;
  const std::string& path_;
  detail::Descriptor file_;
  std::unique_ptr<char[]> piece_;
};

/// std::bad_alloc that names the file. The text lies in the object: there may be no memory for another.
class NoRoomForFile final : public std::bad_alloc {
 public:
  NoRoomForFile(const char* op, const std::string& path) noexcept;
  const char* what() const noexcept override { return text_; }

 private:
  char text_[512];
};

}  // namespace capstan::data
