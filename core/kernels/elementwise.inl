// y[i] = f(x[i]) and y[i] = f(a[i], b[i]).

static inline float root(float x) { return __builtin_sqrtf(x); }
static inline double root(double x) { return __builtin_sqrt(x); }
static inline float power(float x, float p) { return __builtin_powf(x, p); }
static inline double power(double x, double p) { return __builtin_pow(x, p); }
static inline float sine(float x) { return __builtin_sinf(x); }
static inline double sine(double x) { return __builtin_sin(x); }
static inline float cosine(float x) { return __builtin_cosf(x); }
static inline double cosine(double x) { return __builtin_cos(x); }
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
struct SquareGrad  { template <class T> static T f(T x, T dy) { const T v = x * dy; return v + v; } };  // x + x may overflow
struct AbsGrad     { template <class T> static T f(T x, T dy) { return x > T(0) ? dy : x < T(0) ? -dy : T(0); } };
struct ReluGrad    { template <class T> static T f(T y, T dy) { return y <= T(0) ? T(0) : dy; } };
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
