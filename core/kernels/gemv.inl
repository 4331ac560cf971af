// Products with a vector. Up to eight columns the loop over them is a constant, so that a small model's weights stay in
// registers: a general loop costs four times as much there.

template <int k, class T>
static inline void dots_of(std::int64_t m, const T* a, std::int64_t a_row, const T* x, T* y, const T* bias, bool accumulate) {
  T w[k];
  for (int j = 0; j < k; ++j) w[j] = x[j];
  const T start = bias ? *bias : T(0);
  for (std::int64_t i = 0; i < m; ++i) {
    T s = accumulate ? y[i] : start;
    for (int j = 0; j < k; ++j) s += a[i * a_row + j] * w[j];
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
static void dots(std::int64_t m, std::int64_t k, const T* a, std::int64_t a_row, const T* x, T* y, const T* bias, bool accumulate) {
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
  T s[k] = {};
  for (std::int64_t i = 0; i < m; ++i)
    for (int j = 0; j < k; ++j) s[j] += x[i] * a[i * a_row + j];
  for (int j = 0; j < k; ++j) y[j] = accumulate ? y[j] + s[j] : s[j];
}

template <class T>
static void combine(std::int64_t m, std::int64_t k, const T* a, std::int64_t a_row, const T* x, T* y, bool accumulate) {
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
  if (j < k) combine(m, k - j, a + j, a_row, x, y + j, accumulate);
}
