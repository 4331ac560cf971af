#pragma once
#include <capstan/core/lines.h>

// Private: copies between a row-major tensor and elements of another one that lie evenly apart.
namespace capstan::kernels {

/// Element (i, j, ...) of `shape` at offset + i strides[0] + j strides[1] + ... of another tensor; strides may be 0 or negative.
struct Places {
  Shape shape;
  Strides strides{};
  std::int64_t offset = 0;
};

/// A new tensor of x's elements at those places; any dtype.
Tensor take(const Tensor& x, const Places& from);
/// x's elements at those places become y's, which has the places' shape; any dtype.
void put(Tensor& x, const Places& to, const Tensor& y);
/// x's elements at those places, which must be different ones, grow by y's; float and double.
template <class T>
void add(T* x, const Places& to, const T* y);

}  // namespace capstan::kernels
