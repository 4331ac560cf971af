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
static void add_rows(const T* x, const std::int64_t* row, T* y, std::int64_t n, std::int64_t size) {
  using S = Simd<T>;
  constexpr std::int64_t ahead = 16;  // rows: what comes from memory is asked for in time
  for (std::int64_t k = 0; k < n; ++k, x += size) {
    if (k + ahead < n) __builtin_prefetch(y + row[k + ahead] * size, 1);
    T* const to = y + row[k] * size;
    std::int64_t j = 0;
    for (; j + S::width <= size; j += S::width) S::store(to + j, S::load(to + j) + S::load(x + j));
    for (; j + 4 <= size; j += 4) {
      const auto sum = four(to + j) + four(x + j);
      __builtin_memcpy(to + j, &sum, sizeof sum);
    }
    for (int left = 3; left > 0 && j < size; --left, ++j) to[j] += x[j];  // no loop that the compiler would vectorise
  }
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

// x - x is 0 for finite x and NaN otherwise; summed, so that the loop has no exit.
template <class T>
static inline bool all_finite(const T* x, std::int64_t n) {
  using S = Simd<T>;
  typename S::Vector s[4] = {};
  std::int64_t i = 0;
  for (; i + 4 * S::width <= n; i += 4 * S::width)
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) s[v] += S::load(x + i + v * S::width) - S::load(x + i + v * S::width);
  typename Four<T>::Vector fours = {};
  for (; i + 4 <= n; i += 4) fours += four(x + i) - four(x + i);
  T total = sum_of_four(fours) + sum_up_to_three<T>(n - i, [=](int j) { return x[i + j] - x[i + j]; });
  if (n >= 4 * S::width) {
    s[0] = (s[0] + s[1]) + (s[2] + s[3]);
    for (int j = 0; j < S::width; ++j) total += s[0][j];
  }
  return total == T(0);
}

// Eight places of a window are read side by side: one core asks memory for 1.6 times as much as along one line.
template <class T>
constexpr std::int64_t finite_window = std::int64_t{1} << 17;

template <class T>
static bool window_finite(const T* x) {
  using S = Simd<T>;
  constexpr std::int64_t streams = 8, length = finite_window<T> / streams;
  typename S::Vector s[streams] = {};
  for (std::int64_t i = 0; i < length; i += 2 * S::width)
#pragma GCC unroll 8
    for (std::int64_t k = 0; k < streams; ++k) {
      const auto a = S::load(x + k * length + i), b = S::load(x + k * length + i + S::width);
      s[k] += (a - a) + (b - b);
    }
  for (std::int64_t k = 1; k < streams; ++k) s[0] += s[k];
  T total = T(0);
  for (int j = 0; j < S::width; ++j) total += s[0][j];
  return total == T(0);
}

template <class T>
static std::int64_t first_non_finite(const T* x, std::int64_t n) {
  constexpr std::int64_t window = finite_window<T>;
  std::int64_t i = 0;
  while (i + window <= n && window_finite(x + i)) i += window;
  if (i + window > n && all_finite(x + i, n - i)) return n;
  while (x[i] - x[i] == T(0)) ++i;
  return i;
}
