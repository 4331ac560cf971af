// What the formulas of activations and losses in functions.h call.

// 1 / (1 + e^-x), within 4 ulp.
template <class T>
static inline T logistic(T x) {
  const T z = exponential(-magnitude(x));
  return (x < T(0) ? z : T(1)) / (T(1) + z);
}
template <class T>
static inline T silu_slope(T x) {
  const T s = logistic(x);
  return s * (T(1) + x * (T(1) - s));
}

template <class T>
static inline T normal_density(T x) {
  return exponential(T(-0.5) * x * x) * T(0.39894228040143267794);  // 1 / sqrt(2 pi)
}
// Through erfc, which keeps its digits where 1 + erf(x) cancels.
template <class T>
static inline T normal_probability(T x) {
  return T(0.5) * complementary_error_function(x * T(-0.70710678118654752440));
}
// (1 + tanh u) / 2 = sigmoid(2 u), with u = sqrt(2 / pi) (x + 0.044715 x^3).
template <class T>
static inline T tanh_probability(T x) {
  return logistic(T(1.59576912160573071176) * (x + T(0.044715) * x * x * x));
}
template <class T>
static inline T gelu_tanh_slope(T x) {
  const T r = x < T(-30) ? T(-30) : x > T(30) ? T(30) : x;  // s is 0 and 1 there, and x^2 may be infinite beyond
  const T s = tanh_probability(r), slope = T(1.59576912160573071176) * (T(1) + T(3 * 0.044715) * r * r);
  return s + r * s * (T(1) - s) * slope;
}

template <class T>
static inline T share_of(T a, T b) {
  return ((b == T(0)) & (magnitude(a) == T(__builtin_inff()))) ? T(0) : a * b;
}
// Of a sum of three, what is left of a large a would be lost.
template <class T>
static inline T logit_loss_of(T a, T b) {
  const T m = magnitude(a);
  return share_of(m, a < T(0) ? b : T(1) - b) + logarithm_beside_1(exponential(-m));
}
template <class T>
static inline T logit_slope_of(T a, T b) {
  const T z = exponential(-magnitude(a)), large = T(1) / (T(1) + z), small = z * large;
  return (T(1) - b) * (a < T(0) ? small : large) - b * (a < T(0) ? large : small);
}
// 0 for a = -inf whatever b is, and -b for an infinite b.
template <class T>
static inline T log_divergence_of(T a, T b) {
  const T inf = T(__builtin_inff()), y = share_of(a - b, exponential(a));
  return ((a == -inf) & (b == b)) ? T(0) : ((magnitude(b) == inf) & (a < inf)) ? -b : y;
}
