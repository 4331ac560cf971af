#include <capstan/train/checkpoint_files.h>

#include <capstan/core/text.h>
#include <capstan/data/quoted.h>
#include <capstan/data/safetensors_file.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>

// A Checkpoint's files. Each carries the CRC-32 of all its bytes, computed as if its own eight digits were zeros, so that every flipped
// bit shows. Names change by link and rename alone.

namespace capstan::detail {

namespace {

constexpr const char* op = "Checkpoint";
constexpr std::string_view format = "capstan checkpoint 1", crc_key = "\"crc32\":\"", no_crc = "00000000";

std::uint32_t add_to(std::uint32_t crc, std::string_view bytes) {
  return static_cast<std::uint32_t>(::crc32_z(crc, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

std::string digits_of(std::uint32_t crc) {
  std::string digits(8, '0');
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit, crc >>= 4) *digit = "0123456789abcdef"[crc & 15];
  return digits;
}

/// Where the digits stand in the first bytes of a file: the metadata come first, and a quote inside of them has a backslash before it.
std::size_t place_of_crc(const std::string& first_bytes) {
  const std::size_t at = first_bytes.find(crc_key);
  return at == std::string::npos ? at : at + crc_key.size();
}

bool exists(const std::string& path) {
  struct stat info;
  if (::lstat(path.c_str(), &info) == 0) return true;
  if (errno != ENOENT && errno != ENOTDIR && errno != ENAMETOOLONG && errno != ELOOP)
    fail<IoError>(op, "the file must be readable: ", path, ": ", reason(errno));
  return false;
}

/// Whether a save may be there: no folder, device or pipe is one.
bool may_be_save(const std::string& path) {
  struct stat info;
  return exists(path) && (::stat(path.c_str(), &info) != 0 || S_ISREG(info.st_mode));
}

/// The CRC of a file's first bytes with its own digits, which `said` gets, as zeros: the start of the whole file's.
std::uint32_t crc_of_header(const data::SafetensorsReader& reader, std::string& said) {
  std::string bytes = reader.first_bytes();
  const std::size_t at = place_of_crc(bytes);
  if (at != std::string::npos && at + no_crc.size() <= bytes.size()) {
    said = bytes.substr(at, no_crc.size());
    bytes.replace(at, no_crc.size(), no_crc);
  }
  return add_to(0, bytes);
}

bool is_whole(const data::SafetensorsReader& reader) {
  std::string said;
  data::FilePart rest = reader.data();
  data::Summed bytes(rest, crc_of_header(reader, said));
  std::array<char, 1 << 14> piece;
  while (bytes.read(piece.data(), piece.size()) != 0) {
  }
  return said == digits_of(bytes.crc());
}

SavedFile describe(const std::string& path, const data::SafetensorsReader& reader) {
  SavedFile file{path, {}, -1, {}};
  for (const char* name : {"format", "version", "save", "parts", "crc32", "configuration", "score", "better"})
    if (const auto found = reader.header().metadata.find(name); found != reader.header().metadata.end()) file.metadata.insert(*found);
  const std::string &written = file.value("format"), &count = file.value("save");
  if (!written.starts_with("capstan checkpoint "))
    fail<FormatError>(op, "the file must be a checkpoint: ", path, " is a safetensors file of another kind (capstan::load() reads it)");
  if (written != format) {
    const std::string why = join("the format must be one that is known: ", path, " has '", data::shown(written), "', of version ",
                                 data::shown(file.value("version")), ", wanted '", format, "' (a newer Capstan may read it)");
    if (is_whole(reader)) fail<ValueError>(op, why);  // not broken: it is neither passed over nor replaced
    fail<FormatError>(op, why);
  }
  const auto end = std::from_chars(count.data(), count.data() + count.size(), file.count);
  if (end.ec != std::errc() || end.ptr != count.data() + count.size() || file.count < 0 || file.count >> 53 != 0)
    fail<FormatError>(op, "the number of the save must be whole, and below 2^53: ", path, " has '", data::shown(count), "'");
  file.crc = file.value("crc32");
  return file;
}

}  // namespace

const std::string& SavedFile::value(const char* name) const {
  static const std::string none;
  const auto found = metadata.find(name);
  return found == metadata.end() ? none : found->second;
}

std::string where_links_lead(const std::string& path) {
  std::filesystem::path at = path;
  std::error_code error;
  for (int links = 0; links <= 40; ++links) {
    const std::filesystem::path to = std::filesystem::read_symlink(at, error);
    if (error) return at;
    at = at.parent_path() / to;  // which is `to` alone when that begins with a slash
  }
  return path;  // a loop: who opens it is told so
}

std::vector<std::string> saved_files(const std::string& base, std::int64_t keep) {
  std::vector<std::string> found;
  if (may_be_save(base)) found.push_back(base);
  for (std::int64_t n = 1;; ++n) {
    const std::string path = join(base, ".", n);
    if (may_be_save(path))
      found.push_back(path);
    else if (n >= keep)
      return found;
  }
}

SavedFile look_at(const std::string& path) { return describe(path, data::SafetensorsReader(op, path)); }

TensorMap read_whole(const SavedFile& file) {
  data::SafetensorsReader reader(op, file.path);
  const SavedFile now = describe(file.path, reader);
  std::string said;
  data::FilePart rest = reader.data();
  data::Summed bytes(rest, crc_of_header(reader, said));
  TensorMap tensors = reader.read(bytes);
  if (said != digits_of(bytes.crc()) || now.crc != said)
    fail<FormatError>(op, "the file must be whole: ", file.path, ": its CRC-32 is ", digits_of(bytes.crc()), ", it says '",
                      data::shown(now.crc), "' (was it changed?)");
  if (now.crc != file.crc) fail<FormatError>(op, "the file must not be replaced while it is read: ", file.path);
  return tensors;
}

std::string write_whole(NewFile& file, const TensorMap& tensors, Metadata metadata) {
  metadata["format"] = format;
  metadata["version"] = CAPSTAN_VERSION;
  metadata["crc32"] = no_crc;
  std::string first_bytes = data::make_safetensors_header(op, tensors, metadata);
  const std::vector<const TensorMap::Entry*> order = data::in_file_order(tensors);
  std::uint32_t crc = add_to(0, first_bytes);
  for (const TensorMap::Entry* entry : order) crc = add_to(crc, data::bytes_of(entry->tensor));
  const std::string digits = digits_of(crc);
  first_bytes.replace(place_of_crc(first_bytes), digits.size(), digits);
  file.write(first_bytes);
  for (const TensorMap::Entry* entry : order) file.write(data::bytes_of(entry->tensor));
  return digits;
}

FolderLock::FolderLock(const std::string& path)
    : folder_(open_file(std::filesystem::path(path).has_parent_path() ? std::filesystem::path(path).parent_path().c_str() : ".",
                        O_RDONLY | O_DIRECTORY)) {
  while (folder_.number >= 0 && ::flock(folder_.number, LOCK_EX) != 0 && errno == EINTR) {
  }
}

FolderLock::~FolderLock() {
  if (folder_.number >= 0) ::flock(folder_.number, LOCK_UN);
}

Rotation::Rotation(const std::string& base, std::int64_t keep, const std::vector<std::string>& broken) : base_(base) {
  const auto is_broken = [&](const std::string& path) {
    return std::find(broken.begin(), broken.end(), path) != broken.end() || !unless_broken([&] { return look_at(path); });
  };
  struct stat newest, second;
  const std::string next = base + ".1";
  if (keep == 1 || ::stat(base.c_str(), &newest) != 0 || !S_ISREG(newest.st_mode) || is_broken(base)) return;
  if (::stat(next.c_str(), &second) == 0 && newest.st_dev == second.st_dev && newest.st_ino == second.st_ino) return;  // killed here before
  try {
    std::int64_t free = 1;  // the first name that nobody has, or nobody needs
    while (free < keep - 1 && exists(join(base, ".", free)) && !is_broken(join(base, ".", free))) ++free;
    if (const std::string last = join(base, ".", free); exists(last)) {
      spare_ = base + "." + unique_digits() + ".tmp";
      change(last, spare_);
    }
    for (; free > 1; --free) change(join(base, ".", free - 1), join(base, ".", free));
    link_ = next;
    if (::link(base.c_str(), next.c_str()) == 0) return;
    link_.clear();
    change(base, next);  // a file system without links
  } catch (...) {
    undo();
    throw;
  }
}

Rotation::~Rotation() { undo(); }

void Rotation::change(std::string from, std::string to) {
  changes_.push_back({std::move(from), std::move(to)});
  if (::rename(changes_.back().from.c_str(), changes_.back().to.c_str()) == 0) return;
  const int error = errno;
  const Change failed = std::move(changes_.back());
  changes_.pop_back();
  fail<IoError>(op, "cannot rename the file: ", failed.from, " to ", failed.to, ": ", reason(error));
}

void Rotation::done(std::vector<std::string>& broken) noexcept {
  if (!spare_.empty()) ::unlink(spare_.c_str());
  std::erase_if(broken, [&](const std::string& path) { return path == base_ || (!spare_.empty() && path == changes_.front().from); });
  changes_.clear();
  link_.clear();
}

void Rotation::undo() noexcept {
  if (!link_.empty()) ::unlink(link_.c_str());
  for (auto change = changes_.rbegin(); change != changes_.rend(); ++change) ::rename(change->to.c_str(), change->from.c_str());
  changes_.clear();
}

}  // namespace capstan::detail
