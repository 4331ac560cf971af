#pragma once
#include <cstddef>
#include <cstdint>

namespace capstan {

/// The type of a tensor's elements. Arithmetic with gradients works on f32 and f64; i64 serves labels and indices,
/// boolean serves masks. Two tensors of different dtype never mix by accident: convert with Tensor::to().
enum class DType : std::uint8_t { f32, f64, i64, boolean };

/// Bytes of one element: 4, 8, 8, 1.
constexpr std::size_t size_of(DType dtype) noexcept { return std::size_t{0x01080804} >> (8 * static_cast<int>(dtype)) & 15; }

/// True for f32 and f64, the two dtypes that carry gradients.
constexpr bool is_floating(DType dtype) noexcept { return dtype == DType::f32 || dtype == DType::f64; }

/// "f32", "f64", "i64" or "boolean", as it stands in error texts and printed tensors.
constexpr const char* name(DType dtype) noexcept {
  return dtype == DType::f32 ? "f32" : dtype == DType::f64 ? "f64" : dtype == DType::i64 ? "i64" : "boolean";
}

/// dtype_of<float> is DType::f32, and so on; other types do not compile.
template <class T>
inline constexpr DType dtype_of = [] {
  static_assert(sizeof(T) == 0, "Capstan holds float, double, std::int64_t and bool");
  return DType::f32;
}();
template <>
inline constexpr DType dtype_of<float> = DType::f32;
template <>
inline constexpr DType dtype_of<double> = DType::f64;
template <>
inline constexpr DType dtype_of<std::int64_t> = DType::i64;
template <>
inline constexpr DType dtype_of<bool> = DType::boolean;

}  // namespace capstan
