#include <capstan/data/zip.h>

#include <algorithm>

// Writes what surrounds the members of a zip archive, as Python's zipfile does for numpy.savez: sizes in ZIP64 fields before each member,
// and in the directory where they are 2^31 or more. Called by write_npz().

namespace capstan::data {

using std::uint64_t;

namespace {

constexpr uint64_t limit = 0x7fffffff;
constexpr uint64_t version = 45;      // that knows ZIP64
constexpr uint64_t first_day = 0x21;  // 1 January 1980

void append(std::string& bytes, uint64_t value, int size) {
  for (int i = 0; i < size; ++i) bytes += static_cast<char>(value >> 8 * i & 255);
}

uint64_t flags_of(const std::string& name) {
  const bool ascii = std::all_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  return ascii ? 0 : 1 << 11;
}

/// From the flags up to the CRC, which both headers have.
void append_common(std::string& bytes, const ZipMember& m) {
  append(bytes, flags_of(m.name), 2);
  append(bytes, 0, 2);  // stored
  append(bytes, 0, 2);  // midnight
  append(bytes, first_day, 2);
  append(bytes, m.crc, 4);
}

/// A ZIP64 field with these numbers; none without them.
std::string zip64_field(std::initializer_list<uint64_t> numbers) {
  std::string bytes;
  if (numbers.size() == 0) return bytes;
  append(bytes, 1, 2);
  append(bytes, 8 * numbers.size(), 2);
  for (const uint64_t number : numbers) append(bytes, number, 8);
  return bytes;
}

void append_entry(std::string& bytes, const ZipMember& m) {
  const bool large = m.size > limit, far = m.header > limit;
  const std::string extra = large && far ? zip64_field({m.size, m.packed, m.header})
                            : large      ? zip64_field({m.size, m.packed})
                            : far        ? zip64_field({m.header})
                                         : std::string();
  constexpr uint64_t unix_system = 3, owner_reads_and_writes = 0600;
  bytes += "PK\1\2";
  append(bytes, version | unix_system << 8, 2);
  append(bytes, version, 2);
  append_common(bytes, m);
  append(bytes, large ? max32 : m.packed, 4);
  append(bytes, large ? max32 : m.size, 4);
  append(bytes, m.name.size(), 2);
  append(bytes, extra.size(), 2);
  append(bytes, 0, 2 + 2 + 2);  // no comment; the first file; no attributes of the content
  append(bytes, owner_reads_and_writes << 16, 4);
  append(bytes, far ? max32 : m.header, 4);
  bytes += m.name + extra;
}

}  // namespace

std::string zip_header(const ZipMember& m) {
  std::string bytes = "PK\3\4";
  append(bytes, version, 2);
  append_common(bytes, m);
  append(bytes, max32, 4);
  append(bytes, max32, 4);
  const std::string extra = zip64_field({m.size, m.packed});
  append(bytes, m.name.size(), 2);
  append(bytes, extra.size(), 2);
  return bytes + m.name + extra;
}

std::string zip_directory(const std::vector<ZipMember>& members, uint64_t at) {
  std::string bytes;
  for (const ZipMember& m : members) append_entry(bytes, m);
  const uint64_t count = members.size(), size = bytes.size();
  if (count > max16 || at > limit || size > limit) {
    bytes += "PK\6\6";
    append(bytes, 44, 8);  // bytes that follow
    append(bytes, version, 2);
    append(bytes, version, 2);
    append(bytes, 0, 4 + 4);  // the first file, twice
    append(bytes, count, 8);
    append(bytes, count, 8);
    append(bytes, size, 8);
    append(bytes, at, 8);
    bytes += "PK\6\7";
    append(bytes, 0, 4);
    append(bytes, at + size, 8);
    append(bytes, 1, 4);
  }
  bytes += "PK\5\6";
  append(bytes, 0, 2 + 2);  // the first file, twice
  append(bytes, std::min(count, max16), 2);
  append(bytes, std::min(count, max16), 2);
  append(bytes, std::min(size, max32), 4);
  append(bytes, std::min(at, max32), 4);
  append(bytes, 0, 2);  // no comment
  return bytes;
}

}  // namespace capstan::data
