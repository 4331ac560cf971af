#include <algorithm>
#include <charconv>
#include <cstring>
#include <string>
#include <vector>

#include "limits.h"

// Text into rows with few features, in arrays that are used again: a strict reader of LIBSVM's text around std::from_chars, and the n-grams
// of words by MurmurHash3.

namespace {

std::uint32_t rotated(std::uint32_t x, int n) { return x << n | x >> (32 - n); }

std::uint32_t murmur(const char* p, std::size_t n) {
  std::uint32_t h = 0;
  std::size_t i = 0;
  for (; i + 4 <= n; i += 4) {
    std::uint32_t k;
    std::memcpy(&k, p + i, 4);
    h = rotated(h ^ rotated(k * 0xcc9e2d51U, 15) * 0x1b873593U, 13) * 5 + 0xe6546b64U;
  }
  std::uint32_t k = 0;
  const auto byte = [&](std::size_t at) { return static_cast<std::uint32_t>(static_cast<unsigned char>(p[at])); };
  switch (n & 3) {
    case 3: k ^= byte(i + 2) << 16; [[fallthrough]];
    case 2: k ^= byte(i + 1) << 8; [[fallthrough]];
    case 1: h ^= rotated((k ^ byte(i)) * 0xcc9e2d51U, 15) * 0x1b873593U;
  }
  h ^= static_cast<std::uint32_t>(n);
  h = (h ^ h >> 16) * 0x85ebca6bU;
  h = (h ^ h >> 13) * 0xc2b2ae35U;
  return h ^ h >> 16;
}

}  // namespace

std::size_t limits::libsvm_rows(const char* p, const char* end) {
  static std::vector<float> labels, values;
  static std::vector<std::int64_t> crow;
  static std::vector<std::int32_t> col;
  labels.clear();
  values.clear();
  col.clear();
  crow.assign(1, 0);
  while (p < end) {
    float label = 0;
    const auto at = std::from_chars(p, end, label);
    if (at.ec != std::errc()) return 0;
    p = at.ptr;
    std::int64_t last = 0;
    while (p < end && *p == ' ') {
      std::int64_t index = 0;
      const auto colon = std::from_chars(++p, end, index);
      if (colon.ec != std::errc() || colon.ptr >= end || *colon.ptr != ':' || index <= last || index > INT32_MAX) return 0;
      last = index;
      float value = 0;
      const auto behind = std::from_chars(colon.ptr + 1, end, value);
      if (behind.ec != std::errc()) return 0;
      p = behind.ptr;
      col.push_back(static_cast<std::int32_t>(index) - 1);
      values.push_back(value);
    }
    if (p < end && *p != '\n') return 0;
    ++p;
    labels.push_back(label);
    crow.push_back(static_cast<std::int64_t>(col.size()));
  }
  return col.size();
}

std::size_t limits::hash_words(const std::string* words, std::size_t count) {
  constexpr std::uint32_t mask = (1U << 20) - 1;
  static std::vector<std::uint32_t> col;
  static std::vector<std::size_t> crow;
  col.clear();
  crow.assign(1, 0);
  for (const std::string* word = words; word != words + count; ++word) {
    char bytes[256];
    std::uint32_t found[1024];
    std::size_t begin[200], n = 0, size = 0, m = 0;
    const auto put = [&](std::size_t length, const char* from) {
      begin[n++] = size;
      std::memcpy(bytes + size, from, length);
      size += length;
    };
    put(1, " ");
    for (std::size_t i = 0, length; i < word->size() && n < 190; i += length) {
      const auto first = static_cast<unsigned char>((*word)[i]);
      length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
      put(length, word->data() + i);
    }
    put(1, " ");
    begin[n] = size;
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t g = 1; g <= 4 && i + g <= n; ++g) found[m++] = murmur(bytes + begin[i], begin[i + g] - begin[i]) & mask;
    std::sort(found, found + m);
    col.insert(col.end(), found, std::unique(found, found + m));
    crow.push_back(col.size());
  }
  return col.size();
}
