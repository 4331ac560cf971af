// c = a b for row-major c: tiles of up to Simd::rows x 2 vectors held in registers (Goto & van de Geijn, "Anatomy of
// high-performance matrix multiplication", ACM TOMS 34(3), 2008). Of b, panels two vectors wide are laid out one after the
// other, but read in place where b is row-major and small; a is read in place unless it is transposed and large.

constexpr std::int64_t block_k = 256;     // a panel of b, 256 x 2 vectors, stays in the first-level cache
constexpr std::int64_t block_m = 96;      // a block of a, 96 x 256, stays in the second-level cache
constexpr std::int64_t block_n = 4096;    // bytes of a row of b: its panels, 256 rows deep, stay in the second- or third-level cache
constexpr std::int64_t in_place = 24576;  // elements of b up to which reading it in place beats laying it out

template <class T>
static constexpr std::int64_t panel_width() {
  return 2 * Simd<T>::width;
}

// Where a strip of tiles, one below the other, finds its numbers and leaves them.
template <class T>
struct Strip {
  std::int64_t tiles, k;
  const T* a;
  std::int64_t a_tile, a_row, a_column;
  const T* b;
  std::int64_t b_row;
  T* c;
  std::int64_t c_row;
  const T* bias;
  bool accumulate;
  bool* finite;
};

// Tiles of m rows and v vectors, of which the last is cut after `part` numbers when that is not 0. Fixed counts, so that
// the accumulators never leave the registers.
template <int m, int v, bool cut, class T>
static void strip(const Strip<T>& to, int part) {
  using S = Simd<T>;
  using V = typename S::Vector;
  const std::int64_t b_row = to.b_row, a_row = to.a_row, a_column = to.a_column, k = to.k, c_row = to.c_row;
  const bool accumulate = to.accumulate;
  const T* a_tile = to.a;
  T* c_tile = to.c;
  V unsound = {};  // x - x is 0 for finite x and NaN otherwise
  for (std::int64_t tile = 0; tile < to.tiles; ++tile, a_tile += to.a_tile, c_tile += m * c_row) {
    V s[m][v] = {};
    // A pointer for every four rows: with one for all the compiler keeps an offset for each row, which are more than there are
    // registers.
    const T *a[(m + 3) / 4], *b = to.b;
    for (int i = 0; i < m; i += 4) {
      a[i / 4] = a_tile + i * a_row;
      __asm__("" : "+r"(a[i / 4]));
    }
    for (std::int64_t q = 0; q < k; ++q, b += b_row) {
      V row[v];
#pragma GCC unroll 2
      for (int j = 0; j < v; ++j) row[j] = S::load(b + j * S::width);
#pragma GCC unroll 12
      for (int i = 0; i < m; ++i) {
        const V x = S::broadcast(a[i / 4][i % 4 * a_row]);
#pragma GCC unroll 2
        for (int j = 0; j < v; ++j) s[i][j] = fma(x, row[j], s[i][j]);
      }
#pragma GCC unroll 3
      for (int i = 0; i < m; i += 4) a[i / 4] += a_column;
    }
    V start[v] = {};
    if (to.bias) {
#pragma GCC unroll 2
      for (int j = 0; j < v; ++j)
        start[j] = cut && j == v - 1 ? S::load_part(to.bias + j * S::width, part) : S::load(to.bias + j * S::width);
    }
#pragma GCC unroll 12
    for (int i = 0; i < m; ++i) {
#pragma GCC unroll 2
      for (int j = 0; j < v; ++j) {
        T* p = c_tile + i * c_row + j * S::width;
        if (cut && j == v - 1)
          S::store_part(p, s[i][j] += accumulate ? S::load_part(p, part) : start[j], part);
        else
          S::store(p, s[i][j] += accumulate ? S::load(p) : start[j]);
      }
    }
    if (to.finite) {  // behind the last column lie products with zeros, which are no worse than those before them
#pragma GCC unroll 12
      for (int i = 0; i < m; ++i) {
#pragma GCC unroll 2
        for (int j = 0; j < v; ++j) unsound += s[i][j] - s[i][j];
      }
    }
  }
  if (to.finite) {
    T sum = T(0);
    for (int j = 0; j < S::width; ++j) sum += unsound[j];
    if (sum != T(0)) *to.finite = false;
  }
}

template <int m, class T>
static inline void strip_of_height(const Strip<T>& to, std::int64_t columns) {
  if constexpr (m <= Simd<T>::rows) {
    constexpr int width = Simd<T>::width;
    const auto part = static_cast<int>(columns % width);
    if (columns > width) return part ? strip<m, 2, true>(to, part) : strip<m, 2, false>(to, 0);
    return part ? strip<m, 1, true>(to, part) : strip<m, 1, false>(to, 0);
  }
}

