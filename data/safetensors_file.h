#pragma once
#include <capstan/data/byte_source.h>
#include <capstan/data/safetensors.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// Private: the parts of a safetensors file, for save(), load(), Checkpoint and the fuzzer. A file is 8 bytes with the header's length,
// the header in JSON, and the tensors' bytes without a gap; all numbers are little-endian.
namespace capstan::data {

constexpr std::uint64_t most_header_bytes = 100'000'000;

/// Where a tensor stands in a file. Offsets are from the end of the header on.
struct StoredTensor {
  std::string name;
  Stored type;
  Shape shape;
  std::uint64_t begin, end;
};

struct SafetensorsHeader {
  std::vector<StoredTensor> tensors;  // in the header's order
  Metadata metadata;
};

/// The first bytes of a file with these tensors: the length and the header. Throws what save() says, in the name of `op`.
std::string make_safetensors_header(const char* op, const TensorMap& tensors, const Metadata& metadata);
/// The tensors in the order in which their bytes follow.
std::vector<const TensorMap::Entry*> in_file_order(const TensorMap& tensors);
/// The bytes of a tensor.
std::string_view bytes_of(const Tensor& tensor);

/// Reads a header; `size` is that of all that follows it. Throws what load() says.
SafetensorsHeader parse_safetensors_header(const char* op, const std::string& source, std::string_view json, std::uint64_t size);

/// Reads a file front to back.
class SafetensorsReader {
 public:
  /// Opens it and reads its header.
  SafetensorsReader(const char* op, const std::string& path);

  const SafetensorsHeader& header() const noexcept { return header_; }
  /// The length and the header, as they stand in the file.
  const std::string& first_bytes() const noexcept { return first_bytes_; }
  /// What follows them.
  FilePart data() const { return {file_, first_bytes_.size(), file_.size()}; }
  /// Reads all tensors from the bytes that data() gives, whoever else looks at these.
  TensorMap read(ByteSource& data) const;

 private:
  const char* op_;
  RegularFile file_;
  std::string first_bytes_;
  SafetensorsHeader header_;
};

}  // namespace capstan::data
