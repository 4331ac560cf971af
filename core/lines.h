#pragma once
#include <capstan/core/tensor.h>

#include <array>

// Private: walking tensors whose elements stand beside those of one shape.
namespace capstan::kernels {

/// The distance from one element to the next along each axis, in elements.
using Strides = std::array<std::int64_t, Shape::max_dim>;

/// Those of a row-major tensor.
inline Strides strides_of(const Shape& shape) {
  Strides s{};
  std::int64_t run = 1;
  for (int i = shape.dim() - 1; i >= 0; --i) {
    s[static_cast<std::size_t>(i)] = run;
    run *= shape.begin()[i];
  }
  return s;
}

/// Calls f(at, offsets, steps, n) for lines that cover `shape` in row-major order. A line is elements at ... at + n - 1 of a
/// row-major tensor of that shape. Beside its i-th element stands element offsets[k] + i steps[k] of operand k.
template <std::size_t N, class F>
void walk(const Shape& shape, const std::array<Strides, N>& strides, F f) {
  struct Axis {
    std::int64_t size;
    std::array<std::int64_t, N> stride;
  };
  const std::int64_t total = shape.numel();
  if (total == 0) return;
  Axis axes[Shape::max_dim + 1] = {};  // innermost first, neighbours joined where all operands go on evenly
  int dim = 0;
  for (int i = shape.dim() - 1; i >= 0; --i) {
    Axis axis{shape.begin()[i], {}};
    if (axis.size == 1) continue;
    bool joins = dim > 0;
    for (std::size_t k = 0; k < N; ++k) {
      axis.stride[k] = strides[k][static_cast<std::size_t>(i)];
      if (dim > 0) joins = joins && axis.stride[k] == axes[dim - 1].stride[k] * axes[dim - 1].size;
    }
    if (joins)
      axes[dim - 1].size *= axis.size;
    else
      axes[dim++] = axis;
  }
  if (dim == 0) axes[dim++] = {1, {}};
  std::array<std::int64_t, N> offset{};
  std::int64_t index[Shape::max_dim + 1] = {};
  for (std::int64_t at = 0; at < total; at += axes[0].size) {
    f(at, offset, axes[0].stride, axes[0].size);
    for (int d = 1; d < dim; ++d) {
      for (std::size_t k = 0; k < N; ++k) offset[k] += axes[d].stride[k];
      if (++index[d] < axes[d].size) break;
      for (std::size_t k = 0; k < N; ++k) offset[k] -= axes[d].stride[k] * axes[d].size;
      index[d] = 0;
    }
  }
}

/// The same for row-major operands that broadcast to `result`: steps are 0 or 1.
template <std::size_t N, class F>
void for_each_line(const Shape& result, const std::array<Shape, N>& operands, F f) {
  std::array<Strides, N> strides{};
  for (std::size_t k = 0; k < N; ++k) {
    const Strides own = strides_of(operands[k]);
    const int lead = result.dim() - operands[k].dim();
    for (int i = 0; i < operands[k].dim(); ++i)
      strides[k][static_cast<std::size_t>(lead) + static_cast<std::size_t>(i)] =
          operands[k].begin()[i] == 1 ? 0 : own[static_cast<std::size_t>(i)];
  }
  walk<N>(result, strides, f);
}

}  // namespace capstan::kernels
