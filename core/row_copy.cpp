#include <capstan/core/row_copy.h>

#include <algorithm>
#include <cstring>
#include <type_traits>

// A row as long as a few numbers is copied by an instruction or two, where its length is known to the compiler.
namespace capstan::kernels {

namespace {

/// Calls copy(to, from) with the row's length as a constant where it is one of the usual ones.
template <class F>
void with_length(std::size_t bytes, F f) {
  switch (bytes) {
    case 4: return f(std::integral_constant<std::size_t, 4>());
    case 8: return f(std::integral_constant<std::size_t, 8>());
    case 16: return f(std::integral_constant<std::size_t, 16>());
    case 32: return f(std::integral_constant<std::size_t, 32>());
    case 64: return f(std::integral_constant<std::size_t, 64>());
    case 128: return f(std::integral_constant<std::size_t, 128>());
    default: return f(bytes);
  }
}

}  // namespace

void take_rows(const void* from, const std::int64_t* row, void* to, std::int64_t n, std::size_t bytes, std::int64_t more) {
  with_length(bytes, [=](auto length) {
    constexpr std::int64_t ahead = 16;
    const auto* source = static_cast<const char*>(from);
    auto* target = static_cast<char*>(to);
    const auto place = [=](std::int64_t k) { return source + static_cast<std::size_t>(row[k]) * length; };
    const std::int64_t known = std::min(n, n + more - ahead);
    std::int64_t k = 0;
    for (; k < known; ++k, target += length) {
      __builtin_prefetch(place(k + ahead));
      std::memcpy(target, place(k), length);
    }
    for (; k < n; ++k, target += length) std::memcpy(target, place(k), length);
  });
}

void put_rows(const void* from, const std::int64_t* row, void* to, std::int64_t n, std::size_t bytes) {
  with_length(bytes, [=](auto length) {
    const auto* source = static_cast<const char*>(from);
    for (std::int64_t k = 0; k < n; ++k, source += length)
      std::memcpy(static_cast<char*>(to) + static_cast<std::size_t>(row[k]) * length, source, length);
  });
}

}  // namespace capstan::kernels
