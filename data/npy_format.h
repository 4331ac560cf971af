#pragma once
#include <capstan/data/byte_source.h>

#include <cstdint>
#include <string>
#include <string_view>

// Private: the format of one NumPy array, for .npy files and for the members of .npz files.
namespace capstan::data {

struct NpyHeader {
  Stored type;
  bool swapped;        // the other order of bytes than this processor's
  bool fortran_order;  // the first axis is the one whose elements lie side by side
  Shape shape;
};

/// What an array's bytes begin with.
constexpr std::string_view npy_magic = "\x93NUMPY";

/// Reads the header's literal, {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }. `first` is its place in the file, `major` the
/// version, of which 1 and 2 may write 4L for 4. Throws what read_npy() says, in the name of `op`.
NpyHeader parse_npy_header(const char* op, const std::string& source, std::string_view literal, std::size_t first, int major);
/// The first bytes of a file with this tensor, up to its elements.
std::string make_npy_header(const Tensor& tensor);

/// Reads an array of `size` bytes, header included, which it must fill.
Tensor read_npy_bytes(const char* op, const std::string& source, ByteSource& bytes, std::uint64_t size);

}  // namespace capstan::data
