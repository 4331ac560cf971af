#include <capstan/data/samples.h>

#include <capstan/core/create.h>
#include <capstan/core/text.h>
#include <capstan/data/table.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>

// The data that is shipped: where it lies, and its checks.

namespace capstan::data {

using detail::fail;

namespace {

std::string find_sample(const char* op, const std::string& name, const std::string& share) {
  std::string places;
  const char* variable = std::getenv("CAPSTAN_DATA");
  for (const std::string& folder : {std::string(variable ? variable : ""), share}) {
    if (folder.empty()) continue;
    const std::string path = folder + "/" + name;
    std::error_code error;
    if (std::filesystem::exists(path, error)) return path;
    places += (places.empty() ? "" : ", ") + path;
  }
  fail<IoError>(op, "the sample data must be found: ", places.empty() ? "no folder is known" : "not " + places,
                " (set CAPSTAN_DATA to the folder that holds ", name, ")");
}

// The value, which must be an integer from 0 to `highest`.
std::int64_t integer(const float* table, std::int64_t row, std::int64_t column, int highest, const std::string& path) {
  const float value = table[row * 65 + column];
  if (!(value >= 0 && value <= static_cast<float>(highest)) || value != static_cast<float>(static_cast<int>(value)))
    fail<FormatError>("digits", "values must be the integers 0 to ", highest, ": ", value, " at ", path, ", line ", row + 1, ", column ",
                      column + 1);
  return static_cast<std::int64_t>(value);
}

}  // namespace

Dataset digits(const std::string& share) {
  constexpr std::int64_t rows = 1797, pixels = 64;
  const std::string path = find_sample("digits", "digits.csv", share);
  const Tensor table = read_table(path, {.delimiter = ','});
  if (table.shape() != Shape{rows, pixels + 1})
    fail<FormatError>("digits", "the table must be ", Shape{rows, pixels + 1}, ": ", table.shape(), " in ", path);
  Dataset set{empty({rows, pixels}), empty({rows}, DType::i64)};
  const auto* values = table.data<float>();
  auto* x = set.x.data<float>();
  auto* y = set.y.data<std::int64_t>();
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < pixels; ++j) x[i * pixels + j] = static_cast<float>(integer(values, i, j, 16, path)) / 16;
    y[i] = integer(values, i, pixels, 9, path);
  }
  return set;
}

}  // namespace capstan::data
