#pragma once
#include <capstan/core/create.h>
#include <capstan/core/text.h>

#include <cstring>
#include <string>
#include <type_traits>

// Private: what Dataset, SparseDataset, Libsvm and Batches share.
namespace capstan::data {

/// The number of rows that x and y share; throws ShapeError naming `op` when they do not, and for a tensor without axes.
inline std::int64_t shared_rows(const char* op, const Tensor& x, const Tensor& y) {
  using capstan::detail::fail;
  if (x.dim() == 0 || y.dim() == 0) fail<ShapeError>(op, "x and y must have rows: x ", x.shape(), ", y ", y.shape());
  if (x.size(0) != y.size(0)) fail<ShapeError>(op, "x and y must have as many rows: x ", x.shape(), ", y ", y.shape());
  return x.size(0);
}

/// A CRC-32 in hexadecimal.
std::string eight_digits(std::uint32_t number);

/// Dtype, shape and the CRC-32 of the bytes: "f32 [1437, 64] 8a3b09c1".
std::string fingerprint_of(const Tensor& t);

/// Rows index[0], ..., index[count - 1] of t, an array of at least one axis, in fresh memory; of any dtype. Not recorded.
/// The indices are not checked.
inline Tensor gather_rows(const Tensor& t, const std::int64_t* index, std::int64_t count) {
  Tensor result = empty(t.shape().with(0, count), t.dtype());
  const std::int64_t rows = t.size(0);
  const std::size_t bytes = rows == 0 ? 0 : static_cast<std::size_t>(t.numel() / rows) * size_of(t.dtype());
  const auto* source = static_cast<const char*>(t.header()->data);
  auto* target = static_cast<char*>(result.header()->data);
  const auto copy = [&](auto row_bytes) {
    constexpr std::int64_t ahead = 8;  // rows lie anywhere, so that no hardware foresees the next one
    for (std::int64_t i = 0; i < count; ++i, target += row_bytes) {
      if (i + ahead < count) __builtin_prefetch(source + static_cast<std::size_t>(index[i + ahead]) * row_bytes);
      std::memcpy(target, source + static_cast<std::size_t>(index[i]) * row_bytes, row_bytes);
    }
  };
  if (bytes == 4)  // labels and targets: a constant size makes the copy one instruction
    copy(std::integral_constant<std::size_t, 4>());
  else if (bytes == 8)
    copy(std::integral_constant<std::size_t, 8>());
  else
    copy(bytes);
  return result;
}

}  // namespace capstan::data
