// One vector of the instruction set that this file is compiled for, with the fused multiply-add that contraction being off
// keeps the compiler from choosing by itself.
template <class T>
struct Simd {
#if defined(__AVX512F__)
  static constexpr int bytes = 64;
  static constexpr int rows = 12;  // of a tile two vectors wide: 24 accumulators of 32 registers
#elif defined(__AVX2__)
  static constexpr int bytes = 32;
  static constexpr int rows = 6;  // 12 accumulators of 16 registers
#else
  static constexpr int bytes = 16;
  static constexpr int rows = 4;
#endif
  static constexpr int width = bytes / static_cast<int>(sizeof(T));
  typedef T Vector __attribute__((vector_size(bytes)));

  static Vector load(const T* p) {
    Vector v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
  }
  static void store(T* p, Vector v) { __builtin_memcpy(p, &v, sizeof v); }
  static Vector broadcast(T x) { return x - Vector{}; }

  // The first `count` < width numbers of a vector; the others are 0.
  static Vector load_part(const T* p, int count) {
#if defined(__AVX512F__)
    if constexpr (sizeof(T) == 4)
      return reinterpret_cast<Vector>(_mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << count) - 1), p));
    else
      return reinterpret_cast<Vector>(_mm512_maskz_loadu_pd(static_cast<__mmask8>((1u << count) - 1), p));
#else
    Vector v = {};
    for (int j = 0; j < count; ++j) v[j] = p[j];
    return v;
#endif
  }
  static void store_part(T* p, Vector v, int count) {
#if defined(__AVX512F__)
    if constexpr (sizeof(T) == 4)
      _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << count) - 1), reinterpret_cast<__m512>(v));
    else
      _mm512_mask_storeu_pd(p, static_cast<__mmask8>((1u << count) - 1), reinterpret_cast<__m512d>(v));
#elif defined(__AVX2__)
    if constexpr (sizeof(T) == 4)
      _mm256_maskstore_ps(p, _mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)),
                          reinterpret_cast<__m256>(v));
    else
      _mm256_maskstore_pd(p, _mm256_cmpgt_epi64(_mm256_set1_epi64x(count), _mm256_setr_epi64x(0, 1, 2, 3)), reinterpret_cast<__m256d>(v));
#else
    T edge[width];
    store(edge, v);
    for (int j = 0; j < count; ++j) p[j] = edge[j];
#endif
  }
};

template <class V>
static inline V fma(V a, V b, V c) {
#if defined(__AVX512F__)
  if constexpr (sizeof(a[0]) == 4)
    return reinterpret_cast<V>(_mm512_fmadd_ps(reinterpret_cast<__m512>(a), reinterpret_cast<__m512>(b), reinterpret_cast<__m512>(c)));
  else
    return reinterpret_cast<V>(_mm512_fmadd_pd(reinterpret_cast<__m512d>(a), reinterpret_cast<__m512d>(b), reinterpret_cast<__m512d>(c)));
#elif defined(__AVX2__) && defined(__FMA__)
  if constexpr (sizeof(a[0]) == 4)
    return reinterpret_cast<V>(_mm256_fmadd_ps(reinterpret_cast<__m256>(a), reinterpret_cast<__m256>(b), reinterpret_cast<__m256>(c)));
  else
    return reinterpret_cast<V>(_mm256_fmadd_pd(reinterpret_cast<__m256d>(a), reinterpret_cast<__m256d>(b), reinterpret_cast<__m256d>(c)));
#else
  return a * b + c;
#endif
}

// Four numbers, for what is shorter than a vector of the whole width.
template <class T>
struct Four;
template <>
struct Four<float> {
  typedef float Vector __attribute__((vector_size(16)));
};
template <>
struct Four<double> {
  typedef double Vector __attribute__((vector_size(32)));
};

template <class T>
[[gnu::always_inline]] static inline typename Four<T>::Vector four(const T* p) {
  typename Four<T>::Vector v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
template <class V>
[[gnu::always_inline]] static inline auto sum_of_four(V v) {
  v += __builtin_shufflevector(v, v, 2, 3, 0, 1);
  return v[0] + v[1];
}
// f(0) + f(1) + f(2), up to `count` of them: what fours leave over. No loop, which the compiler would vectorise.
template <class T, class F>
[[gnu::always_inline]] static inline T sum_up_to_three(std::int64_t count, F f) {
  T s = T(0);
  if (count > 0) s = f(0);
  if (count > 1) s += f(1);
  if (count > 2) s += f(2);
  return s;
}
