#include "limits.h"

#include <cmath>

void limits::adagrad(float* __restrict w, const float* __restrict g, float* __restrict s, std::int64_t n, float lr, float eps) {
  for (std::int64_t i = 0; i < n; ++i) {
    const float a = s[i] + g[i] * g[i];
    s[i] = a;
    w[i] -= lr * g[i] / (std::sqrt(a) + eps);
  }
}
