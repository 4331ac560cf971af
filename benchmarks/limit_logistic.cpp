#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "limits.h"

namespace {

constexpr int ahead = 2;  // examples

float loss_of(float p, float y) { return -std::log(std::max(y > 0 ? p : 1 - p, 1e-7f)); }

struct Slope {
  std::uint32_t feature;
  float g;
};

}  // namespace

float limits::logistic_example(float* w, float* s, const Feature* x, float y, float lr, bool more) {
  if (more)
    for (int k = 0; k < nonzeros; ++k) {
      __builtin_prefetch(w + x[ahead * nonzeros + k].i, 1);
      __builtin_prefetch(s + x[ahead * nonzeros + k].i, 1);
    }
  float sum = 0;
  for (int k = 0; k < nonzeros; ++k) sum += w[x[k].i] * x[k].v;
  const float p = 1 / (1 + std::exp(-sum)), d = p - y;
  for (int k = 0; k < nonzeros; ++k) {
    const float g = d * x[k].v;
    float& a = s[x[k].i];
    a += g * g;
    w[x[k].i] -= lr * g / (std::sqrt(a) + 1e-10f);
  }
  return loss_of(p, y);
}

float limits::logistic_batch(float* ws, const Feature* x, const float* y, std::int64_t rows, float lr) {
  static std::vector<Slope> slopes, other;
  static std::uint32_t begin[2][1024];
  const auto n = static_cast<std::size_t>(rows * nonzeros);
  slopes.resize(n);
  other.resize(n);
  for (auto& digit : begin) std::fill_n(digit, 1024, 0);
  float loss = 0;
  const float share = 1.0f / static_cast<float>(rows);
  std::size_t at = 0;
  for (std::int64_t r = 0; r < rows; ++r, x += nonzeros) {
    if (r + ahead < rows)
      for (int k = 0; k < nonzeros; ++k) __builtin_prefetch(ws + 2 * std::int64_t{x[ahead * nonzeros + k].i}, 1);
    float sum = 0;
    for (int k = 0; k < nonzeros; ++k) sum += ws[2 * std::int64_t{x[k].i}] * x[k].v;
    const float p = 1 / (1 + std::exp(-sum)), d = (p - y[r]) * share;
    loss += loss_of(p, y[r]);
    for (int k = 0; k < nonzeros; ++k) {
      const auto i = static_cast<std::uint32_t>(x[k].i);
      slopes[at++] = {i, d * x[k].v};
      ++begin[0][i & 1023];
      ++begin[1][i >> 10];
    }
  }
  for (int digit = 0; digit < 2; ++digit) {
    std::uint32_t sum = 0;
    for (std::uint32_t& b : begin[digit]) sum += std::exchange(b, sum);
    for (const Slope& each : slopes) other[begin[digit][(each.feature >> (10 * digit)) & 1023]++] = each;
    slopes.swap(other);
  }
  for (std::size_t i = 0; i < n;) {
    const std::uint32_t feature = slopes[i].feature;
    float g = slopes[i++].g;
    for (; i < n && slopes[i].feature == feature; ++i) g += slopes[i].g;
    float* const q = ws + 2 * std::size_t{feature};
    q[1] += g * g;
    q[0] -= lr * g / (std::sqrt(q[1]) + 1e-10f);
  }
  return loss;
}
