#pragma once
#include <capstan/core/file.h>

#include <cstddef>
#include <cstdint>
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

/// A regular file that is read at any place. Throws IoError naming `op`, the path and the system's reason: for what is none, when reading
/// fails, and when the file became shorter meanwhile.
class RegularFile {
 public:
  RegularFile(const char* op, const std::string& path);

  const std::string& path() const noexcept { return path_; }
  std::uint64_t size() const noexcept { return size_; }
  /// Copies the bytes [at, at + count) to `to`.
  void read(std::uint64_t at, char* to, std::size_t count) const;
  /// The first ones, at most 64: for file_kind().
  std::string first_bytes() const;

 private:
  const char* op_;
  std::string path_;
  detail::Descriptor file_;
  std::uint64_t size_ = 0;
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
