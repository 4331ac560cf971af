// y[i] = a[i] ? b[i] as booleans, and choosing by them.

// clang-format off
struct Equal     { template <class T> static bool f(T a, T b) { return a == b; } };
struct Unequal   { template <class T> static bool f(T a, T b) { return a != b; } };
struct Less      { template <class T> static bool f(T a, T b) { return a < b; } };
struct LessEqual { template <class T> static bool f(T a, T b) { return a <= b; } };
// clang-format on

template <class F, class T>
static void compare_loop(const T* a, const T* b, bool* y, std::int64_t n, bool a_step, bool b_step) {
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

template <class T>
static void finite(const T* x, bool* y, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) y[i] = x[i] - x[i] == T(0);
}

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
