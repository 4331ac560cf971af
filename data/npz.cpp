#include <capstan/core/text.h>
#include <capstan/data/byte_source.h>
#include <capstan/data/npy.h>
#include <capstan/data/npy_format.h>
#include <capstan/data/quoted.h>
#include <capstan/data/zip.h>

#include <memory>
#include <string_view>
#include <vector>

// Reads and writes NumPy's archives. The directory is read first, whole; then each member in its order, through its checksum. Writing goes
// front to back: a member's checksum is computed before its bytes are written.

namespace capstan::data {

using capstan::detail::fail;

namespace {

constexpr std::string_view suffix = ".npy";

Tensor read_member(const char* op, const RegularFile& file, const ZipMember& m) {
  const std::string source = file.path() + ", '" + shown(m.name) + "'";
  if (!m.name.ends_with(suffix))
    fail<FormatError>(op, "a member must be an array, named .npy: ", source,
                      m.name.ends_with("data.pkl") ? " is PyTorch's (write the state dict by safetensors.torch.save_file)" : " is not");
  if (m.deflated && m.size > most_inflated(m.packed))
    fail<FormatError>(op, "a member must be able to have its size: ", source, ": ", std::size_t{m.packed}, " bytes never inflate to ",
                      std::size_t{m.size});
  const std::uint64_t end = m.begin + m.packed;
  std::unique_ptr<ByteSource> packed;
  if (m.deflated)
    packed = std::make_unique<Inflated>(op, source, file, m.begin, end, Inflated::Form::deflate);
  else
    packed = std::make_unique<FilePart>(file, m.begin, end);
  Summed bytes(*packed);
  Tensor tensor = read_npy_bytes(op, source, bytes, m.size);
  if (char more; bytes.read(&more, 1) != 0)
    fail<FormatError>(op, "a member must have its size: ", source, " inflates to more than ", std::size_t{m.size}, " bytes");
  if (bytes.crc() != m.crc)
    fail<FormatError>(op, "the checksum must be that of the content: ", source, ": ", bytes.crc(), ", the directory says ", m.crc);
  return tensor;
}

void check_name(const char* op, const std::string& name) {
  constexpr std::size_t most = 0xffff - suffix.size();
  if (name.size() > most) fail<ValueError>(op, "a name must have at most ", most, " bytes: ", name.size());
  for (std::size_t i = 0; i < name.size();) {
    const std::size_t size = detail::utf8_size(std::string_view(name).substr(i));
    if (size == 0 || name[i] == '\0')
      fail<ValueError>(op, "a name must be UTF-8 without zero bytes: '", shown(name.substr(0, i)), "' goes on with another byte");
    i += size;
  }
}

}  // namespace

TensorMap read_npz(const std::string& path) {
  constexpr const char* op = "read_npz";
  const RegularFile file(op, path);
  TensorMap tensors;
  for (const ZipMember& m : read_zip_directory(op, file)) {
    Tensor tensor = read_member(op, file, m);
    tensors.insert(m.name.substr(0, m.name.size() - suffix.size()), std::move(tensor));
  }
  return tensors;
}

void write_npz(const std::string& path, const TensorMap& tensors) {
  constexpr const char* op = "write_npz";
  for (const auto& entry : tensors) check_name(op, entry.name);
  detail::NewFile file(op, path, detail::NewFile::Existing::replaced);
  std::vector<ZipMember> members;
  std::uint64_t at = 0;
  for (const auto& [name, tensor] : tensors) {
    const std::string header = make_npy_header(tensor);
    const std::string_view data(static_cast<const char*>(tensor.header()->data),
                                static_cast<std::size_t>(tensor.numel()) * size_of(tensor.dtype()));
    uLong crc = ::crc32_z(0, nullptr, 0);
    for (const std::string_view part : {std::string_view(header), data})
      if (!part.empty()) crc = ::crc32_z(crc, reinterpret_cast<const unsigned char*>(part.data()), part.size());
    ZipMember m{};
    m.name = name + std::string(suffix);
    m.size = m.packed = header.size() + data.size();
    m.header = at;
    m.crc = static_cast<std::uint32_t>(crc);
    const std::string own = zip_header(m);
    file.write(own + header);
    file.write(data);
    at += own.size() + m.size;
    members.push_back(std::move(m));
  }
  file.write(zip_directory(members, at));
  file.publish();
}

}  // namespace capstan::data
