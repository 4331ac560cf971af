#include <capstan/data/zip.h>

#include <capstan/core/text.h>
#include <capstan/data/file_kind.h>
#include <capstan/data/quoted.h>

#include <algorithm>
#include <set>
#include <string_view>

// Reads a zip archive's directory: its end (4.3.16, ZIP64 4.3.14), its entries (4.3.12, ZIP64 4.5.3), each member's own header (4.3.7)
// and descriptor (4.3.9). The directory decides, and what it says twice must be the same. Called by read_npz().

namespace capstan::data {

using capstan::detail::fail;
using std::uint64_t;

namespace {

constexpr std::string_view header_mark = "PK\3\4", entry_mark = "PK\1\2", end_mark = "PK\5\6", end64_mark = "PK\6\6",
                           locator_mark = "PK\6\7", descriptor_mark = "PK\7\10";
constexpr uint64_t header_bytes = 30, entry_bytes = 46, end_bytes = 22, end64_bytes = 56, locator_bytes = 20;

/// Little-endian numbers one after the other; the caller knows that they are there.
class Fields {
 public:
  explicit Fields(std::string_view bytes) : left_(bytes) {}
  uint64_t number(std::size_t bytes) {
    uint64_t value = 0;
    for (std::size_t i = bytes; i-- > 0;) value = value << 8 | static_cast<unsigned char>(left_[i]);
    left_.remove_prefix(bytes);
    return value;
  }
  std::string_view text(std::size_t bytes) {
    const std::string_view s = left_.substr(0, bytes);
    left_.remove_prefix(bytes);
    return s;
  }
  std::size_t left() const { return left_.size(); }

 private:
  std::string_view left_;
};

/// Replaces each number that is 0xffffffff by the next one of the ZIP64 field among `extra`; false when it has too few.
bool resolve_zip64(std::string_view extra, std::initializer_list<uint64_t*> numbers) {
  std::string_view field;
  for (Fields fields(extra); fields.left() >= 4;) {
    const uint64_t id = fields.number(2), size = fields.number(2);
    if (size > fields.left()) break;
    const std::string_view content = fields.text(size);
    if (id != 1) continue;
    field = content;
    break;
  }
  Fields fields(field);
  for (uint64_t* number : numbers) {
    if (*number != max32) continue;
    if (fields.left() < 8) return false;
    *number = fields.number(8);
  }
  return true;
}

class Reader {
 public:
  Reader(const char* op, const RegularFile& file) : op_(op), file_(file) {}

  std::vector<ZipMember> read() {
    find_end();
    read_entries();
    check_cover();
    return std::move(members_);
  }

 private:
  template <class... Parts>
  [[noreturn]] void refuse(const char* rule, const Parts&... parts) const {
    fail<FormatError>(op_, rule, ": ", file_.path(), parts...);
  }
  template <class... Parts>
  [[noreturn]] void refuse(const char* rule, const ZipMember& member, const Parts&... parts) const {
    fail<FormatError>(op_, rule, ": ", file_.path(), ", '", shown(member.name), "'", parts...);
  }

  std::string bytes_at(uint64_t at, uint64_t count) const {
    std::string bytes(count, '\0');
    file_.read(at, bytes.data(), bytes.size());
    return bytes;
  }

  /// Where the directory is and how many entries it has, from the record at the file's end.
  void find_end() {
    const uint64_t size = file_.size(), tail_bytes = std::min(size, end_bytes + max16);
    const std::string tail = bytes_at(size - tail_bytes, tail_bytes);
    std::size_t at = tail_bytes < end_bytes ? std::string::npos : tail.rfind(end_mark, tail_bytes - end_bytes);
    const auto comment_fits = [&] { return Fields(std::string_view(tail).substr(at + 20)).number(2) == tail.size() - at - end_bytes; };
    while (at != std::string::npos && !comment_fits()) at = at == 0 ? std::string::npos : tail.rfind(end_mark, at - 1);
    if (at == std::string::npos) {
      const std::string first = file_.first_bytes(), kind = file_kind(first);
      if (first.starts_with("PK")) refuse("the archive must end in its directory", " has none (is it cut?)");
      refuse("a NumPy archive (.npz) is needed", kind.empty() ? " is no zip archive" : " is " + kind);
    }
    const uint64_t end = size - tail_bytes + at;
    Fields fields(std::string_view(tail).substr(at + 4));
    const uint64_t disk = fields.number(2), first_disk = fields.number(2), here = fields.number(2);
    count_ = fields.number(2);
    size_ = fields.number(4);
    begin_ = fields.number(4);
    end_ = end;
    const bool needs_zip64 = count_ == max16 || size_ == max32 || begin_ == max32;
    if ((needs_zip64 || begin_ + size_ != end_) && end >= locator_bytes) {
      const std::string locator = bytes_at(end - locator_bytes, locator_bytes);
      if (locator.starts_with(locator_mark)) return read_end64(locator, end - locator_bytes);
    }
    if (disk != 0 || first_disk != 0 || here != count_) refuse("the archive must be one file", " is one of several");
    check_place();
  }

