#include <capstan/data/stored_type.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <type_traits>

// Numbers of files become a tensor's: swapped where the file has the other order of bytes, and widened exactly. Called by the readers of
// safetensors, npy and IDX, a piece of a file at a time.

namespace capstan::data {

namespace {

/// The float of an IEEE half: sign, 5 bits of exponent, 10 of fraction.
float from_half(std::uint16_t h) noexcept {
  const std::uint32_t sign = std::uint32_t{h} >> 15 << 31, exponent = h >> 10 & 31, fraction = h & 1023;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000 | fraction << 13);             // infinity, NaN
  if (exponent != 0) return std::bit_cast<float>(sign | (exponent + 112) << 23 | fraction << 13);  // 112 = 127 - 15
  const float small = static_cast<float>(fraction) * 0x1p-24f;                                     // subnormal, exact
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(small) | sign);
}

float from_bfloat(std::uint16_t b) noexcept { return std::bit_cast<float>(std::uint32_t{b} << 16); }

template <class T>
T number_at(const char* from, bool swapped) noexcept {
  std::array<char, sizeof(T)> bytes;
  std::memcpy(bytes.data(), from, sizeof(T));
  if (swapped) std::reverse(bytes.begin(), bytes.end());
  return std::bit_cast<T>(bytes);
}

/// Each number of type In becomes convert(it), of type Out.
template <class In, class Out, class Convert>
std::int64_t each(const char* from, std::int64_t count, bool swapped, void* out, Convert convert) noexcept {
  char* to = static_cast<char*>(out);
  for (std::int64_t i = 0; i < count; ++i, from += sizeof(In), to += sizeof(Out)) {
    const Out value = convert(number_at<In>(from, swapped));
    std::memcpy(to, &value, sizeof(Out));
  }
  return count;
}

template <class In, class Out>
std::int64_t each(const char* from, std::int64_t count, bool swapped, void* out) noexcept {
  if constexpr (std::is_same_v<In, Out>) {
    if (!swapped) {
      if (count > 0) std::memmove(out, from, static_cast<std::size_t>(count) * sizeof(In));
      return count;
    }
  }
  return each<In, Out>(from, count, swapped, out, [](In value) { return static_cast<Out>(value); });
}

}  // namespace

std::size_t size_of(Stored type) noexcept {
  switch (type) {
    case Stored::i8:
    case Stored::u8:
    case Stored::boolean: return 1;
    case Stored::f16:
    case Stored::bf16:
    case Stored::i16:
    case Stored::u16: return 2;
    case Stored::f32:
    case Stored::i32:
    case Stored::u32: return 4;
    case Stored::f64:
    case Stored::i64:
    case Stored::u64: break;
  }
  return 8;
}

DType dtype_of(Stored type) noexcept {
  switch (type) {
    case Stored::f16:
    case Stored::bf16:
    case Stored::f32: return DType::f32;
    case Stored::f64: return DType::f64;
    case Stored::boolean: return DType::boolean;
    default: return DType::i64;
  }
}

bool is_native(Stored type) noexcept {
  return type == Stored::f32 || type == Stored::f64 || type == Stored::i64 || type == Stored::boolean;
}

std::int64_t widen(Stored type, const void* from, std::int64_t count, bool swapped, void* out) noexcept {
  const char* const bytes = static_cast<const char*>(from);
  switch (type) {
    case Stored::f16: return each<std::uint16_t, float>(bytes, count, swapped, out, from_half);
    case Stored::bf16: return each<std::uint16_t, float>(bytes, count, swapped, out, from_bfloat);
    case Stored::f32: return each<float, float>(bytes, count, swapped, out);
    case Stored::f64: return each<double, double>(bytes, count, swapped, out);
    case Stored::i8: return each<std::int8_t, std::int64_t>(bytes, count, swapped, out);
    case Stored::i16: return each<std::int16_t, std::int64_t>(bytes, count, swapped, out);
    case Stored::i32: return each<std::int32_t, std::int64_t>(bytes, count, swapped, out);
    case Stored::i64: return each<std::int64_t, std::int64_t>(bytes, count, swapped, out);
    case Stored::u8: return each<std::uint8_t, std::int64_t>(bytes, count, swapped, out);
    case Stored::u16: return each<std::uint16_t, std::int64_t>(bytes, count, swapped, out);
    case Stored::u32: return each<std::uint32_t, std::int64_t>(bytes, count, swapped, out);
    case Stored::u64: {
      std::int64_t fits = 0;
      while (fits < count && number_at<std::uint64_t>(bytes + 8 * fits, swapped) >> 63 == 0) ++fits;
      return each<std::int64_t, std::int64_t>(bytes, fits, swapped, out);
    }
    case Stored::boolean: {
      const char* const bad = std::find_if(bytes, bytes + count, [](char c) { return (c & ~1) != 0; });
      return each<char, char>(bytes, bad - bytes, false, out);
    }
  }
  return 0;
}

}  // namespace capstan::data
