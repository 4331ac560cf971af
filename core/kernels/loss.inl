// Row-wise softmax and the fused losses.

template <class T>
static T squared_distance(const T* a, const T* b, T* __restrict d, std::int64_t n) {
  if (n > 4096) [[unlikely]] {  // pairwise above, as sum()
    const std::int64_t half = n / 8192 * 4096 + 4096;
    const std::int64_t split = half < n ? half : n / 2;
    return squared_distance(a, b, d, split) + squared_distance(a + split, b + split, d + split, n - split);
  }
  constexpr int lanes = 16;
  T s[lanes] = {};
  std::int64_t i = 0;
  if (n >= lanes)
    for (; i + lanes <= n; i += lanes)
      for (int j = 0; j < lanes; ++j) {
        const T x = a[i + j] - b[i + j];
        d[i + j] = x;
        s[j] += x * x;
      }
  typename Four<T>::Vector fours = {};
  for (; i + 4 <= n; i += 4) {
    const typename Four<T>::Vector x = four(a + i) - four(b + i);
    __builtin_memcpy(d + i, &x, sizeof x);
    fours += x * x;
  }
  T total = sum_of_four(fours) + sum_up_to_three<T>(n - i, [=](int j) {
              const T x = a[i + j] - b[i + j];
              d[i + j] = x;
              return x * x;
            });
  if (n >= lanes) {
    for (int half = lanes / 2; half > 0; half /= 2)
      for (int j = 0; j < half; ++j) s[j] += s[j + half];
    total += s[0];
  }
  return total;
}

template <class T>
static void add_scaled(const T* x, T scale, T* y, std::int64_t n, bool accumulate) {
  if (accumulate) {
#pragma GCC ivdep
    for (std::int64_t i = 0; i < n; ++i) y[i] += scale * x[i];
  } else {
#pragma GCC ivdep
    for (std::int64_t i = 0; i < n; ++i) y[i] = scale * x[i];
  }
}

template <class T>
static inline T row_max(const T* x, std::int64_t n) {
  T m = x[0];
  for (std::int64_t j = 1; j < n; ++j) m = x[j] > m || x[j] != x[j] ? x[j] : m;
  return m;
}

template <class T>
static void softmax(const T* x, T* y, std::int64_t rows, std::int64_t n) {
  for (std::int64_t i = 0; i < rows; ++i) {
    const T m = row_max(x + i * n, n);
    for (std::int64_t j = 0; j < n; ++j) y[i * n + j] = x[i * n + j] - m;
  }
  unary_loop<functions_of_one::exp>(y, y, rows * n);  // over all rows at once: rows are short
  for (std::int64_t i = 0; i < rows; ++i) {
    const T scale = T(1) / sum(y + i * n, n);
    for (std::int64_t j = 0; j < n; ++j) y[i * n + j] *= scale;
  }
}

template <class T>
static void log_softmax(const T* x, T* y, std::int64_t rows, std::int64_t n) {
  for (std::int64_t i = 0; i < rows; ++i) {
    const T m = row_max(x + i * n, n);
    T s[64], total = T(0);
    for (std::int64_t j = 0; j < n; j += 64) {
      const std::int64_t count = n - j < 64 ? n - j : 64;
      for (std::int64_t q = 0; q < count; ++q) s[q] = exponential(x[i * n + j + q] - m);
      total += sum(s, count);
    }
    const T shift = logarithm(total);
    for (std::int64_t j = 0; j < n; ++j) y[i * n + j] = (x[i * n + j] - m) - shift;  // m + shift would round to m's precision
  }
}

template <class T>
static T cross_entropy(const T* x, const std::int64_t* labels, T* y, std::int64_t rows, std::int64_t n) {
  double loss = 0;  // in f32 a million rows, one after the other, would lose five digits
  for (std::int64_t i = 0; i < rows; ++i) {
    const T m = row_max(x + i * n, n);
    for (std::int64_t j = 0; j < n; ++j) y[i * n + j] = x[i * n + j] - m;
    loss -= static_cast<double>(y[i * n + labels[i]]);
  }
  unary_loop<functions_of_one::exp>(y, y, rows * n);
  constexpr std::int64_t block = 64;
  T s[block];
  for (std::int64_t i = 0; i < rows; i += block) {
    const std::int64_t count = rows - i < block ? rows - i : block;
    for (std::int64_t q = 0; q < count; ++q) {
      T* const row = y + (i + q) * n;
      s[q] = sum(row, n);
      const T scale = T(1) / s[q];
      for (std::int64_t j = 0; j < n; ++j) row[j] *= scale;
    }
    unary_loop<functions_of_one::log>(s, s, count);
    loss += static_cast<double>(sum(s, count));
  }
  return static_cast<T>(loss);
}

template <class T>
static void cross_entropy_grad(const T* y, const std::int64_t* labels, T scale, T* d, std::int64_t rows, std::int64_t n, bool accumulate) {
  add_scaled(y, scale, d, rows * n, accumulate);
  for (std::int64_t i = 0; i < rows; ++i) d[i * n + labels[i]] -= scale;
}
