#include <bit>
#include <cmath>
#include <utility>
#include <vector>

#include "limits.h"

// Unrolled before they are vectors, loops over the columns would become single numbers.
#define EACH_COLUMN _Pragma("GCC ivdep") _Pragma("GCC unroll 1")

namespace {

constexpr int columns = 16, ahead = 16;  // rows: what comes from memory is asked for in time

struct Look {
  std::uint32_t row, bag;
};

/// By rows, stably: radix sort of 11 bits at a time.
void sort_rows(std::vector<Look>& looks, std::vector<Look>& other, std::int64_t rows) {
  static std::uint32_t begin[2048];
  const auto bits = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(rows - 1)));
  for (int shift = 0; shift < bits; shift += 11) {
    for (std::uint32_t& b : begin) b = 0;
    for (const Look& l : looks) ++begin[(l.row >> shift) & 2047];
    std::uint32_t sum = 0;
    for (std::uint32_t& b : begin) sum += std::exchange(b, sum);
    for (const Look& l : looks) other[begin[(l.row >> shift) & 2047]++] = l;
    looks.swap(other);
  }
}

/// One step in bags of so many look-ups each, along the gradient of the sum of squares of their sums.
template <int length>
float step(float* __restrict w, float* __restrict s, const std::int64_t* index, std::int64_t n, std::int64_t rows, float lr) {
  static std::vector<float> slopes;
  static std::vector<Look> looks, other;
  slopes.resize(static_cast<std::size_t>(n / length * columns));
  looks.resize(static_cast<std::size_t>(n));
  other.resize(static_cast<std::size_t>(n));
  float* __restrict const slope = slopes.data();
  float loss[columns] = {};
  const auto look = [=](std::int64_t k) {
    if (k + ahead < n) __builtin_prefetch(w + index[k + ahead] * columns);
    looks[static_cast<std::size_t>(k)] = {static_cast<std::uint32_t>(index[k]), static_cast<std::uint32_t>(k / length)};
    return w + index[k] * columns;
  };
  for (std::int64_t bag = 0; bag < n / length; ++bag) {
    const float* x = look(bag * length);
    [[maybe_unused]] float total[columns];
    if constexpr (length > 1) {
      EACH_COLUMN
      for (int j = 0; j < columns; ++j) total[j] = x[j];
      for (int i = 1; i < length; ++i) {
        x = look(bag * length + i);
        EACH_COLUMN
        for (int j = 0; j < columns; ++j) total[j] += x[j];
      }
      x = total;
    }
    EACH_COLUMN
    for (int j = 0; j < columns; ++j) loss[j] += x[j] * x[j];
    EACH_COLUMN
    for (int j = 0; j < columns; ++j) slope[bag * columns + j] = x[j] + x[j];
  }
  sort_rows(looks, other, rows);
  const Look *l = looks.data(), *const end = l + n;
  while (l != end) {
    if (l + ahead < end) {
      __builtin_prefetch(w + std::int64_t{l[ahead].row} * columns, 1);
      __builtin_prefetch(s + std::int64_t{l[ahead].row} * columns, 1);
    }
    const std::uint32_t row = l->row;
    float g[columns];
    EACH_COLUMN
    for (int j = 0; j < columns; ++j) g[j] = slope[std::int64_t{l->bag} * columns + j];
    for (++l; l != end && l->row == row; ++l) EACH_COLUMN
    for (int j = 0; j < columns; ++j) g[j] += slope[std::int64_t{l->bag} * columns + j];
    float* __restrict const x = w + std::int64_t{row} * columns, * __restrict const sum = s + std::int64_t{row} * columns;
    EACH_COLUMN
    for (int j = 0; j < columns; ++j) {
      const float a = sum[j] + g[j] * g[j];
      sum[j] = a;
      x[j] -= lr * g[j] / (std::sqrt(a) + 1e-10f);
    }
  }
  float all = 0;
  for (const float each : loss) all += each;
  return all;
}

}  // namespace

float limits::rows_step(float* w, float* s, const std::int64_t* index, std::int64_t n, std::int64_t rows, float lr) {
  return step<1>(w, s, index, n, rows, lr);
}

float limits::bags_step(float* w, float* s, const std::int64_t* index, std::int64_t n, std::int64_t rows, float lr) {
  return step<bag_length>(w, s, index, n, rows, lr);
}
