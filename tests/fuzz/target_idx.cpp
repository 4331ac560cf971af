// Reads bytes as an IDX file, compressed or not. What is accepted is written as NumPy's and read again; the file may promise what it likes.
#include <capstan/data/idx.h>

#include "files.h"

using namespace capstan;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::try_reader(data, size, "read_idx", [](const std::string& path) { return TensorMap({{"x", data::read_idx(path)}}); });
  return 0;
}

// Of each type. The corpus has compressed ones.
void fuzz::draw(void (*run)(const std::string& what, const std::string& bytes)) {
  for (const char type : {'\x08', '\x09', '\x0b', '\x0c', '\x0d', '\x0e'})
    draw_changes(std::string("\0\0", 2) + type + '\2' + std::string("\0\0\0\2\0\0\0\1", 8) +
                     std::string(type < 0x0b   ? 2
                                 : type < 0x0c ? 4
                                 : type < 0x0e ? 8
                                               : 16,
                                 '\1'),
                 1000, run);
}
