#pragma once
#include <capstan/core/tensor.h>

#include <string>

namespace capstan::data {

/// Reads an IDX file, the format of MNIST, as it is or compressed by gzip, which is told by its content:
///
///     const Tensor images = data::read_idx("train-images-idx3-ubyte.gz");   // i64 [60000, 28, 28], 0 to 255
///
/// Numbers of 8, 16 and 32 bits become i64, floats f32, doubles f64: exactly. The file has one to six axes, and ends with its last
/// element. A compressed one may have several members, whose checksums are compared. The file may come from a stranger. Memory is
/// allocated for what the header promises, once the file is known to be able to hold it.
/// Throws:
///   - IoError when the file cannot be read;
///   - FormatError when it is no such file, naming the byte. Another known kind of file is called by its name;
///   - std::bad_alloc when there is no memory for it.
/// Source: the end of http://yann.lecun.com/exdb/mnist; for gzip RFC 1952.
Tensor read_idx(const std::string& path);

}  // namespace capstan::data
