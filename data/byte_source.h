#pragma once
#include <capstan/core/tensor.h>
#include <capstan/data/file.h>
#include <capstan/data/stored_type.h>

#include <zlib.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

// Private: bytes one after the other, as they lie in a file or as they inflate, and the numbers that they are.
namespace capstan::data {

class ByteSource {
 public:
  ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  virtual ~ByteSource() = default;
  /// Puts the next `count` bytes at `to`, fewer only where they end. Returns how many.
  virtual std::size_t read(char* to, std::size_t count) = 0;
};

/// The bytes [begin, end) of a file, which has them.
class FilePart final : public ByteSource {
 public:
  FilePart(const RegularFile& file, std::uint64_t begin, std::uint64_t end) : file_(file), at_(begin), end_(end) {}
  std::size_t read(char* to, std::size_t count) override;
  /// The place in the file of the next byte.
  std::uint64_t at() const noexcept { return at_; }
  std::uint64_t left() const noexcept { return end_ - at_; }

 private:
  const RegularFile& file_;
  std::uint64_t at_, end_;
};

/// Passes bytes on, and computes the CRC-32 of `crc`'s bytes and these.
class Summed final : public ByteSource {
 public:
  explicit Summed(ByteSource& from, std::uint32_t crc = 0) : from_(from), crc_(crc) {}
  std::size_t read(char* to, std::size_t count) override;
  std::uint32_t crc() const noexcept { return crc_; }

 private:
  ByteSource& from_;
  std::uint32_t crc_;
};

/// What a part of a file inflates to: one stream of deflate (RFC 1951), or members of gzip (RFC 1952), whose checksums are compared.
/// Throws FormatError naming `op`, `source` and the byte of the file. It does for what is no such stream, for one that ends too early,
/// and for what follows it.
class Inflated final : public ByteSource {
 public:
  enum class Form { deflate, gzip };

  Inflated(const char* op, const std::string& source, const RegularFile& file, std::uint64_t begin, std::uint64_t end, Form form);
  ~Inflated() override;
  std::size_t read(char* to, std::size_t count) override;

 private:
  void fill();
  void end_stream();
  [[noreturn]] void refuse(const char* rule, const char* found) const;

  const char* op_;
  const std::string& source_;
  FilePart from_;
  Form form_;
  bool ended_ = false;
  z_stream stream_{};
  std::array<unsigned char, 1 << 15> piece_;
};

/// The most that so many bytes of deflate inflate to: 258 for two bits.
constexpr std::uint64_t most_inflated(std::uint64_t bytes) noexcept { return bytes > UINT64_MAX / 1032 ? UINT64_MAX : 1032 * bytes; }

/// The number of bytes that a shape's elements take in a file; false when it has more than 2^48 of them. As in a Shape, sizes of 0 are left
/// out of that product.
bool stored_bytes(const std::uint64_t* sizes, std::size_t axes, Stored type, std::uint64_t& bytes) noexcept;

/// Reads a tensor's elements, row-major, in this processor's order of bytes or the other one. The caller knows that `bytes` can have them.
/// Throws FormatError naming `op` and `source`: where the bytes end too early, and for a number that dtype_of(type) does not hold.
Tensor read_numbers(const char* op, const std::string& source, ByteSource& bytes, Stored type, bool swapped, const Shape& shape);

}  // namespace capstan::data
