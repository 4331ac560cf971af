// Elementary functions that vectorise: no branch, no call. Coefficients are Cephes' where nothing else is said.

// e^r - 1, where x = n ln 2 + r with |r| <= ln 2 / 2, by a polynomial of degree 6 (coefficients: Cephes, expf). The low bits of
// `shifted`, 1.5 * 2^23 + n, are n.
static inline float rest_of_exponential(float x, float& shifted) {
  shifted = x * 1.44269504088896341f + 12582912.f;
  const float n = shifted - 12582912.f;
  const float r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  return p * (r * r) + r;
}
// The same with the Taylor polynomial of degree 13, whose remainder is below 2^-57 on this range, and 1.5 * 2^52 + n.
static inline double rest_of_exponential(double x, double& shifted) {
  shifted = x * 1.4426950408889634074 + 6755399441055744.;
  const double n = shifted - 6755399441055744.;
  const double r = (x - n * 6.93145751953125e-1) - n * 1.42860682030941723212e-6;
  double p = 1.0 / 6227020800.0;
  p = p * r + 1.0 / 479001600.0;
  p = p * r + 1.0 / 39916800.0;
  p = p * r + 1.0 / 3628800.0;
  p = p * r + 1.0 / 362880.0;
  p = p * r + 1.0 / 40320.0;
  p = p * r + 1.0 / 5040.0;
  p = p * r + 1.0 / 720.0;
  p = p * r + 1.0 / 120.0;
  p = p * r + 1.0 / 24.0;
  p = p * r + 1.0 / 6.0;
  p = p * r + 0.5;
  return p * (r * r) + r;
}

// e^x within 2 ulp: e^r and 2^n, this in two factors so that results below the normal range round once.
static inline float exponential(float x) {
  float shifted;
  const float p = rest_of_exponential(x < -105.f ? -105.f : x > 89.f ? 89.f : x, shifted) + 1.f;  // NaN passes both comparisons
  int bits;
  __builtin_memcpy(&bits, &shifted, 4);
  const int whole = bits - 0x4B400000, half = whole >> 1;
  const int low = (half + 127) << 23, high = (whole - half + 127) << 23;
  float a, b;
  __builtin_memcpy(&a, &low, 4);
  __builtin_memcpy(&b, &high, 4);
  return p * a * b;
}
static inline double exponential(double x) {
  double shifted;
  const double p = rest_of_exponential(x < -746. ? -746. : x > 710. ? 710. : x, shifted) + 1.;
  long long bits;
  __builtin_memcpy(&bits, &shifted, 8);
  // Shifting a signed 64-bit number right has no vector form before AVX-512; the low 32 bits hold all of n.
  const int whole = static_cast<int>(bits), half = whole >> 1;
  const long long low = (static_cast<long long>(half) + 1023) << 52, high = (static_cast<long long>(whole - half) + 1023) << 52;
  double a, b;
  __builtin_memcpy(&a, &low, 8);
  __builtin_memcpy(&b, &high, 8);
  return p * a * b;
}

static inline float root(float x) { return __builtin_sqrtf(x); }
static inline double root(double x) { return __builtin_sqrt(x); }
static inline float magnitude(float x) { return __builtin_fabsf(x); }
static inline double magnitude(double x) { return __builtin_fabs(x); }
static inline float with_sign_of(float x, float m) { return __builtin_copysignf(m, x); }
static inline double with_sign_of(double x, double m) { return __builtin_copysign(m, x); }

// e^x - 1 within 2 ulp: 2^n (e^r - 1) + (2^n - 1). Half of it is computed, so that 2^n stays in range; where n is 0 the half of a
// denormal number would lose its last bit.
static inline float exponential_minus_1(float x) {
  float shifted;
  const float p = rest_of_exponential(x < -30.f ? -30.f : x > 89.f ? 89.f : x, shifted);
  int bits;
  __builtin_memcpy(&bits, &shifted, 4);
  const int half = (bits - 0x4B400000 + 126) << 23;
  float t;
  __builtin_memcpy(&t, &half, 4);
  return with_sign_of(x, shifted == 12582912.f ? p : (t * p + (t - 0.5f)) * 2.f);
}
static inline double exponential_minus_1(double x) {
  double shifted;
  const double p = rest_of_exponential(x < -50. ? -50. : x > 710. ? 710. : x, shifted);
  long long bits;
  __builtin_memcpy(&bits, &shifted, 8);
  const long long half = (static_cast<long long>(static_cast<int>(bits)) + 1022) << 52;
  double t;
  __builtin_memcpy(&t, &half, 8);
  return with_sign_of(x, shifted == 6755399441055744. ? p : (t * p + (t - 0.5)) * 2.);
}

