#include <capstan/data/npy.h>

#include <capstan/core/places.h>
#include <capstan/core/text.h>
#include <capstan/data/file_kind.h>
#include <capstan/data/npy_format.h>

#include <array>

// Reads and writes one array of NumPy's. What its header promises must be what its bytes are, before anything is allocated for it.

namespace capstan::data {

using capstan::detail::fail;

namespace {

constexpr std::size_t most_npy_header_bytes = 10'000;  // as NumPy's own reader takes

/// An array whose elements stand in Fortran's order, which are those of the reversed shape, as a row-major one.
Tensor row_major(const Tensor& reversed, const Shape& shape) {
  kernels::Places places{shape};
  std::int64_t run = 1;
  for (int i = 0; i < shape.dim(); ++i) {
    places.strides[static_cast<std::size_t>(i)] = run;
    run *= shape[i];
  }
  return kernels::take(reversed, places);
}

}  // namespace

Tensor read_npy_bytes(const char* op, const std::string& source, ByteSource& bytes, std::uint64_t size) {
  const auto take = [&](char* to, std::size_t count) {
    if (bytes.read(to, count) != count) fail<FormatError>(op, "the header must be whole: ", source, " ends within it");
  };
  std::array<char, 8> start;  // the magic word, and the version
  take(start.data(), start.size());
  if (!std::string_view(start.data(), start.size()).starts_with(npy_magic))
    fail<FormatError>(op, "an array must begin with NumPy's magic word: ", source, " does not");
  const int major = static_cast<unsigned char>(start[6]), minor = static_cast<unsigned char>(start[7]);
  if (major < 1 || major > 3 || minor != 0)
    fail<FormatError>(op, "the format must be 1.0, 2.0 or 3.0: ", source, " has ", major, ".", minor);
  std::array<char, 4> number{};
  const std::size_t digits = major == 1 ? 2 : 4, first = start.size() + digits;
  take(number.data(), digits);
  std::uint64_t length = 0;
  for (std::size_t i = digits; i-- > 0;) length = length << 8 | static_cast<unsigned char>(number[i]);
  if (length > most_npy_header_bytes)
    fail<FormatError>(op, "the header must have at most ", most_npy_header_bytes, " bytes: ", source, " says ", std::size_t{length});
  std::string literal(length, '\0');
  take(literal.data(), literal.size());
  const NpyHeader header = parse_npy_header(op, source, literal, first, major);

  const std::uint64_t promised = static_cast<std::uint64_t>(header.shape.numel()) * size_of(header.type);
  if (first + length + promised != size)
    fail<FormatError>(op, "the file must end with its last element: ", source, ": ", header.shape, " takes ", std::size_t{promised},
                      " bytes behind the header, there are ", std::size_t{size - first - length});
  if (!header.fortran_order || header.shape.dim() < 2) return read_numbers(op, source, bytes, header.type, header.swapped, header.shape);
  std::array<std::int64_t, Shape::max_dim> sizes{};
  const int dim = header.shape.dim();
  for (int i = 0; i < dim; ++i) sizes[static_cast<std::size_t>(i)] = header.shape[dim - 1 - i];
  return row_major(read_numbers(op, source, bytes, header.type, header.swapped, Shape(sizes.data(), dim)), header.shape);
}

Tensor read_npy(const std::string& path) {
  constexpr const char* op = "read_npy";
  const RegularFile file(op, path);
  const std::string first = file.first_bytes();
  if (!first.starts_with(npy_magic)) {
    const std::string kind = file_kind(first);
    fail<FormatError>(op, "a NumPy array is needed: ", path, kind.empty() ? " does not begin with NumPy's magic word" : " is " + kind);
  }
  FilePart bytes(file, 0, file.size());
  return read_npy_bytes(op, path, bytes, file.size());
}

void write_npy(const std::string& path, const Tensor& tensor) {
  constexpr const char* op = "write_npy";
  if (!tensor.defined()) fail<ValueError>(op, "the tensor must be defined: ", path, " would hold nothing");
  const std::string header = make_npy_header(tensor);
  detail::NewFile file(op, path, detail::NewFile::Existing::replaced);
  file.write(header);
  file.write({static_cast<const char*>(tensor.header()->data), static_cast<std::size_t>(tensor.numel()) * size_of(tensor.dtype())});
  file.publish();
}

}  // namespace capstan::data
