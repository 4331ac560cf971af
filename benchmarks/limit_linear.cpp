#include "limits.h"

#include <cmath>

namespace {

inline void step(float* __restrict w, const float* __restrict g, float* __restrict s, int n, float lr) {
  for (int i = 0; i < n; ++i) {
    const float a = s[i] + g[i] * g[i];
    s[i] = a;
    w[i] -= lr * g[i] / std::sqrt(a + 1e-6f);
  }
}

}  // namespace

float limits::linear_epoch(Linear& m, const float* x, const float* y, std::int64_t rows, std::int64_t batch, float lr) {
  float total = 0;
  for (std::int64_t i = 0; i + batch <= rows; i += batch, x += batch * 5, y += batch) {
    float gw[5] = {}, gb = 0, loss = 0;
    for (std::int64_t k = 0; k < batch; ++k) {
      float out = m.b;
      for (int j = 0; j < 5; ++j) out += x[k * 5 + j] * m.w[j];
      const float difference = out - y[k], d = 2 * difference / static_cast<float>(batch);
      loss += difference * difference;
      gb += d;
      for (int j = 0; j < 5; ++j) gw[j] += d * x[k * 5 + j];
    }
    total += loss / static_cast<float>(batch);
    step(m.w, gw, m.sw, 5, lr);
    step(&m.b, &gb, &m.sb, 1, lr);
  }
  return total;
}
