#pragma once
#include <capstan/core/dtype.h>

#include <cstddef>
#include <cstdint>

// Private: how numbers stand in files, and how they become a tensor's.
namespace capstan::data {

/// The types of numbers in files. Those that no tensor has become the next wider one, exactly.
enum class Stored : std::uint8_t { f16, bf16, f32, f64, i8, i16, i32, i64, u8, u16, u32, u64, boolean };

/// Bytes of one.
std::size_t size_of(Stored type) noexcept;
/// What a tensor holds them as: f32 for the smaller floats, i64 for all integers.
DType dtype_of(Stored type) noexcept;
/// Whether a tensor holds the same bytes.
bool is_native(Stored type) noexcept;

/// Converts `count` numbers, in this processor's order of bytes or the other one, to `out`, which has room for as many of dtype_of(type).
/// Returns how many could be: the next one is a u64 above 2^63 - 1, or a boolean that is neither 0 nor 1. The two may be the same memory
/// for a type that is_native().
std::int64_t widen(Stored type, const void* from, std::int64_t count, bool swapped, void* out) noexcept;

}  // namespace capstan::data
