#pragma once
#include <capstan/core/file.h>

#include <cstring>
#include <string>
#include <string_view>

// What the tests of NewFile share.

using capstan::detail::NewFile;
using Existing = NewFile::Existing;

inline void save(const std::string& path, std::string_view bytes, Existing existing = Existing::replaced) {
  NewFile file("save", path, existing);
  file.write(bytes);
  file.publish();
}

inline std::string refusal(const std::string& path, int error, const char* hint = " (write elsewhere?)") {
  return "IoError: [save] cannot write the file: " + path + ": " + std::strerror(error) + hint;
}