template <class T>
static void strip_of(std::int64_t height, const Strip<T>& to, std::int64_t columns) {
  switch (height) {
    case 1: return strip_of_height<1>(to, columns);
    case 2: return strip_of_height<2>(to, columns);
    case 3: return strip_of_height<3>(to, columns);
    case 4: return strip_of_height<4>(to, columns);
    case 5: return strip_of_height<5>(to, columns);
    case 6: return strip_of_height<6>(to, columns);
    case 7: return strip_of_height<7>(to, columns);
    case 8: return strip_of_height<8>(to, columns);
    case 9: return strip_of_height<9>(to, columns);
    case 10: return strip_of_height<10>(to, columns);
    case 11: return strip_of_height<11>(to, columns);
    case 12: return strip_of_height<12>(to, columns);
  }
}

/// Calls f(i, tiles, height) for one or two strips of tiles of nearly equal height, whose first row is i: a last tile of
/// one row would leave the pipelines idle.
template <class T, class F>
static inline void for_strips(std::int64_t m, F f) {
  const std::int64_t tiles = (m + Simd<T>::rows - 1) / Simd<T>::rows;
  const std::int64_t height = m / tiles, higher = m % tiles;
  if (higher > 0) f(std::int64_t{0}, higher, height + 1);
  if (higher < tiles) f(higher * (height + 1), tiles - higher, height);
}

#if defined(__AVX2__)
// An 8 x 8 block of y[c, r] = x[r, c].
// Rows 0 to 3 and 4 to 7 are loaded as the two halves of one vector, which needs half the shuffles of whole rows.
static inline void transpose_block(const float* x, std::int64_t x_row, float* y, std::int64_t y_row) {
  for (int h = 0; h < 8; h += 4) {
    __m256 r[4], t[4];
    for (int i = 0; i < 4; ++i)
      r[i] = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(x + i * x_row + h)), _mm_loadu_ps(x + (i + 4) * x_row + h), 1);
    for (int i = 0; i < 4; i += 2) {
      t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
      t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
    }
    for (int i = 0; i < 2; ++i) {
      _mm256_storeu_ps(y + (h + 2 * i) * y_row, _mm256_shuffle_ps(t[i], t[i + 2], 0x44));
      _mm256_storeu_ps(y + (h + 2 * i + 1) * y_row, _mm256_shuffle_ps(t[i], t[i + 2], 0xEE));
    }
  }
}
#else
static inline void transpose_block(const float* x, std::int64_t x_row, float* y, std::int64_t y_row) {
  for (int i = 0; i < 8; ++i)
    for (int j = 0; j < 8; ++j) y[j * y_row + i] = x[i * x_row + j];
}
#endif
static inline void transpose_block(const double* x, std::int64_t x_row, double* y, std::int64_t y_row) {
  for (int i = 0; i < 8; ++i)
    for (int j = 0; j < 8; ++j) y[j * y_row + i] = x[i * x_row + j];
}

template <class T>
static inline void transpose_to(const T* x, std::int64_t x_row, T* y, std::int64_t y_row, std::int64_t rows, std::int64_t columns) {
  std::int64_t i = 0;
  for (; i + 8 <= rows; i += 8) {
    std::int64_t j = 0;
    for (; j + 8 <= columns; j += 8) transpose_block(x + i * x_row + j, x_row, y + j * y_row + i, y_row);
    for (; j < columns; ++j)
      for (int p = 0; p < 8; ++p) y[j * y_row + i + p] = x[(i + p) * x_row + j];
  }
  for (; i < rows; ++i)
    for (std::int64_t j = 0; j < columns; ++j) y[j * y_row + i] = x[i * x_row + j];
}

template <class T>
static void transpose(const T* x, T* y, std::int64_t rows, std::int64_t columns) {
  transpose_to(x, columns, y, rows, rows, columns);
}

// Rows [0, k) of one panel of b, `columns` wide, padded with zeros to the full width.
template <class T>
static inline void pack_panel(const Operand<T>& b, std::int64_t k, std::int64_t columns, T* to) {
  constexpr std::int64_t width = panel_width<T>();
  if (columns < width)
    for (std::int64_t i = 0; i < k * width; ++i) to[i] = T(0);
  if (b.row == 1) {
    transpose_to(b.data, b.column, to, width, columns, k);
  } else if (columns == width) {
    for (std::int64_t q = 0; q < k; ++q) __builtin_memcpy(to + q * width, b.data + q * b.row, width * sizeof(T));
  } else {
    for (std::int64_t q = 0; q < k; ++q)
      for (std::int64_t j = 0; j < columns; ++j) to[q * width + j] = b.data[q * b.row + j];
  }
}

