#include "limits.h"

#include <algorithm>
#include <chrono>

// Chains must start from different values: the compiler computes equal ones once, and the peak comes out half as high again.
double limits::fma_peak() {
#if defined(__AVX512F__)
  constexpr int bytes = 64, chains = 24;
#elif defined(__AVX__)
  constexpr int bytes = 32, chains = 12;
#else
  constexpr int bytes = 16, chains = 12;
#endif
  constexpr int width = bytes / 4;
  typedef float Vector __attribute__((vector_size(bytes)));
  double best = 0;
  for (int round = 0; round < 5; ++round) {
    Vector a[chains];
    for (int k = 0; k < chains; ++k) a[k] = Vector{} + static_cast<float>(k + 1);
    Vector b = Vector{} + 0.999f, c = Vector{} + 0.001f;
    __asm__ volatile("" : "+x"(b), "+x"(c));
    constexpr long turns = 2000000;
    const auto start = std::chrono::steady_clock::now();
    for (long i = 0; i < turns; ++i)
#pragma GCC unroll 24
      for (int k = 0; k < chains; ++k) a[k] = a[k] * b + c;  // contracted to one instruction where there is one
    for (int k = 0; k < chains; ++k) __asm__ volatile("" : "+x"(a[k]));
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    best = std::max(best, 2.0 * width * chains * turns / seconds);
  }
  return best;
}
