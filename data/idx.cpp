#include <capstan/data/idx.h>

#include <capstan/core/text.h>
#include <capstan/data/file_kind.h>
#include <capstan/data/idx_file.h>

#include <array>
#include <utility>

// Reads IDX files: the header, which must fit the file or what it can inflate to, then the elements, then nothing. Called by users and by
// fashion_mnist().

namespace capstan::data {

using capstan::detail::fail;

namespace {

constexpr std::pair<char, Stored> types[] = {{'\x08', Stored::u8},  {'\x09', Stored::i8},  {'\x0b', Stored::i16},
                                             {'\x0c', Stored::i32}, {'\x0d', Stored::f32}, {'\x0e', Stored::f64}};

}  // namespace

IdxReader::IdxReader(const char* op, const std::string& path) : op_(op), file_(op, path) {
  const std::string first = file_.first_bytes();
  const bool gzip = first.starts_with("\x1f\x8b");
  if (!gzip && !first.starts_with(std::string_view("\0\0", 2))) {
    const std::string kind = file_kind(first);
    fail<FormatError>(op, "an IDX file is needed: ", path, kind.empty() ? " does not begin with two zero bytes" : " is " + kind);
  }
  if (gzip)
    bytes_ = std::make_unique<Inflated>(op, file_.path(), file_, 0, file_.size(), Inflated::Form::gzip);
  else
    bytes_ = std::make_unique<FilePart>(file_, 0, file_.size());
  const std::uint64_t size = read_header();
  const std::uint64_t header = 4 + 4 * static_cast<std::uint64_t>(shape_.dim());
  if (!gzip && size != file_.size() - header)
    fail<FormatError>(op, "the file must end with its last element: ", path, ": ", shape_, " takes ", std::size_t{size},
                      " bytes behind the header, there are ", std::size_t{file_.size() - header});
  if (gzip && size > most_inflated(file_.size()))
    fail<FormatError>(op, "the file must be able to hold its elements: ", path, ": ", shape_, " takes ", std::size_t{size}, " bytes, and ",
                      std::size_t{file_.size()}, " never inflate to as many");
}

void IdxReader::take(char* to, std::size_t count) {
  if (bytes_->read(to, count) != count) fail<FormatError>(op_, "the header must be whole: ", file_.path(), " ends within it");
}

/// Returns how many bytes the elements take.
std::uint64_t IdxReader::read_header() {
  std::array<char, 4> magic;
  take(magic.data(), magic.size());
  if (magic[0] != 0 || magic[1] != 0)
    fail<FormatError>(op_, "an IDX file is needed: ", file_.path(), " does not hold two zero bytes at its beginning, once unpacked");
  const std::pair<char, Stored>* found = nullptr;
  for (const auto& type : types)
    if (type.first == magic[2]) found = &type;
  if (!found)
    fail<FormatError>(op_, "the type must be one of IDX's, 8 9 11 12 13 14: ", file_.path(),
                      ", byte 2: ", static_cast<int>(static_cast<unsigned char>(magic[2])));
  type_ = found->second;
  const auto axes = static_cast<std::size_t>(static_cast<unsigned char>(magic[3]));
  if (axes < 1 || axes > Shape::max_dim) fail<FormatError>(op_, "a file here has one to six axes: ", file_.path(), ", byte 3: ", axes);
  std::array<std::uint64_t, Shape::max_dim> sizes{};
  std::array<std::int64_t, Shape::max_dim> signed_sizes{};
  for (std::size_t i = 0; i < axes; ++i) {
    std::array<char, 4> number;
    take(number.data(), number.size());
    for (const char byte : number) sizes[i] = sizes[i] << 8 | static_cast<unsigned char>(byte);
    signed_sizes[i] = static_cast<std::int64_t>(sizes[i]);
  }
  std::uint64_t bytes = 0;
  if (!stored_bytes(sizes.data(), axes, type_, bytes))
    fail<FormatError>(op_, "a tensor must have at most 2^48 elements: ", file_.path(), " has more");
  shape_ = Shape(signed_sizes.data(), static_cast<int>(axes));
  return bytes;
}

void IdxReader::end() {
  char more;
  if (bytes_->read(&more, 1) != 0)
    fail<FormatError>(op_, "the file must end with its last element: ", file_.path(), " inflates to more than ", shape_, " takes");
}

Tensor read_idx(const std::string& path) {
  IdxReader reader("read_idx", path);
  Tensor tensor = read_numbers("read_idx", path, reader.elements(), reader.type(), IdxReader::swapped, reader.shape());
  reader.end();
  return tensor;
}

}  // namespace capstan::data
