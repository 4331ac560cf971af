#pragma once
#include <capstan/core/tensor.h>

#include <utility>

namespace capstan::data {

/// Examples and what is to be predicted for them: row i of y belongs to row i of x. Any dtypes, at least one axis each.
struct Dataset {
  Tensor x, y;

  /// The number of rows. Throws:
  ///   - ShapeError when x or y has no axis, or their numbers of rows differ;
  ///   - ValueError when one is undefined.
  std::int64_t size() const;

  /// {training, test}: the rows whose index is a multiple of `every` (0, every, 2 * every, ...) are held out for the test. The others are
  /// for training. Copies, in the order of the rows; not recorded. Throws as size() does, and:
  ///   - ValueError for every < 2;
  ///   - ShapeError for fewer than two rows, of which nothing would be left for training.
  std::pair<Dataset, Dataset> split(std::int64_t every) const;
};

}  // namespace capstan::data
