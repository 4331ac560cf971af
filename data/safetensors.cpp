#include <capstan/data/safetensors.h>

#include <capstan/core/text.h>
#include <capstan/data/file_kind.h>
#include <capstan/data/quoted.h>
#include <capstan/data/safetensors_file.h>

#include <algorithm>

// save() and load(). Writing goes straight from the tensors' memory; reading goes into it, but for numbers that have to be widened. The
// header's length is believed only once the file is known to be as long.

namespace capstan {

namespace data {

using capstan::detail::fail;

SafetensorsReader::SafetensorsReader(const char* op, const std::string& path)
    : op_(op), file_(op, path), first_bytes_(file_.first_bytes()) {
  const std::uint64_t size = file_.size();
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
  file_.read(0, first_bytes_.data(), first_bytes_.size());
  header_ = parse_safetensors_header(op, path, std::string_view(first_bytes_).substr(8), size - first_bytes_.size());
}

TensorMap SafetensorsReader::read(ByteSource& data) const {
  std::vector<std::size_t> order(header_.tensors.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const StoredTensor &s = header_.tensors[a], &t = header_.tensors[b];
    return s.begin != t.begin ? s.begin < t.begin : s.end < t.end;
  });
  std::vector<Tensor> read(order.size());
  for (const std::size_t i : order) {
    const StoredTensor& t = header_.tensors[i];
    read[i] = read_numbers(op_, file_.path() + ": '" + shown(t.name) + "'", data, t.type, false, t.shape);
  }
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
  data::FilePart bytes = reader.data();
  TensorMap tensors = reader.read(bytes);
  if (Metadata found = reader.header().metadata; metadata) metadata->swap(found);  // after all that can throw
  return tensors;
}

}  // namespace capstan
