// Reads bytes as NumPy's archive. What is accepted is written and read again; the file may promise what it likes.
#include <capstan/core/create.h>

#include "files.h"

using namespace capstan;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::try_reader(data, size, "read_npz", data::read_npz);
  return 0;
}

// Of three arrays, one of them empty. The files of the corpus are deflated ones, with data descriptors.
void fuzz::draw(void (*run)(const std::string& what, const std::string& bytes)) {
  const fuzz::File file;
  data::write_npz(file.path(), TensorMap({{"x", ones({2})}, {"a/\xc3\xa9", ones({}, DType::boolean)}, {"", empty({0, 2})}}));
  draw_changes(file.bytes(), 5000, run);
}
