#include <capstan/core/create.h>
#include <capstan/core/text.h>
#include <capstan/data/idx_file.h>
#include <capstan/data/samples.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>

// Fashion-MNIST, which is not shipped: four IDX files in a folder. The images go from bytes to floats a piece at a time.

namespace capstan::data {

using detail::fail;

namespace {

constexpr const char* op = "fashion_mnist";
constexpr std::int64_t side = 28, pixels = side * side;

std::string found(const std::string& folder, const char* name) {
  const std::string path = folder + "/" + name;
  std::error_code error;
  if (!std::filesystem::exists(path, error))
    fail<IoError>(op, "the images must be there: not ", path, " (on Debian: apt-get install dataset-fashion-mnist)");
  return path;
}

void check(const IdxReader& reader, const std::string& path, const char* what, const Shape& shape) {
  if (reader.type() != Stored::u8 || reader.shape() != shape)
    fail<FormatError>(op, what, " must be bytes ", shape, ": ", path, " holds ", reader.type() == Stored::u8 ? "" : "other numbers ",
                      reader.shape());
}

Tensor images(const std::string& path, std::int64_t rows) {
  IdxReader reader(op, path);
  check(reader, path, "the images", {rows, side, side});
  Tensor x = empty({rows, pixels});
  std::array<char, pixels> row;
  float* to = x.data<float>();
  for (std::int64_t i = 0; i < rows; ++i) {
    if (reader.elements().read(row.data(), row.size()) != row.size())
      fail<FormatError>(op, "the data must hold all elements: ", path, " ends within image ", i);
    for (const char pixel : row) *to++ = static_cast<float>(static_cast<unsigned char>(pixel)) / 255;
  }
  reader.end();
  return x;
}

Tensor labels(const std::string& path, std::int64_t rows) {
  IdxReader reader(op, path);
  check(reader, path, "the labels", {rows});
  Tensor y = read_numbers(op, path, reader.elements(), reader.type(), IdxReader::swapped, reader.shape());
  reader.end();
  const std::int64_t* const first = y.data<std::int64_t>();
  const std::int64_t* const bad = std::find_if(first, first + rows, [](std::int64_t label) { return label > 9; });
  if (bad != first + rows) fail<FormatError>(op, "labels must be 0 to 9: ", path, ", element ", std::int64_t{bad - first}, ": ", *bad);
  return y;
}

}  // namespace

std::pair<Dataset, Dataset> fashion_mnist(const std::string& folder) {
  // Each is sought before the first is read.
  const std::string train_x = found(folder, "train-images-idx3-ubyte.gz"), train_y = found(folder, "train-labels-idx1-ubyte.gz"),
                    test_x = found(folder, "t10k-images-idx3-ubyte.gz"), test_y = found(folder, "t10k-labels-idx1-ubyte.gz");
  constexpr std::int64_t training = 60'000, test = 10'000;
  const Tensor y = labels(train_y, training), y_test = labels(test_y, test);  // what is small first
  return {{images(train_x, training), y}, {images(test_x, test), y_test}};
}

}  // namespace capstan::data