  void read_end64(std::string_view locator, uint64_t locator_at) {
    Fields place(locator.substr(4));
    const uint64_t disk = place.number(4), at = place.number(8), disks = place.number(4);
    if (disk != 0 || disks > 1) refuse("the archive must be one file", " is one of several");
    if (at > locator_at || locator_at - at < end64_bytes)
      refuse("the ZIP64 end must lie before its locator", " says byte ", std::size_t{at});
    const std::string record = bytes_at(at, end64_bytes);
    Fields fields(std::string_view(record).substr(4));
    const uint64_t record_size = fields.number(8);
    fields.number(4);  // who wrote it, and what it needs
    const uint64_t this_disk = fields.number(4), first_disk = fields.number(4), here = fields.number(8);
    count_ = fields.number(8);
    size_ = fields.number(8);
    begin_ = fields.number(8);
    end_ = at;
    if (!record.starts_with(end64_mark) || record_size != locator_at - at - 12)
      refuse("the ZIP64 end must lie before its locator", " has none at byte ", std::size_t{at});
    if (this_disk != 0 || first_disk != 0 || here != count_) refuse("the archive must be one file", " is one of several");
    check_place();
  }

  void check_place() const {
    if (begin_ > end_ || size_ != end_ - begin_)
      refuse("the directory must end where the archive's end begins", ": it is said to have ", std::size_t{size_}, " bytes from ",
             std::size_t{begin_}, " on, the end begins at ", std::size_t{end_});
    if (count_ > size_ / entry_bytes)
      refuse("the directory must hold its entries", ": ", std::size_t{size_}, " bytes are said to be ", std::size_t{count_}, " entries");
  }

  void read_entries() {
    const std::string directory = bytes_at(begin_, size_);
    std::set<std::string> names;  // a stranger could choose names that collide in a hash table
    Fields fields(directory);
    for (uint64_t i = 0; i < count_; ++i) {
      if (fields.left() < entry_bytes || fields.text(4) != entry_mark)
        refuse("the directory must hold its entries", ": entry ", std::size_t{i}, " of ", std::size_t{count_}, " is none");
      members_.push_back(read_entry(fields));
      if (!names.insert(members_.back().name).second) refuse("a member must come once", members_.back(), " again");
      read_header(members_.back());
    }
    if (fields.left() != 0) refuse("the directory must end with its last entry", ": ", fields.left(), " bytes follow");
  }

  ZipMember read_entry(Fields& fields) const {
    ZipMember m{};
    fields.number(4);  // who wrote it, and what it needs
    const uint64_t flags = fields.number(2), method = fields.number(2);
    fields.number(4);  // time and date
    m.crc = static_cast<std::uint32_t>(fields.number(4));
    m.packed = fields.number(4);
    m.size = fields.number(4);
    const uint64_t name_size = fields.number(2), extra_size = fields.number(2), comment_size = fields.number(2), disk = fields.number(2);
    fields.number(6);  // attributes
    m.header = fields.number(4);
    if (fields.left() < name_size + extra_size + comment_size)
      refuse("the directory must hold its entries", ": the name of entry ", members_.size(), " is not in it");
    m.name = fields.text(name_size);
    const std::string_view extra = fields.text(extra_size);
    fields.text(comment_size);
    m.deflated = method == 8;
    m.described = (flags & 8) != 0;
    check_name(m.name, (flags & 1 << 11) != 0);
    if (!resolve_zip64(extra, {&m.size, &m.packed, &m.header})) refuse("sizes of 2^32 - 1 must stand in a ZIP64 field", m, " has none");
    if (disk != 0) refuse("the archive must be one file", m, " is on another one");
    if ((flags & (1 | 1 << 6 | 1 << 13)) != 0) refuse("a member must not be encrypted", m, " is");
    if (method != 0 && method != 8) refuse("a member must be stored or deflated", m, " has the method ", std::size_t{method});
    if (!m.deflated && m.size != m.packed)
      refuse("a stored member must take as many bytes as it has", m, ": ", std::size_t{m.packed}, " and ", std::size_t{m.size});
    return m;
  }

