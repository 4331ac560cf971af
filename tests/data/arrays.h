#pragma once
#include <capstan/core/create.h>
#include <capstan/data/idx.h>
#include <capstan/data/npy.h>

#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "../files.h"
#include "support.h"

// Makes files of arrays, right and wrong ones, by hand.

/// The number in so many bytes, the lowest first.
inline std::string little(std::uint64_t number, int bytes) {
  std::string s;
  for (int i = 0; i < bytes; ++i) s += static_cast<char>(number >> 8 * i & 255);
  return s;
}

/// The number in four bytes, the highest first.
inline std::string big(std::uint64_t number) {
  const std::string s = little(number, 4);
  return {s.rbegin(), s.rend()};
}

/// An .npy of version 1.0 with this literal, or of another one.
inline std::string npy_bytes(const std::string& literal, const std::string& data, int major = 1) {
  return "\x93NUMPY" + little(static_cast<std::uint64_t>(major), 1) + little(0, 1) + little(literal.size(), major == 1 ? 2 : 4) + literal +
         data;
}

/// Such a literal, with one part in another way.
inline std::string literal(const std::string& descr = "'<f4'", const std::string& shape = "(1,)", const std::string& fortran = "False") {
  return "{'descr': " + descr + ", 'fortran_order': " + fortran + ", 'shape': " + shape + ", }\n";
}

/// An IDX file: the type, the sizes, the elements.
inline std::string idx_bytes(int type, const std::vector<std::uint64_t>& sizes, const std::string& data) {
  std::string s = little(0, 2) + little(static_cast<std::uint64_t>(type), 1) + little(sizes.size(), 1);
  for (const std::uint64_t size : sizes) s += big(size);
  return s + data;
}

/// Compressed: as a member of gzip, or by deflate alone.
inline std::string packed(const std::string& bytes, bool gzip) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, gzip ? 15 + 16 : -15, 9, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  std::string in = bytes;
  stream.next_in = reinterpret_cast<unsigned char*>(in.data());
  stream.avail_in = static_cast<unsigned>(in.size());
  stream.next_out = reinterpret_cast<unsigned char*>(out.data());
  stream.avail_out = static_cast<unsigned>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}
inline std::string gzip(const std::string& bytes) { return packed(bytes, true); }

/// One member of a zip archive as its header, its bytes and its directory entry will say. By default they say the truth.
struct Member {
  std::string name, content;
  bool deflated = false;
  std::uint64_t flags = 0, method = deflated ? 8 : 0;
  std::string bytes = deflated ? packed(content, false) : content;
  std::uint64_t crc = crc32_z(0, reinterpret_cast<const unsigned char*>(content.data()), content.size());
  std::uint64_t size = content.size(), packed_size = bytes.size();
  // The header's own, where they are others.
  std::string header_name = name;
  std::uint64_t header_flags = flags, header_method = method, header_crc = crc, header_size = size, header_packed_size = packed_size;
  std::string header_extra, entry_extra, descriptor, comment;
  std::uint64_t disk = 0;
  std::uint64_t at = 0xffffffffffffffff;  // where the directory says that it is, if elsewhere

  std::string header() const {
    return "PK\3\4" + little(20, 2) + little(header_flags, 2) + little(header_method, 2) + little(0, 4) + little(header_crc, 4) +
           little(header_packed_size, 4) + little(header_size, 4) + little(header_name.size(), 2) + little(header_extra.size(), 2) +
           header_name + header_extra + bytes + descriptor;
  }
  std::string entry(std::uint64_t place) const {
    return "PK\1\2" + little(20, 2) + little(20, 2) + little(flags, 2) + little(method, 2) + little(0, 4) + little(crc, 4) +
           little(packed_size, 4) + little(size, 4) + little(name.size(), 2) + little(entry_extra.size(), 2) + little(comment.size(), 2) +
           little(disk, 2) + little(0, 6) + little(at != 0xffffffffffffffff ? at : place, 4) + name + entry_extra + comment;
  }
};

/// What ends an archive.
inline std::string zip_end(std::uint64_t count, std::uint64_t size, std::uint64_t at, const std::string& comment = "") {
  return "PK\5\6" + little(0, 4) + little(count, 2) + little(count, 2) + little(size, 4) + little(at, 4) + little(comment.size(), 2) +
         comment;
}

/// The members and the directory of an archive, in two parts.
inline std::pair<std::string, std::string> zip_parts(const std::vector<Member>& members) {
  std::string bytes, directory;
  for (const Member& m : members) {
    directory += m.entry(bytes.size());
    bytes += m.header();
  }
  return {bytes, directory};
}

inline std::string zip_bytes(const std::vector<Member>& members) {
  const auto [bytes, directory] = zip_parts(members);
  return bytes + directory + zip_end(members.size(), directory.size(), bytes.size());
}

/// What a reader throws for a file, its path shown as FILE.
template <class Read>
std::string refusal_of(const std::string& path, Read read_file) {
  std::string text = thrown([&] { read_file(path); });
  if (const std::size_t at = text.find(path); at != std::string::npos) text.replace(at, path.size(), "FILE");
  return text;
}
/// The same for a file of these bytes.
template <class Read>
std::string refusal(const std::string& bytes, Read read_file) {
  const Scratch file("file", bytes);
  return refusal_of(file.path(), read_file);
}
inline std::string npy_throws(const std::string& bytes) { return refusal(bytes, capstan::data::read_npy); }
inline std::string npz_throws(const std::string& bytes) { return refusal(bytes, capstan::data::read_npz); }
inline std::string idx_throws(const std::string& bytes) { return refusal(bytes, capstan::data::read_idx); }

/// Every cut of a file is refused, and each flipped bit is refused or taken; nothing else comes of it. Returns how many were taken. The
/// file is one without a folder: thousands on a disk would take a minute.
template <class Read>
std::size_t cut_and_flip(const std::string& good, const char* op, Read read_file) {
  const int file = ::memfd_create("file", MFD_CLOEXEC);
  const std::string path = "/proc/self/fd/" + std::to_string(file), begin = std::string("FormatError: [") + op + "]";
  EXPECT_EQ(::write(file, good.data(), good.size()), static_cast<ssize_t>(good.size()));
  std::size_t taken = 0;
  for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
    const auto at = static_cast<off_t>(bit / 8);
    const char flipped = static_cast<char>(good[bit / 8] ^ 1 << bit % 8);
    EXPECT_EQ(::pwrite(file, &flipped, 1, at), 1);
    const std::string text = refusal_of(path, read_file);
    if (text == "nothing")
      ++taken;
    else
      EXPECT_EQ(text.substr(0, begin.size()), begin) << bit << ": " << text;
    EXPECT_EQ(::pwrite(file, &good[bit / 8], 1, at), 1);
  }
  for (std::size_t size = good.size(); size-- > 0;) {
    EXPECT_EQ(::ftruncate(file, static_cast<off_t>(size)), 0);
    EXPECT_EQ(refusal_of(path, read_file).substr(0, begin.size()), begin) << size;
  }
  ::close(file);
  return taken;
}
