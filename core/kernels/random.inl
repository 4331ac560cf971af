// Random numbers: Philox4x32-10 on the counters of a group of 16 blocks, and what is made of its words. Nothing is fused or summed, so
// that every instruction set gives the same bits.

// One vector of 64-bit numbers, of whose halves the lower ones count.
using Longs = std::uint64_t __attribute__((vector_size(Simd<float>::bytes)));

// The products of the lower halves.
static inline Longs multiply_halves(Longs a, Longs b) {
#if defined(__AVX512F__)  // with a mask, since GCC 12 warns of its own _mm512_mul_epu32
  return reinterpret_cast<Longs>(_mm512_maskz_mul_epu32(0xFF, reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b)));
#elif defined(__AVX2__)
  return reinterpret_cast<Longs>(_mm256_mul_epu32(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
#elif defined(__SSE2__)
  return reinterpret_cast<Longs>(_mm_mul_epu32(reinterpret_cast<__m128i>(a), reinterpret_cast<__m128i>(b)));
#else
  return (a & 0xFFFFFFFF) * (b & 0xFFFFFFFF);
#endif
}

// Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011, section 3.3. What the upper halves hold is never
// looked at: the product does not read them, and shifts bring lower bits only.
struct PhiloxLanes {
  Longs x[4];

  void mix(const Stream& s) {
    std::uint32_t key0 = s.key[0], key1 = s.key[1];
    for (int round = 0; round < 10; ++round) {
      const Longs p0 = multiply_halves(x[0], Longs{} + 0xD2511F53), p1 = multiply_halves(x[2], Longs{} + 0xCD9E8D57);
      x[0] = (p1 >> 32) ^ x[1] ^ key0;
      x[2] = (p0 >> 32) ^ x[3] ^ key1;
      x[1] = p1;
      x[3] = p0;
      key0 += 0x9E3779B9;
      key1 += 0xBB67AE85;
    }
  }
};

// words[w][b] is word w of the group's block b. The even blocks go through one vector and the odd ones through another, whose lower halves
// side by side are the words in order.
static inline void philox_group(const Stream& s, std::int64_t group, std::uint32_t (&words)[4][Stream::group]) {
  constexpr int lanes = Simd<float>::bytes / 8;
  for (int first = 0; first < Stream::group; first += 2 * lanes) {
    PhiloxLanes both[2];
    for (int odd = 0; odd < 2; ++odd) {
      Longs block;
      for (int l = 0; l < lanes; ++l) block[l] = static_cast<std::uint64_t>(group * Stream::group + first + 2 * l + odd);
      both[odd].x[0] = block;
      both[odd].x[1] = (block >> 32) ^ s.counter[1];
      both[odd].x[2] = Longs{} + s.counter[2];
      both[odd].x[3] = Longs{} + s.counter[3];
      both[odd].mix(s);
    }
    for (int w = 0; w < 4; ++w) {
      const Longs joined = (both[0].x[w] & 0xFFFFFFFF) | (both[1].x[w] << 32);
      __builtin_memcpy(&words[w][first], &joined, sizeof joined);
    }
  }
}

// Whole numbers from 0 to 2^32 - 1 as floating ones. No instruction before AVX-512 converts them, but one does with a sign.
static inline double as_double(std::uint32_t x) { return static_cast<double>(static_cast<std::int32_t>(x ^ 0x80000000u)) + 2147483648.; }
// 53 bits in [0, 1).
static inline double unit(std::uint32_t high, std::uint32_t low) {
  return as_double(high) * 0x1p-32 + static_cast<double>(static_cast<std::int32_t>(low >> 11)) * 0x1p-53;
}

// How the words of a group become numbers: an f32 takes one word, an f64 two.
template <class T>
constexpr int group_numbers = sizeof(T) == 4 ? 4 * Stream::group : 2 * Stream::group;

static void random_words(const Stream& s, std::int64_t group, std::uint32_t (&words)[4][Stream::group]) { philox_group(s, group, words); }

// y[i] = low + range u, held between first and last, which rounding would leave.
template <class T>
static void random_uniform(const Stream& s, std::int64_t group, T* y, std::int64_t n, double low, double range, T first, T last) {
  for (; n > 0; ++group) {
    std::uint32_t words[4][Stream::group];
    philox_group(s, group, words);
    T numbers[group_numbers<T>];
    const auto place = [&](double u) __attribute__((always_inline)) {
      const T v = static_cast<T>(low + range * u);
      return v < first ? first : v > last ? last : v;
    };
    if constexpr (sizeof(T) == 4) {
      const std::uint32_t* const flat = &words[0][0];
#pragma GCC ivdep
#pragma GCC unroll 1
      for (int i = 0; i < group_numbers<T>; ++i) numbers[i] = place(as_double(flat[i]) * 0x1p-32);
    } else {
      for (int half = 0; half < 2; ++half) {
#pragma GCC ivdep
#pragma GCC unroll 1
        for (int b = 0; b < Stream::group; ++b) numbers[half * Stream::group + b] = place(unit(words[2 * half][b], words[2 * half + 1][b]));
      }
    }
    const std::int64_t count = n < group_numbers<T> ? n : group_numbers<T>;
    __builtin_memcpy(y, numbers, static_cast<unsigned long>(count) * sizeof(T));
    y += count;
    n -= count;
  }
}

// The sine and cosine of a turn's fraction, given as the nearest quarter and what is left of it in radians, from -pi/4 to pi/4.
// Coefficients: Cephes, sinf and cosf, sin and cos.
static inline float sine_of_eighth(float r, float z) {
  return r + r * z * ((-1.9515295891e-4f * z + 8.3321608736e-3f) * z - 1.6666654611e-1f);
}
static inline float cosine_of_eighth(float z) {
  return 1.f - 0.5f * z + z * z * ((2.443315711809948e-5f * z - 1.388731625493765e-3f) * z + 4.166664568298827e-2f);
}
static inline double sine_of_eighth(double r, double z) {
  double p = 1.58962301576546568060e-10;
  p = p * z - 2.50507477628578072866e-8;
  p = p * z + 2.75573136214857245213e-6;
  p = p * z - 1.98412698295895385996e-4;
  p = p * z + 8.33333333332211858878e-3;
  p = p * z - 1.66666666666666307295e-1;
  return r + r * z * p;
}
static inline double cosine_of_eighth(double z) {
  double p = -1.13585365213876817300e-11;
  p = p * z + 2.08757008419747316778e-9;
  p = p * z - 2.75573141792967388112e-7;
  p = p * z + 2.48015872888517045348e-5;
  p = p * z - 1.38888888888730564116e-3;
  p = p * z + 4.16666666666665929218e-2;
  return 1. - 0.5 * z + z * z * p;
}

// Box & Muller, "A note on the generation of random normal deviates", Ann. Math. Stat. 29 (1958): sqrt(-2 ln u) times the cosine and the
// sine of the angle 2 pi v, for u in (0, 1].
template <class T>
static inline void box_muller(T u, std::uint32_t quarters, T r, T mean, T stddev, T& a, T& b) {
  const T radius = stddev * root(T(-2) * logarithm(u)), z = r * r;
  const T sine = sine_of_eighth(r, z), cosine = cosine_of_eighth(z);
  const bool swap = (quarters & 1) != 0;
  const T c = swap ? sine : cosine, s = swap ? cosine : sine;
  a = mean + radius * (((quarters + 1) & 2) ? -c : c);
  b = mean + radius * ((quarters & 2) ? -s : s);
}

// Of a group's numbers, each 16 with a cosine come before the 16 with the sine of the same angle.
template <class T>
static void random_normal(const Stream& s, std::int64_t group, T* y, std::int64_t n, T mean, T stddev) {
  for (; n > 0; ++group) {
    std::uint32_t words[4][Stream::group];
    philox_group(s, group, words);
    T numbers[group_numbers<T>];
    if constexpr (sizeof(T) == 4) {
      for (int half = 0; half < 2; ++half) {
        const std::uint32_t *const us = words[2 * half], *const vs = words[2 * half + 1];
        float *const as = numbers + 2 * half * Stream::group, *const bs = as + Stream::group;
#pragma GCC ivdep
#pragma GCC unroll 1
        for (int i = 0; i < Stream::group; ++i) {
          // (w + 1/2) / 2^32, rounded once: both parts of w are exact.
          const float u = (static_cast<float>(static_cast<std::int32_t>(us[i] >> 8)) * 256.f +
                           (static_cast<float>(static_cast<std::int32_t>(us[i] & 255)) + 0.5f)) *
                          0x1p-32f;
          const std::uint32_t quarters = (vs[i] + 0x20000000u) >> 30;
          const float r = static_cast<float>(static_cast<std::int32_t>(vs[i] - (quarters << 30))) * 1.46291807926715968e-9f;  // 2 pi / 2^32
          box_muller(u, quarters, r, mean, stddev, as[i], bs[i]);
        }
      }
    } else {
#pragma GCC ivdep
#pragma GCC unroll 1
      for (int i = 0; i < Stream::group; ++i) {
        const std::uint32_t quarters = (words[2][i] + 0x20000000u) >> 30;
        const double turn = static_cast<double>(static_cast<std::int32_t>(words[2][i] - (quarters << 30))) * 0x1p-32 +
                            static_cast<double>(static_cast<std::int32_t>(words[3][i] >> 11)) * 0x1p-53;
        box_muller(1. - unit(words[0][i], words[1][i]), quarters, turn * 6.28318530717958647693, mean, stddev, numbers[i],
                   numbers[Stream::group + i]);
      }
    }
    const std::int64_t count = n < group_numbers<T> ? n : group_numbers<T>;
    __builtin_memcpy(y, numbers, static_cast<unsigned long>(count) * sizeof(T));
    y += count;
    n -= count;
  }
}
