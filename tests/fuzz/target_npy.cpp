// Reads bytes as NumPy's array. What is accepted is written and read again; the file may promise what it likes.
#include <capstan/core/create.h>

#include "files.h"

using namespace capstan;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::try_reader(data, size, "read_npy", [](const std::string& path) { return TensorMap({{"x", data::read_npy(path)}}); });
  return 0;
}

// Of every dtype that is written.
void fuzz::draw(void (*run)(const std::string& what, const std::string& bytes)) {
  for (const DType dtype : {DType::f32, DType::f64, DType::i64, DType::boolean}) {
    const fuzz::File file;
    data::write_npy(file.path(), ones({2, 3}, dtype));
    draw_changes(file.bytes(), 1500, run);
  }
}
