#pragma once
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <string>
#include <vector>

// Names as a hostile file may hold them.

/// Names of 16 bytes of ASCII that, followed by so many further ones, have one and the same std::hash in libstdc++: MurmurHash64A with a
/// seed that is known. For any first half there is a second one that leads to whatever hash is wanted.
inline std::vector<std::string> colliding_names(std::size_t count, std::size_t further = 0) {
  constexpr std::uint64_t factor = 0xc6a4a7935bd1e995;
  std::uint64_t inverse = factor;
  for (int i = 0; i < 5; ++i) inverse *= 2 - factor * inverse;
  const auto shift = [](std::uint64_t x) { return x ^ x >> 47; };
  std::vector<std::string> names;
  for (unsigned n = 0; names.size() < count; ++n) {
    char name[17];
    std::snprintf(name, sizeof name, "%08x", n);
    std::uint64_t half;
    std::memcpy(&half, name, 8);
    const std::uint64_t hash = ((0xc70f6907 ^ (16 + further) * factor) ^ shift(half * factor) * factor) * factor;
    half = shift((hash ^ 1) * inverse) * inverse;
    if ((half & 0x8080808080808080) != 0) continue;  // no ASCII
    std::memcpy(name + 8, &half, 8);
    if (std::string_view(name, 16).find('\0') == std::string_view::npos) names.emplace_back(name, 16);
  }
  return names;
}

/// The processor's time that body() takes.
template <class Body>
double processor_seconds(Body body) {
  const std::clock_t start = std::clock();
  body();
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}
