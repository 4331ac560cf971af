// The functions of functions.h, and the loops that go through arrays with one.

namespace library {
#define X(name)                                                        \
  static inline float name(float x) { return __builtin_##name##f(x); } \
  static inline double name(double x) { return __builtin_##name(x); }
CAPSTAN_LIBRARY(X)
#undef X
static inline float pow(float x, float p) { return __builtin_powf(x, p); }
static inline double pow(double x, double p) { return __builtin_pow(x, p); }
}  // namespace library

namespace functions_of_one {
#define X(name, ...)      \
  struct name {           \
    template <class T>    \
    static T f(T x) {     \
      return __VA_ARGS__; \
    }                     \
  };
CAPSTAN_UNARY(X)
#undef X
}  // namespace functions_of_one

namespace functions_of_two {
#define X(name, ...)          \
  struct name {               \
    template <class T>        \
    static auto f(T a, T b) { \
      return __VA_ARGS__;     \
    }                         \
  };
CAPSTAN_BINARY(X)
CAPSTAN_COMPARE(X)
#undef X
}  // namespace functions_of_two

namespace functions_with_numbers {
#define X(name, ...)                                                                    \
  struct name {                                                                         \
    template <class T>                                                                  \
    static T f(T a, [[maybe_unused]] T b, [[maybe_unused]] T p, [[maybe_unused]] T q) { \
      return __VA_ARGS__;                                                               \
    }                                                                                   \
  };
CAPSTAN_PARAMETRIC(X)
#undef X
}  // namespace functions_with_numbers

template <class F, class T>
static void unary_loop(const T* x, T* y, std::int64_t n) {
#pragma GCC ivdep
  for (std::int64_t i = 0; i < n; ++i) y[i] = F::f(x[i]);
}

// R is T, or bool for comparisons.
template <class F, class T, class R>
static void binary_loop(const T* a, const T* b, R* y, std::int64_t n, bool a_step, bool b_step) {
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

template <class F, class T>
static void parametric_loop(const T* a, const T* b, T p, T q, T* y, std::int64_t n) {
#pragma GCC ivdep
  for (std::int64_t i = 0; i < n; ++i) y[i] = F::f(a[i], b[i], p, q);
}

template <class T>
static void finite(const T* x, bool* y, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) y[i] = x[i] - x[i] == T(0);
}

// y[i] = c[i] ? a[i] : b[i].
template <class T>
static void select(const bool* c, const T* a, const T* b, T* y, std::int64_t n, bool c_step, bool a_step, bool b_step) {
  if (c_step && a_step && b_step) {
    const auto* mask = reinterpret_cast<const unsigned char*>(c);  // bytes vectorise, bool does not
#pragma GCC ivdep
    for (std::int64_t i = 0; i < n; ++i) {
      const T u = a[i], v = b[i];  // both are read, so that the loop has no branch
      y[i] = mask[i] != 0 ? u : v;
    }
  } else {
#pragma GCC ivdep
    for (std::int64_t i = 0; i < n; ++i) y[i] = c[c_step ? i : 0] ? a[a_step ? i : 0] : b[b_step ? i : 0];
  }
}
