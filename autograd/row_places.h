#pragma once
#include <capstan/autograd/gradients.h>

#include <vector>

// Private: rows that are looked up, each with its place among those that occur.
namespace capstan::detail {

/// The rows that occur in some indices into `height` rows, and where each look-up's row stands among them.
struct RowPlaces {
  Tensor rows;   // i64, ascending, each once
  Tensor place;  // i64, of one axis: look-up k, counted through all indices, is of row rows[place[k]]
};
/// The indices are i64 and inside [0, height). Takes time for each look-up, not for each row.
RowPlaces places_of(const std::vector<Tensor>& indices, std::int64_t height);

/// Whether so few rows occur that a gradient is worth keeping by rows: a quarter of them at most.
bool few_rows(const Tensor& index, std::int64_t height);

/// The sum of several, of one shape and dtype, whose rows may come in any order and twice; they ascend in the result. What comes to one
/// row is added in the order in which it came, as it would be to zeros. Takes over the memory of a single part that is so already.
RowSparse joined(std::vector<RowSparse> parts);

/// Throws ShapeError or ValueError unless these can be rows of a gradient of that shape and dtype: "the gradient for <of> <i>".
void require_rows(const char* op, const char* of, std::size_t i, const Tensor& index, const Tensor& values, const Shape& shape,
                  DType dtype);

}  // namespace capstan::detail
