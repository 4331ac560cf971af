// y[i] = f(x[i]) and y[i] = f(a[i], b[i]).

// e^x for float within 2 ulp: x = n ln 2 + r with |r| <= ln 2 / 2, a polynomial of degree 6 for e^r (coefficients:
// Cephes, expf), and 2^n in two factors so that results below the normal range round once. Vectorises.
static inline float exponential(float x) {
  x = x < -105.f ? -105.f : x > 89.f ? 89.f : x;                // NaN passes both comparisons
  const float shifted = x * 1.44269504088896341f + 12582912.f;  // 1.5 * 2^23: the sum's low bits are round(x / ln 2)
  const float n = shifted - 12582912.f;
  const float r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.f;
  int bits;
  __builtin_memcpy(&bits, &shifted, 4);
  const int whole = bits - 0x4B400000, half = whole >> 1;
  const int low = (half + 127) << 23, high = (whole - half + 127) << 23;
  float a, b;
  __builtin_memcpy(&a, &low, 4);
  __builtin_memcpy(&b, &high, 4);
  return p * a * b;
}

// The same for double within 2 ulp, with the Taylor polynomial of degree 13: its remainder is below 2^-57 on this range.
static inline double exponential(double x) {
  x = x < -746. ? -746. : x > 710. ? 710. : x;
  const double shifted = x * 1.4426950408889634074 + 6755399441055744.;  // 1.5 * 2^52
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
  p = p * (r * r) + r + 1.0;
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

static inline float logarithm(float x) { return __builtin_logf(x); }
static inline double logarithm(double x) { return __builtin_log(x); }
static inline float root(float x) { return __builtin_sqrtf(x); }
static inline double root(double x) { return __builtin_sqrt(x); }
static inline float hyperbolic_tangent(float x) { return __builtin_tanhf(x); }
static inline double hyperbolic_tangent(double x) { return __builtin_tanh(x); }
static inline float power(float x, float p) { return __builtin_powf(x, p); }
static inline double power(double x, double p) { return __builtin_pow(x, p); }
static inline float magnitude(float x) { return __builtin_fabsf(x); }
static inline double magnitude(double x) { return __builtin_fabs(x); }
static inline float exponential_minus_1(float x) { return __builtin_expm1f(x); }
static inline double exponential_minus_1(double x) { return __builtin_expm1(x); }
static inline float logarithm_of_1_plus(float x) { return __builtin_log1pf(x); }
static inline double logarithm_of_1_plus(double x) { return __builtin_log1p(x); }
static inline float sine(float x) { return __builtin_sinf(x); }
static inline double sine(double x) { return __builtin_sin(x); }
static inline float cosine(float x) { return __builtin_cosf(x); }
static inline double cosine(double x) { return __builtin_cos(x); }
static inline float error_function(float x) { return __builtin_erff(x); }
static inline double error_function(double x) { return __builtin_erf(x); }
static inline float complementary_error_function(float x) { return __builtin_erfcf(x); }
static inline double complementary_error_function(double x) { return __builtin_erfc(x); }
static inline float floor_of(float x) { return __builtin_floorf(x); }
static inline double floor_of(double x) { return __builtin_floor(x); }
static inline float ceiling(float x) { return __builtin_ceilf(x); }
static inline double ceiling(double x) { return __builtin_ceil(x); }
static inline float rounded(float x) { return __builtin_rintf(x); }
static inline double rounded(double x) { return __builtin_rint(x); }

// clang-format off
struct Neg     { template <class T> static T f(T x) { return -x; } };
struct Exp     { template <class T> static T f(T x) { return exponential(x); } };
struct Log     { template <class T> static T f(T x) { return logarithm(x); } };
struct Sqrt    { template <class T> static T f(T x) { return root(x); } };
struct Square  { template <class T> static T f(T x) { return x * x; } };
struct Abs     { template <class T> static T f(T x) { return magnitude(x); } };
struct Relu    { template <class T> static T f(T x) { return x < T(0) ? T(0) : x; } };
struct Tanh    { template <class T> static T f(T x) { return hyperbolic_tangent(x); } };
struct Sigmoid { template <class T> static T f(T x) { const T z = exponential(-magnitude(x)); return (x < T(0) ? z : T(1)) / (T(1) + z); } };
struct Sign    { template <class T> static T f(T x) { return x > T(0) ? T(1) : x < T(0) ? T(-1) : x == T(0) ? T(0) : x; } };
struct Expm1   { template <class T> static T f(T x) { return exponential_minus_1(x); } };
struct Log1p   { template <class T> static T f(T x) { return logarithm_of_1_plus(x); } };
struct Rsqrt   { template <class T> static T f(T x) { return T(1) / root(x); } };
struct Reciprocal { template <class T> static T f(T x) { return T(1) / x; } };
struct Sin     { template <class T> static T f(T x) { return sine(x); } };
struct Cos     { template <class T> static T f(T x) { return cosine(x); } };
struct Erf     { template <class T> static T f(T x) { return error_function(x); } };
struct Floor   { template <class T> static T f(T x) { return floor_of(x); } };
struct Ceil    { template <class T> static T f(T x) { return ceiling(x); } };
struct Round   { template <class T> static T f(T x) { return rounded(x); } };

struct Add         { template <class T> static T f(T a, T b) { return a + b; } };
struct Sub         { template <class T> static T f(T a, T b) { return a - b; } };
struct Mul         { template <class T> static T f(T a, T b) { return a * b; } };
struct Div         { template <class T> static T f(T a, T b) { return a / b; } };
struct Pow         { template <class T> static T f(T a, T b) { return power(a, b); } };
struct SqrtGrad    { template <class T> static T f(T y, T dy) { return dy / (y + y); } };
struct SquareGrad  { template <class T> static T f(T x, T dy) { return (x + x) * dy; } };
struct AbsGrad     { template <class T> static T f(T x, T dy) { return x > T(0) ? dy : x < T(0) ? -dy : T(0); } };
struct ReluGrad    { template <class T> static T f(T y, T dy) { return y > T(0) ? dy : T(0); } };
struct TanhGrad    { template <class T> static T f(T y, T dy) { return (T(1) - y * y) * dy; } };
struct SigmoidGrad { template <class T> static T f(T y, T dy) { return y * (T(1) - y) * dy; } };
// The second comparison is false when b is NaN, and then b is the result.
struct Maximum     { template <class T> static T f(T a, T b) { return a != a ? a : a >= b ? a : b; } };
struct Minimum     { template <class T> static T f(T a, T b) { return a != a ? a : a <= b ? a : b; } };
struct MaximumShare { template <class T> static T f(T a, T b) { return a < b ? T(0) : a == b ? T(0.5) : T(1); } };
struct PowerSlope  { template <class T> static T f(T a, T b) { return b == T(0) ? T(0) : b * power(a, b - T(1)); } };
struct ExponentSlope { template <class T> static T f(T a, T b) { return a == T(0) && b >= T(0) ? T(0) : power(a, b) * logarithm(a); } };
// clang-format on

template <class F, class T>
static void unary_loop(const T* x, T* y, std::int64_t n) {
#pragma GCC ivdep
  for (std::int64_t i = 0; i < n; ++i) y[i] = F::f(x[i]);
}

template <class F, class T>
static void binary_loop(const T* a, const T* b, T* y, std::int64_t n, bool a_step, bool b_step) {
  if (n == 0) return;  // an empty operand has not even the one element that is read below
  if (a_step && b_step) {
#pragma GCC ivdep
    for (std::int64_t i = 0; i < n; ++i) y[i] = F::f(a[i], b[i]);
  } else if (a_step) {
    const T c = *b;
#pragma GCC ivdep
    for (std::int64_t i = 0; i < n; ++i) y[i] = F::f(a[i], c);
  } else {
    const T c = *a;
    const T d = *b;
#pragma GCC ivdep
    for (std::int64_t i = 0; i < n; ++i) y[i] = F::f(c, b_step ? b[i] : d);
  }
}
