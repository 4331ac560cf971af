// How libFuzzer changes a safetensors file: mostly the header, whose length then follows, or the bytes behind it; now and then they are
// made as many as the largest number of the header, which is where the last tensor ends.
#include <algorithm>
#include <charconv>
#include <cstring>
#include <vector>

#include "target.h"

extern "C" {
std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);
std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most, unsigned seed);
}

namespace {

std::size_t largest_number(const std::string& json) {
  std::size_t largest = 0;
  for (const char *p = json.data(), *end = p + json.size(); p != end;) {
    std::size_t number = 0;
    const auto [stop, error] = std::from_chars(p, end, number);
    if (error == std::errc()) largest = std::max(largest, number);
    p = stop == p ? p + 1 : stop;
  }
  return largest;
}

void mutate(std::string& bytes, std::size_t most) {
  const std::size_t size = bytes.size();
  bytes.resize(std::max(most, size));
  bytes.resize(LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(bytes.data()), size, most));
}

}  // namespace

std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most, unsigned seed) {
  if (size < 10 || most < 64 || seed % 8 == 0) return LLVMFuzzerMutate(data, size, most);
  std::uint64_t length = 0;
  std::memcpy(&length, data, 8);
  const char* const begin = reinterpret_cast<const char*>(data) + 8;
  std::string json(begin, std::min<std::size_t>(length, size - 8)), rest(begin + json.size(), size - 8 - json.size());
  if (seed % 8 < 6)
    mutate(json, most - 8 - rest.size());
  else
    mutate(rest, most - 8 - json.size());
  if (const std::size_t wanted = largest_number(json); seed / 8 % 4 == 0 && wanted <= most - 8 - json.size()) rest.resize(wanted);
  length = json.size();
  std::memcpy(data, &length, 8);
  std::copy(json.begin(), json.end(), data + 8);
  std::copy(rest.begin(), rest.end(), data + 8 + json.size());
  return 8 + json.size() + rest.size();
}
