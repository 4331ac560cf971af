#pragma once
#include <capstan/data/byte_source.h>

#include <bit>
#include <memory>

// Private: an IDX file front to back, for read_idx() and the data sets in that format.
namespace capstan::data {

/// The first bytes are two zeros, a type and the number of axes. Then each axis' size follows, and the elements; all numbers are
/// big-endian.
class IdxReader {
 public:
  /// Opens the file and reads its header. Throws what read_idx() says, in the name of `op`.
  IdxReader(const char* op, const std::string& path);

  static constexpr bool swapped = std::endian::native == std::endian::little;
  Stored type() const noexcept { return type_; }
  const Shape& shape() const noexcept { return shape_; }
  /// The elements, and nothing read of them yet.
  ByteSource& elements() noexcept { return *bytes_; }
  /// Refuses what is behind them.
  void end();

 private:
  std::uint64_t read_header();
  void take(char* to, std::size_t count);

  const char* op_;
  RegularFile file_;
  std::unique_ptr<ByteSource> bytes_;
  Stored type_{};
  Shape shape_;
};

}  // namespace capstan::data
