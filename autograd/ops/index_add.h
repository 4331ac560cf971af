#pragma once
#include <capstan/core/axes.h>
#include <capstan/core/compute.h>

// Private: what undoes index_select() and gather().
namespace capstan {
class Inputs;
}
namespace capstan::detail {

/// Throws ValueError for the first element of an i64 tensor outside [0, size).
void require_inside(const char* op, const Tensor& index, std::int64_t size);

/// Zeros of the given shape with src[..., k, ...] added at index[k] along an axis; recorded. The index, a vector, is checked.
Tensor index_add(const Shape& shape, int axis, const Tensor& index, const Tensor& src);
/// The same for begin, begin + step, begin + 2 step, ...
Tensor index_add(const Shape& shape, int axis, std::int64_t begin, std::int64_t step, const Tensor& src);

/// Adds what index_select(x, axis, index) or gather() owes x, input 0. Along axis 0 it stays by rows when few rows occur, or always.
void add_selected(Inputs& dx, int axis, const Tensor& index, const Tensor& dy, bool sparse = false);
void add_gathered(Inputs& dx, int axis, const Tensor& index, const Tensor& dy, bool sparse = false);

/// sums[o, index[k], i] += g[o, k, i].
template <class T>
void add_lines(T* sums, const kernels::Split& s, const Tensor& index, const T* g) {
  const std::int64_t count = index.numel();
  if (count == 0) return;  // of how many lines there is nothing does not matter
  const auto* at = kernels::data_of<std::int64_t>(index);
  const auto add = kernels::table<T>().add_rows;
  for (std::int64_t o = 0; o < s.outer; ++o, sums += s.size * s.inner, g += count * s.inner) add(g, at, sums, count, s.inner);
}

}  // namespace capstan::detail
