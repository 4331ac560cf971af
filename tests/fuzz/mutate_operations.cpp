// How libFuzzer changes an input: the bytes behind the operation's name, seldom the name.
#include <algorithm>
#include <cstring>

#include "operations.h"

extern "C" {
std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);
std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most, unsigned seed);
}

std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most, unsigned seed) {
  const fuzz::Named input = fuzz::named(data, size);
  if (input.operation && seed % 8 != 0) return input.begin + LLVMFuzzerMutate(data + input.begin, size - input.begin, most - input.begin);

  const auto& all = fuzz::all_operations();
  const std::string key = all[seed / 8 % all.size()].name + "\n";
  if (key.size() > most) return size;
  const std::size_t rest = std::min(size - input.begin, most - key.size());
  std::memmove(data + key.size(), data + input.begin, rest);
  std::memcpy(data, key.data(), key.size());
  return key.size() + rest;
}
