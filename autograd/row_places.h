#pragma once
#include <capstan/autograd/gradients.h>

#include <vector>

// Private: rows that are looked up, each with its place among those that occur.
namespace capstan {
class Inputs;
}
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

/// Where a rule adds up what it owes input 0 for look-ups in its rows: in those that occur alone, or in all of them. It is complete before
/// it joins what is there, so that both ways give the same bits.
struct RowSums {
  /// The index may have any shape.
  RowSums(const Inputs& dx, const Tensor& index, DType dtype, bool by_rows);
  void add_to(Inputs& dx) const;

  Tensor sums;   // of so many rows, 0 at first
  Tensor place;  // i64, of the index's shape: the row of `sums` for each look-up

 private:
  Tensor rows_;  // which rows they are; undefined when it is all of them
};

/// The sum of several, of one shape and dtype, whose rows may come in any order and twice; they ascend in the result. What comes to one
/// row is added in the order in which it came, as it would be to zeros. Takes over the memory of a single part that is so already.
RowSparse joined(std::vector<RowSparse> parts);

/// Throws ShapeError or ValueError unless these can be rows of a gradient of that shape and dtype: "the gradient for <of> <i>".
void require_rows(const char* op, const char* of, std::size_t i, const Tensor& index, const Tensor& values, const Shape& shape,
                  DType dtype);

}  // namespace capstan::detail
