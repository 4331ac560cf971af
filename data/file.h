#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

// Private: how a file comes into memory.
namespace capstan::data {

struct Bytes {
  std::unique_ptr<char[]> data;
  std::size_t size = 0;
  std::string_view view() const noexcept { return {data.get(), size}; }
};

/// All bytes of a file or pipe. Throws IoError naming `op`, the path and the system's reason.
Bytes read_file(const char* op, const std::string& path);

}  // namespace capstan::data
