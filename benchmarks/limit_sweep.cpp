#include "limits.h"

namespace {

template <class T, class... State>
void pass(T* __restrict w, const T* __restrict g, std::int64_t n, State* __restrict... s) {
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC ivdep
#endif
  for (std::int64_t i = 0; i < n; ++i) {
    T u = g[i];
    ((u += T(0.5) * s[i], s[i] = u), ...);
    w[i] -= T(0.001) * u;
  }
}

template <class T>
void pass(T* w, const T* g, T* const* s, std::size_t count, std::int64_t n) {
  if (count == 0) pass(w, g, n);
  if (count == 1) pass(w, g, n, s[0]);
  if (count == 2) pass(w, g, n, s[0], s[1]);
  if (count == 3) pass(w, g, n, s[0], s[1], s[2]);
  if (count == 4) pass(w, g, n, s[0], s[1], s[2], s[3]);
}

}  // namespace

void limits::sweep(float* w, const float* g, float* const* states, std::size_t count, std::int64_t n) { pass(w, g, states, count, n); }
void limits::sweep(double* w, const double* g, double* const* states, std::size_t count, std::int64_t n) { pass(w, g, states, count, n); }
