#include <capstan/data/safetensors.h>

#include <capstan/core/create.h>
#include <capstan/core/text.h>
#include <capstan/data/file_kind.h>
#include <capstan/data/quoted.h>
#include <capstan/data/safetensors_file.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

// save() and load(). Writing goes straight from the tensors' memory; reading goes into it, but for numbers that have to be widened. The
// header's length is believed only once the file is known to be as long.

namespace capstan {

namespace data {

using capstan::detail::fail;

namespace {
constexpr std::uint64_t piece_bytes = std::uint64_t{1} << 18;
}

SafetensorsReader::SafetensorsReader(const char* op, const std::string& path) : op_(op), path_(path), file_(-1) {
  if (path.find('\0') != std::string::npos) fail<IoError>(op, "a path must not hold a zero byte: ", path.c_str());
  file_.number = detail::open_file(path.c_str(), O_RDONLY | O_NONBLOCK);  // a pipe would be waited for
  struct stat info;
  if (file_.number < 0 || ::fstat(file_.number, &info) != 0)
    fail<IoError>(op, "the file must be readable: ", path, ": ", detail::reason(errno));
  if (!S_ISREG(info.st_mode))
    fail<IoError>(op, "a file is needed: ", path, S_ISDIR(info.st_mode) ? " is a directory" : " is a device or a pipe");
  const auto size = static_cast<std::uint64_t>(info.st_size);

  first_bytes_.resize(std::min<std::uint64_t>(size, 64));
  read_bytes(first_bytes_.data(), first_bytes_.size());
  std::uint64_t length = 0;
  for (std::size_t i = std::min<std::size_t>(8, first_bytes_.size()); i-- > 0;)
    length = length << 8 | static_cast<unsigned char>(first_bytes_[i]);
  if (size < 8 || length > most_header_bytes || length > size - 8 || length < 2 || first_bytes_[8] != '{') {
    const std::string kind = file_kind(first_bytes_);
    if (!kind.empty() && !kind.starts_with("a safetensors")) fail<FormatError>(op, "a safetensors file is needed: ", path, " is ", kind);
    if (size < 8) fail<FormatError>(op, "a safetensors file is needed: ", path, " has ", std::size_t{size}, " bytes");
    if (length > most_header_bytes || length > size - 8)
      fail<FormatError>(op, "the header must lie in the file, and have at most ", std::size_t{most_header_bytes}, " bytes: ", path,
                        ": it says ", std::size_t{length}, ", the file has ", std::size_t{size}, " (is it cut, or no safetensors file?)");
  }
  first_bytes_.resize(8 + length);
  if (const std::uint64_t had = std::min<std::uint64_t>(size, 64); had < first_bytes_.size())
    read_bytes(first_bytes_.data() + had, first_bytes_.size() - had);
  else if (::lseek(file_.number, static_cast<off_t>(first_bytes_.size()), SEEK_SET) < 0)
    fail<IoError>(op, "the file must be readable: ", path, ": ", detail::reason(errno));
  header_ = parse_safetensors_header(op, path_, std::string_view(first_bytes_).substr(8), size - first_bytes_.size());
}

void SafetensorsReader::read_bytes(char* to, std::uint64_t count) {
  while (count > 0) {
    const ssize_t got = ::read(file_.number, to, std::min<std::uint64_t>(count, std::uint64_t{1} << 30));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail<IoError>(op_, "the file must be readable: ", path_, ": ", detail::reason(errno));
    if (got == 0) fail<IoError>(op_, "the file must not become shorter while it is read: ", path_);
    to += got;
    count -= static_cast<std::uint64_t>(got);
  }
}

Tensor SafetensorsReader::read_tensor(const StoredTensor& stored, void (*look)(void*, std::string_view), void* context) {
  Tensor tensor = empty(stored.shape, dtype_of(stored.type));
  const std::uint64_t step = size_of(stored.type), wide = size_of(tensor.dtype());
  const bool native = is_native(stored.type);
  const auto piece = native ? nullptr : std::make_unique_for_overwrite<char[]>(piece_bytes);
  char* to = static_cast<char*>(tensor.header()->data);
  for (std::uint64_t left = stored.end - stored.begin; left > 0;) {
    const std::uint64_t bytes = std::min(left, piece_bytes), count = bytes / step;  // a whole number of elements
    char* const from = native ? to : piece.get();
    read_bytes(from, bytes);
    if (look) look(context, {from, bytes});
    const auto converted = static_cast<std::uint64_t>(native && stored.type != Stored::boolean
                                                          ? static_cast<std::int64_t>(count)
                                                          : widen(stored.type, from, static_cast<std::int64_t>(count), false, to));
    if (converted != count) {
      const std::uint64_t index = (stored.end - stored.begin - left) / step + converted;
      fail<FormatError>(
          op_, stored.type == Stored::boolean ? "a BOOL must be a byte 0 or 1: " : "a U64 must be below 2^63, to become i64: ", path_,
          ": '", shown(stored.name), "', element ", std::size_t{index});
    }
    to += count * wide;
    left -= bytes;
  }
  return tensor;
}

TensorMap SafetensorsReader::read(void (*look)(void*, std::string_view), void* context) {
  std::vector<std::size_t> order(header_.tensors.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const StoredTensor &s = header_.tensors[a], &t = header_.tensors[b];
    return s.begin != t.begin ? s.begin < t.begin : s.end < t.end;
  });
  std::vector<Tensor> read(order.size());
  for (const std::size_t i : order) read[i] = read_tensor(header_.tensors[i], look, context);
  TensorMap tensors;
  for (std::size_t i = 0; i < read.size(); ++i) tensors.insert(header_.tensors[i].name, std::move(read[i]));
  return tensors;
}

}  // namespace data

void save(const std::string& path, const TensorMap& tensors, const Metadata& metadata) {
  const std::string header = data::make_safetensors_header("save", tensors, metadata);
  detail::NewFile file("save", path, detail::NewFile::Existing::replaced, detail::NewFile::Lasts::power_cuts);
  file.write(header);
  for (const TensorMap::Entry* entry : data::in_file_order(tensors)) file.write(data::bytes_of(entry->tensor));
  file.publish();
}

TensorMap load(const std::string& path, Metadata* metadata) {
  data::SafetensorsReader reader("load", path);
  TensorMap tensors = reader.read();
  if (Metadata found = reader.header().metadata; metadata) metadata->swap(found);  // after all that can throw
  return tensors;
}

}  // namespace capstan
