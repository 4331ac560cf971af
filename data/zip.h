#pragma once
#include <capstan/data/file.h>

#include <cstdint>
#include <string>
#include <vector>

// Private: the directory of a zip archive, for .npz files (PKWARE's APPNOTE.TXT 6.3; sections in zip.cpp).
namespace capstan::data {

/// The largest numbers of 16 and 32 bits: "see the ZIP64 field".
inline constexpr std::uint64_t max16 = 0xffff, max32 = 0xffffffff;

struct ZipMember {
  std::string name;
  std::uint64_t size, packed;  // bytes of the content, and bytes that it takes in the archive
  std::uint64_t header;        // where its own header begins, in the file
  std::uint64_t begin = 0;     // where its bytes begin
  std::uint32_t crc;           // of the content
  bool deflated;               // or stored as it is
  bool described = false;      // a data descriptor follows
};

/// Reads the directory of an archive, in its order, and holds each member's own header against it. The members are stored or deflated, each
/// comes once, and they cover the file without a gap. Throws FormatError naming `op`, the file and the member for all else; IoError when
/// the file cannot be read.
std::vector<ZipMember> read_zip_directory(const char* op, const RegularFile& file);

/// A stored member's own header, which its bytes follow.
std::string zip_header(const ZipMember& member);
/// What follows all members, at byte `at` of the file.
std::string zip_directory(const std::vector<ZipMember>& members, std::uint64_t at);

}  // namespace capstan::data
