// Products with a vector. Up to eight columns the loop over them is a constant, so that a small model's weights stay in
// registers: a general loop costs four times as much there.

template <int k, class T>
static inline void dots_of(std::int64_t m, const T* a, std::int64_t a_row, const T* x, T* y, const T* bias, bool accumulate) {
  constexpr int fours = k / 4, rest = k % 4;
  typename Four<T>::Vector w[fours + 1];
  T v[rest + 1];
  for (int j = 0; j < fours; ++j) w[j] = four(x + 4 * j);
  for (int j = 0; j < rest; ++j) v[j] = x[4 * fours + j];
  const T start = bias ? *bias : T(0);
  for (std::int64_t i = 0; i < m; ++i, a += a_row) {
    T s = accumulate ? y[i] : start;
    for (int j = 0; j < rest; ++j) s += a[4 * fours + j] * v[j];
    if constexpr (fours == 1) s += sum_of_four(four(a) * w[0]);
    if constexpr (fours == 2) s += sum_of_four(four(a) * w[0] + four(a + 4) * w[1]);
    y[i] = s;
  }
}

template <class T>
static inline T dot(const T* a, const T* b, std::int64_t n) {
  using S = Simd<T>;
  typename S::Vector s[4] = {};
  std::int64_t i = 0;
  for (; i + 4 * S::width <= n; i += 4 * S::width)
    for (int v = 0; v < 4; ++v) s[v] = fma(S::load(a + i + v * S::width), S::load(b + i + v * S::width), s[v]);
  for (; i + S::width <= n; i += S::width) s[0] = fma(S::load(a + i), S::load(b + i), s[0]);
  s[0] = (s[0] + s[2]) + (s[1] + s[3]);
  T total = T(0);
  for (int j = 0; j < S::width; ++j) total += s[0][j];
  for (; i < n; ++i) total += a[i] * b[i];
  return total;
}

template <class T>
static void gemv(std::int64_t m, std::int64_t k, const T* a, std::int64_t a_row, const T* x, T* y, const T* bias, bool accumulate) {
  switch (k) {
    case 1: return dots_of<1>(m, a, a_row, x, y, bias, accumulate);
    case 2: return dots_of<2>(m, a, a_row, x, y, bias, accumulate);
    case 3: return dots_of<3>(m, a, a_row, x, y, bias, accumulate);
    case 4: return dots_of<4>(m, a, a_row, x, y, bias, accumulate);
    case 5: return dots_of<5>(m, a, a_row, x, y, bias, accumulate);
    case 6: return dots_of<6>(m, a, a_row, x, y, bias, accumulate);
    case 7: return dots_of<7>(m, a, a_row, x, y, bias, accumulate);
    case 8: return dots_of<8>(m, a, a_row, x, y, bias, accumulate);
  }
  for (std::int64_t i = 0; i < m; ++i) y[i] = dot(a + i * a_row, x, k) + (accumulate ? y[i] : bias ? *bias : T(0));
}

template <int k, class T>
static inline void combine_of(std::int64_t m, const T* a, std::int64_t a_row, const T* x, T* y, bool accumulate) {
  constexpr int fours = k / 4, rest = k % 4;
  typename Four<T>::Vector s[fours + 1] = {};
  T r[rest + 1] = {};
  for (std::int64_t i = 0; i < m; ++i, a += a_row) {
    for (int j = 0; j < fours; ++j) s[j] += x[i] * four(a + 4 * j);
    for (int j = 0; j < rest; ++j) r[j] += x[i] * a[4 * fours + j];
  }
  if constexpr (fours > 0) {  // without it g++ -O0 warns of a read past s
    for (int j = 0; j < fours; ++j) {
      if (accumulate) s[j] += four(y + 4 * j);
      __builtin_memcpy(y + 4 * j, &s[j], sizeof s[j]);
    }
  }
  for (int j = 0; j < rest; ++j) y[4 * fours + j] = accumulate ? y[4 * fours + j] + r[j] : r[j];
}

template <class T>
static void gemv_transposed(std::int64_t m, std::int64_t k, const T* a, std::int64_t a_row, const T* x, T* y, bool accumulate) {
  switch (k) {
    case 1: return combine_of<1>(m, a, a_row, x, y, accumulate);
    case 2: return combine_of<2>(m, a, a_row, x, y, accumulate);
    case 3: return combine_of<3>(m, a, a_row, x, y, accumulate);
    case 4: return combine_of<4>(m, a, a_row, x, y, accumulate);
    case 5: return combine_of<5>(m, a, a_row, x, y, accumulate);
    case 6: return combine_of<6>(m, a, a_row, x, y, accumulate);
    case 7: return combine_of<7>(m, a, a_row, x, y, accumulate);
    case 8: return combine_of<8>(m, a, a_row, x, y, accumulate);
  }
  std::int64_t j = 0;
  for (; j + 32 <= k; j += 32) combine_of<32>(m, a + j, a_row, x, y + j, accumulate);
  for (; j + 8 <= k; j += 8) combine_of<8>(m, a + j, a_row, x, y + j, accumulate);
  if (j < k) gemv_transposed(m, k - j, a + j, a_row, x, y + j, accumulate);
}
