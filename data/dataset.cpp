#include <capstan/data/dataset.h>

#include <capstan/data/gather.h>

#include <vector>

// Inputs and targets of as many rows, and their split into two parts by every n-th row.

namespace capstan::data {

using detail::fail;

std::int64_t Dataset::size() const { return shared_rows("Dataset", x, y); }

std::pair<Dataset, Dataset> Dataset::split(std::int64_t every) const {
  const std::int64_t rows = shared_rows("split", x, y);
  if (every < 2) fail<ValueError>("split", "every must be 2 or more, or no row is left for training: ", every);
  if (rows < 2) fail<ShapeError>("split", "a set must have two rows or more to be split: x ", x.shape());
  std::vector<std::int64_t> training, test;
  for (std::int64_t i = 0; i < rows; ++i) (i % every == 0 ? test : training).push_back(i);
  const auto part = [&](const std::vector<std::int64_t>& index) {
    const auto count = static_cast<std::int64_t>(index.size());
    return Dataset{gather_rows(x, index.data(), count), gather_rows(y, index.data(), count)};
  };
  return {part(training), part(test)};
}

}  // namespace capstan::data
