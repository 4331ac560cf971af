#pragma once
#include <capstan/data/safetensors.h>

#include <string>
#include <utility>

#include "../files.h"
#include "support.h"

/// A file's bytes: the length of the header, the header, and what follows.
inline std::string safetensors_bytes(const std::string& json, const std::string& data = "") {
  std::string bytes(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(json.size() >> 8 * i & 255);
  return bytes + json + data;
}

/// What load() throws for a file of these bytes, its path shown as FILE.
inline std::string load_throws(const std::string& bytes) {
  const Scratch file("file", bytes);
  std::string text = thrown([&] { capstan::load(file.path()); });
  if (const std::size_t at = text.find(file.path()); at != std::string::npos) text.replace(at, file.path().size(), "FILE");
  return text;
}