  void check_name(std::string_view name, bool utf8) const {
    for (std::size_t i = 0; i < name.size();) {
      const std::size_t size = detail::utf8_size(name.substr(i));
      if (size == 0 || name[i] == '\0' || (size > 1 && !utf8))
        refuse("a name must be ASCII, or UTF-8 and marked as such, without zero bytes", ", entry ", members_.size());
      i += size;
    }
  }

  /// The member's own header, which lies before its bytes.
  void read_header(ZipMember& m) const {
    if (m.header > begin_ || begin_ - m.header < header_bytes) refuse("a member must lie before the directory", m, " does not");
    const std::string bytes = bytes_at(m.header, header_bytes);
    if (!bytes.starts_with(header_mark)) refuse("a member must begin with its header", m, ", byte ", std::size_t{m.header});
    Fields fields(std::string_view(bytes).substr(6));
    const uint64_t flags = fields.number(2), method = fields.number(2);
    fields.number(4);  // time and date
    const uint64_t crc = fields.number(4);
    uint64_t packed = fields.number(4), size = fields.number(4);
    const uint64_t name_size = fields.number(2), extra_size = fields.number(2);
    const uint64_t room = begin_ - m.header - header_bytes;
    if (name_size + extra_size > room || m.packed > room - name_size - extra_size)
      refuse("a member must lie before the directory", m, " does not");
    m.begin = m.header + header_bytes + name_size + extra_size;
    const std::string more = bytes_at(m.header + header_bytes, name_size + extra_size);
    const std::string_view name = std::string_view(more).substr(0, name_size), extra = std::string_view(more).substr(name_size);
    const bool encrypted = (flags & 1) != 0, described = (flags & 8) != 0;  // then the numbers follow the bytes
    const bool same_kind = !encrypted && described == m.described && method == (m.deflated ? 8 : 0);
    const bool same_numbers = described || (resolve_zip64(extra, {&size, &packed}) && crc == m.crc && size == m.size && packed == m.packed);
    const bool same = name == m.name && same_kind && same_numbers;
    if (!same) refuse("a member's header must say what the directory says", m);
  }

  /// Each byte before the directory belongs to one member.
  void check_cover() const {
    std::vector<const ZipMember*> order;
    for (const ZipMember& m : members_) order.push_back(&m);
    std::sort(order.begin(), order.end(), [](const ZipMember* a, const ZipMember* b) { return a->header < b->header; });
    uint64_t at = 0;
    for (std::size_t i = 0; i < order.size(); ++i) {
      const ZipMember& m = *order[i];
      check_place_of(m, at);
      at = m.begin + m.packed;
      if (m.described) at = end_of_descriptor(m, at, i + 1 < order.size() ? order[i + 1]->header : begin_);
    }
    if (at != begin_) refuse("each byte must belong to a member", ": those from ", std::size_t{at}, " to ", std::size_t{begin_}, " do not");
  }

  void check_place_of(const ZipMember& m, uint64_t at) const {
    if (m.header < at)
      refuse("members must not share bytes", m, " begins at ", std::size_t{m.header}, ", where another is up to ", std::size_t{at});
    if (m.header > at)
      refuse("each byte must belong to a member", ": those from ", std::size_t{at}, " to ", std::size_t{m.header}, " do not");
  }

  /// It has the CRC and both sizes, of 4 or 8 bytes, after a mark or none. Which form it is shows from where the next member begins.
  uint64_t end_of_descriptor(const ZipMember& m, uint64_t at, uint64_t next) const {
    const uint64_t size = next < at ? 0 : next - at;
    if (size == 12 || size == 16 || size == 20 || size == 24) {
      const std::string bytes = bytes_at(at, size);
      Fields fields(bytes);
      const bool mark = size % 8 == 0;
      const std::size_t wide = size < 20 ? 4 : 8;
      if ((!mark || fields.text(4) == descriptor_mark) && fields.number(4) == m.crc && fields.number(wide) == m.packed &&
          fields.number(wide) == m.size)
        return next;
    }
    refuse("a data descriptor must follow the bytes and say what the directory says", m, ", byte ", std::size_t{at});
  }

  const char* op_;
  const RegularFile& file_;
  uint64_t begin_ = 0, size_ = 0, end_ = 0, count_ = 0;  // of the directory; end_ is where what follows it begins
  std::vector<ZipMember> members_;
};

}  // namespace

std::vector<ZipMember> read_zip_directory(const char* op, const RegularFile& file) { return Reader(op, file).read(); }

}  // namespace capstan::data