// ln x for float within 2 ulp, denormals too: x = 2^n m with sqrt(1/2) <= m < sqrt(2), and a polynomial in m - 1 (logf).
static inline float logarithm(float x) {
  const bool denormal = x < 1.17549435e-38f;
  const float scaled = denormal ? x * 8388608.f : x;  // 2^23
  int bits;
  __builtin_memcpy(&bits, &scaled, 4);
  const int half = (bits & 0x007FFFFF) | 0x3F000000;
  float m;
  __builtin_memcpy(&m, &half, 4);
  const bool low = m < 0.707106781f;
  const float n = static_cast<float>((bits >> 23) - 126) - (denormal ? 23.f : 0.f) - (low ? 1.f : 0.f);
  const float r = (low ? m + m : m) - 1.f, z = r * r;
  float p = 7.0376836292e-2f;
  p = p * r - 1.1514610310e-1f;
  p = p * r + 1.1676998740e-1f;
  p = p * r - 1.2420140846e-1f;
  p = p * r + 1.4249322787e-1f;
  p = p * r - 1.6668057665e-1f;
  p = p * r + 2.0000714765e-1f;
  p = p * r - 2.4999993993e-1f;
  p = p * r + 3.3333331174e-1f;
  const float y = (r + (p * r * z - n * 2.12194440e-4f - 0.5f * z)) + n * 0.693359375f;
  const float limit = x == 0.f ? -__builtin_inff() : x < 0.f ? __builtin_nanf("") : x;  // infinity and NaN stay
  return ((x > 0.f) & (x < __builtin_inff())) ? y : limit;
}

// The same for double within 2 ulp, with a quotient of polynomials (log).
static inline double logarithm(double x) {
  const bool denormal = x < 2.2250738585072014e-308;
  const double scaled = denormal ? x * 4503599627370496. : x;  // 2^52
  unsigned long long bits;
  __builtin_memcpy(&bits, &scaled, 8);
  const unsigned long long half = (bits & 0x000FFFFFFFFFFFFFull) | 0x3FE0000000000000ull;
  // A 64-bit integer has no vector conversion before AVX-512: as the low bits of 2^52 it is a double already.
  const unsigned long long shifted = (bits >> 52) | 0x4330000000000000ull;
  double m, exponent;
  __builtin_memcpy(&m, &half, 8);
  __builtin_memcpy(&exponent, &shifted, 8);
  const bool low = m < 0.70710678118654752440;
  const double n = exponent - (4503599627370496. + 1022.) - (denormal ? 52. : 0.) - (low ? 1. : 0.);
  const double r = (low ? m + m : m) - 1., z = r * r;
  double p = 1.01875663804580931796e-4, q = r + 1.12873587189167450590e1;
  p = p * r + 4.97494994976747001425e-1;
  p = p * r + 4.70579119878881725854e0;
  p = p * r + 1.44989225341610930846e1;
  p = p * r + 1.79368678507819816313e1;
  p = p * r + 7.70838733755885391666e0;
  q = q * r + 4.52279145837532221105e1;
  q = q * r + 8.29875266912776603211e1;
  q = q * r + 7.11544750618563894466e1;
  q = q * r + 2.31251620126765340583e1;
  const double y = (r + (r * (z * p / q) - n * 2.121944400546905827679e-4 - 0.5 * z)) + n * 0.693359375;
  const double limit = x == 0. ? -__builtin_inf() : x < 0. ? __builtin_nan("") : x;
  return ((x > 0.) & (x < __builtin_inf())) ? y : limit;
}

// ln(1 + u) for 0 <= u <= 1: what 1 + u lost of u is made good by a quotient (Kahan).
template <class T>
static inline T logarithm_beside_1(T u) {
  const T w = T(1) + u;
  return w == T(1) ? u : logarithm(w) * (u / (w - T(1)));
}

// ln(1 + x) the same way, within 3 ulp.
template <class T>
static inline T logarithm_of_1_plus(T x) {
  const T w = T(1) + x, y = logarithm(w), back = w - T(1);
  return back == T(0) ? x : w < T(__builtin_inff()) ? y * (x / back) : y;
}

// tanh x for float within 3 ulp: 1 - 2 / (e^2x + 1), and below 0.625, where that cancels, a polynomial (tanhf).
static inline float hyperbolic_tangent(float x) {
  const float m = magnitude(x), z = x * x;
  float p = -5.70498872745e-3f;
  p = p * z + 2.06390887954e-2f;
  p = p * z - 5.37397155531e-2f;
  p = p * z + 1.33314422036e-1f;
  p = p * z - 3.33332819422e-1f;
  const float y = m < 0.625f ? m + m * z * p : 1.f - 2.f / (exponential(m + m) + 1.f);
  return with_sign_of(x, y);  // also at -0
}

// The same for double within 3 ulp, with a quotient of polynomials (tanh).
static inline double hyperbolic_tangent(double x) {
  const double m = magnitude(x), z = x * x;
  double p = -9.64399179425052238628e-1, q = z + 1.12811678491632931402e2;
  p = p * z - 9.92877231001918586564e1;
  p = p * z - 1.61468768441708447952e3;
  q = q * z + 2.23548839060100448583e3;
  q = q * z + 4.84406305325125486048e3;
  const double y = m < 0.625 ? m + m * z * (p / q) : 1. - 2. / (exponential(m + m) + 1.);
  return with_sign_of(x, y);
}
