// Sums, maxima and searches.

// Up to 512 numbers in 32 lanes of at most 16 each, lanes joined pairwise.
template <class T>
static inline T sum_short(const T* x, std::int64_t n) {
  typename Four<T>::Vector fours = {};
  std::int64_t i = 0;
  for (; i + 4 <= n; i += 4) fours += four(x + i);
  return sum_of_four(fours) + sum_up_to_three<T>(n - i, [=](int j) { return x[i + j]; });
}

template <class T>
static T sum_block(const T* x, std::int64_t n) {
  constexpr int lanes = 32;
  if (n < lanes) return sum_short(x, n);
  T s[lanes];
  for (int j = 0; j < lanes; ++j) s[j] = x[j];
  std::int64_t i = lanes;
  for (; i + lanes <= n; i += lanes)
    for (int j = 0; j < lanes; ++j) s[j] += x[i + j];
  for (int half = lanes / 2; half > 0; half /= 2)
    for (int j = 0; j < half; ++j) s[j] += s[j + half];
  return s[0] + sum_short(x + i, n - i);
}

template <class T>
static T sum_blocks(const T* x, std::int64_t n) {
  constexpr std::int64_t block = 512;
  if (n <= block) return sum_block(x, n);
  const std::int64_t blocks = (n + block - 1) / block, half = blocks / 2 * block;
  return sum_blocks(x, half) + sum_blocks(x + half, n - half);
}

template <class T>
static T sum(const T* x, std::int64_t n) {
  return n < 32 ? sum_short(x, n) : sum_blocks(x, n);
}

template <class T>
static double sum_squares(const T* x, std::int64_t n) {
  constexpr int lanes = 8;
  double s[lanes] = {};
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes)
    for (int j = 0; j < lanes; ++j) s[j] += static_cast<double>(x[i + j]) * static_cast<double>(x[i + j]);
  for (int j = 0; i < n; ++i, ++j) s[j] += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

template <int S, class T>
static inline void sum_strip(const T* x, T* y, std::int64_t rows, std::int64_t columns, bool accumulate) {
  T total[S];
  for (int j = 0; j < S; ++j) total[j] = accumulate ? y[j] : T(0);
  for (std::int64_t i = 0; i < rows;) {
    const std::int64_t end = i + 128 < rows ? i + 128 : rows;
    T s[S] = {};
    for (; i < end; ++i)
      for (int j = 0; j < S; ++j) s[j] += x[i * columns + j];
    for (int j = 0; j < S; ++j) total[j] += s[j];
  }
  for (int j = 0; j < S; ++j) y[j] = total[j];
}

template <class T>
static void sum_columns(const T* x, T* y, std::int64_t rows, std::int64_t columns, bool accumulate) {
  if (columns == 1) {
    const T s = sum(x, rows);
    y[0] = accumulate ? y[0] + s : s;
    return;
  }
  std::int64_t j = 0;
  for (; j + 32 <= columns; j += 32) sum_strip<32>(x + j, y + j, rows, columns, accumulate);
  for (; j + 8 <= columns; j += 8) sum_strip<8>(x + j, y + j, rows, columns, accumulate);
  for (; j < columns; ++j) sum_strip<1>(x + j, y + j, rows, columns, accumulate);
}

template <class T>
static std::int64_t argmax(const T* x, std::int64_t n, std::int64_t step) {
  std::int64_t best = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const T v = x[i * step];
    if (v != v) return i;
    if (v > x[best * step]) best = i;
  }
  return best;
}

// x - x is 0 for finite x and NaN otherwise; a block at a time, so that the loop has no exit and vectorises.
template <class T>
static std::int64_t first_non_finite(const T* x, std::int64_t n) {
  constexpr std::int64_t block = 64;
  std::int64_t i = 0;
  for (; i + block <= n; i += block) {
    T s[block];
    for (int j = 0; j < block; ++j) s[j] = x[i + j] - x[i + j];
    int bad = 0;
    for (int j = 0; j < block; ++j) bad |= s[j] != T(0);
    if (bad) break;
  }
  typename Four<T>::Vector fours = {};
  std::int64_t j = i;
  for (; j + 4 <= n; j += 4) fours += four(x + j) - four(x + j);
  const T bad = sum_of_four(fours) + sum_up_to_three<T>(n - j, [=](int q) { return x[j + q] - x[j + q]; });
  if (bad == T(0)) return n;
  while (x[i] - x[i] == T(0)) ++i;
  return i;
}
