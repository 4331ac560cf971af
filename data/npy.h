#pragma once
#include <capstan/core/tensor_map.h>

#include <string>

// NumPy's files: one array (.npy), or several by name (.npz). A file may come from a stranger. What is not as the format says is refused.
// No pickle is looked into, and no name is taken for a path. Nothing is allocated before the file is known to hold or inflate to it.
namespace capstan::data {

/// Reads an array that numpy.save wrote, of format 1.0, 2.0 or 3.0, up to six axes:
///
///     const Tensor x = data::read_npy("x.npy");
///
/// float32, float64, int64 and bool stay as they are. float16 becomes f32; int8, int16, int32 and uint8 to uint64 become i64: exactly.
/// Both orders of bytes are read. An array in Fortran's order, which is held twice for a moment, becomes row-major. Throws:
///   - IoError when the file cannot be read;
///   - FormatError when it is no such file, naming the byte. Another known kind of file is called by its name;
///   - FormatError for other dtypes, a uint64 above 2^63 - 1, and more than six axes;
///   - std::bad_alloc when there is no memory for it.
/// Source: NumPy's manual, numpy.lib.format.
Tensor read_npy(const std::string& path);

/// Writes an array for numpy.load, byte for byte as numpy.save does. That is format 1.0, a header of a multiple of 64 bytes, row-major.
/// The dtypes f32, f64, i64 and boolean become float32, float64, int64 and bool.
/// The file comes to its path at once when it is complete, or not at all.
/// Throws:
///   - ValueError for an undefined tensor;
///   - IoError when the file cannot be written.
void write_npy(const std::string& path, const Tensor& tensor);

/// Reads the arrays that numpy.savez or numpy.savez_compressed wrote, in the order of the archive's directory:
///
///     for (const auto& [name, tensor] : data::read_npz("arrays.npz")) ...
///
/// Each member is named "<name>.npy", and read as by read_npy. The checksums are compared. Throws as read_npy, and:
///   - FormatError for an archive whose directory, members and bytes do not fit together, for members that share bytes or a name, for
///     bytes of no member, and for anything but NumPy's arrays, stored or deflated;
///   - FormatError for a member that inflates to another size than its header says; it is inflated no further than that.
/// Source: PKWARE's APPNOTE.TXT 6.3; for deflate RFC 1951.
TensorMap read_npz(const std::string& path);

/// Writes the tensors for numpy.load, uncompressed. The same tensors give the same bytes: those of numpy.savez.
/// The file comes to its path at once when it is complete, or not at all. Throws:
///   - ValueError for names that are no UTF-8, hold a zero byte or have more than 65,531 bytes;
///   - IoError when the file cannot be written.
void write_npz(const std::string& path, const TensorMap& tensors);

}  // namespace capstan::data