// Rows of a transposed `a` for one tile: element (i, q) goes to q * height + i.
template <class T>
static inline void pack_rows(const T* a, std::int64_t a_column, std::int64_t height, std::int64_t k, T* to) {
  if (height == Simd<T>::rows) {
    for (std::int64_t q = 0; q < k; ++q) __builtin_memcpy(to + q * Simd<T>::rows, a + q * a_column, Simd<T>::rows * sizeof(T));
    return;
  }
  for (std::int64_t q = 0; q < k; ++q)
    for (std::int64_t i = 0; i < height; ++i) to[q * height + i] = a[q * a_column + i];
}

// How many columns of b are laid out at a time.
template <class T>
static std::int64_t block_of_columns(std::int64_t n) {
  constexpr std::int64_t most = block_n / sizeof(T), width = panel_width<T>();
  if (n <= most) return n;
  const std::int64_t blocks = (n + most - 1) / most;
  return (n + blocks * width - 1) / (blocks * width) * width;
}

template <class T>
static std::int64_t gemm_scratch(std::int64_t m, std::int64_t n, std::int64_t k) {
  const std::int64_t panels = (block_of_columns<T>(n) + panel_width<T>() - 1) / panel_width<T>(), deep = k < block_k ? k : block_k;
  return panels * panel_width<T>() * deep + (m < block_m ? m : block_m) * deep;
}

template <class T>
static void gemm_block(std::int64_t m, std::int64_t n, std::int64_t k, const Operand<T>& a, const Operand<T>& b, T* c, std::int64_t c_row,
                       const T* bias, bool accumulate, T* scratch, bool* finite) {
  constexpr std::int64_t width = panel_width<T>();
  const std::int64_t panels = (n + width - 1) / width;
  const bool read_b = b.column == 1 && k * n <= in_place;
  for (std::int64_t k0 = 0; k0 < k || k0 == 0; k0 += block_k) {
    const std::int64_t deep = k - k0 < block_k ? k - k0 : block_k;
    const Operand<T> b0 = {b.data + k0 * b.row, b.row, b.column};
    for (std::int64_t p = read_b ? n / width : 0; p < panels; ++p) {
      const std::int64_t columns = n - p * width < width ? n - p * width : width;
      pack_panel(Operand<T>{b0.data + p * width * b.column, b.row, b.column}, deep, columns, scratch + p * width * deep);
    }
    T* const a_scratch = scratch + panels * width * deep;
    for (std::int64_t i0 = 0; i0 < m; i0 += block_m) {
      const std::int64_t high = m - i0 < block_m ? m - i0 : block_m;
      const T* a0 = a.data + i0 * a.row + k0 * a.column;
      const bool pack_a = a.row == 1 && deep > 64 && panels > 1;
      if (pack_a)
        for_strips<T>(high, [&](std::int64_t i, std::int64_t tiles, std::int64_t height) {
          for (std::int64_t t = 0; t < tiles; ++t, i += height) pack_rows(a0 + i, a.column, height, deep, a_scratch + i * deep);
        });
      for (std::int64_t p = 0; p < panels; ++p) {
        const std::int64_t columns = n - p * width < width ? n - p * width : width;
        const bool direct = read_b && columns == width;
        for_strips<T>(high, [&](std::int64_t i, std::int64_t tiles, std::int64_t height) {
          strip_of(height,
                   Strip<T>{tiles, deep, pack_a ? a_scratch + i * deep : a0 + i * a.row, height * (pack_a ? deep : a.row),
                            pack_a ? 1 : a.row, pack_a ? height : a.column, direct ? b0.data + p * width : scratch + p * width * deep,
                            direct ? b.row : width, c + (i0 + i) * c_row + p * width, c_row, k0 == 0 && bias ? bias + p * width : nullptr,
                            accumulate || k0 > 0, k0 + deep >= k ? finite : nullptr},
                   columns);
        });
      }
    }
  }
}

template <class T>
static void gemm(std::int64_t m, std::int64_t n, std::int64_t k, const Operand<T>& a, const Operand<T>& b, T* c, std::int64_t c_row,
                 const T* bias, bool accumulate, T* scratch, bool* finite) {
  const std::int64_t block = block_of_columns<T>(n);
  for (std::int64_t j = 0; j < n; j += block)
    gemm_block(m, n - j < block ? n - j : block, k, a, Operand<T>{b.data + j * b.column, b.row, b.column}, c + j, c_row,
               bias ? bias + j : nullptr, accumulate, scratch, finite);
}
