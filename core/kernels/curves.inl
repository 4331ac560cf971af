// y[i] = f(a[i], b[i], p, q): activations with their parameters, and gradients that need more than one product.

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
  return Sigmoid::f(T(1.59576912160573071176) * (x + T(0.044715) * x * x * x));
}

// clang-format off
struct Clamp         { template <class T> static T f(T a, T, T p, T q) { return a < p ? p : a > q ? q : a; } };
struct ClampGrad     { template <class T> static T f(T x, T dy, T p, T q) { return ((x >= p) & (x <= q)) ? dy : T(0); } };
struct HardtanhGrad  { template <class T> static T f(T x, T dy, T p, T q) { return ((x <= p) | (x >= q)) ? T(0) : dy; } };
struct LeakyRelu     { template <class T> static T f(T a, T, T p, T) { return a > T(0) ? a : p * a; } };
struct LeakyReluGrad { template <class T> static T f(T x, T dy, T p, T) { return x > T(0) ? dy : p * dy; } };
struct Elu           { template <class T> static T f(T a, T, T p, T) { return a > T(0) ? a : p * exponential_minus_1(a); } };
struct EluGrad       { template <class T> static T f(T x, T dy, T p, T) { return x > T(0) ? dy : p * exponential(x) * dy; } };
struct Softplus {
  template <class T> static T f(T a, T, T p, T) {
    return (a > T(0) ? a : a != a ? a : T(0)) + logarithm_beside_1(exponential(-magnitude(p * a))) / p;
  }
};
struct SoftplusGrad  { template <class T> static T f(T x, T dy, T p, T) { return Sigmoid::f(p * x) * dy; } };
struct Silu          { template <class T> static T f(T a, T, T, T) { return a * Sigmoid::f(a); } };
struct SiluGrad      { template <class T> static T f(T x, T dy, T, T) { const T s = Sigmoid::f(x); return s * (T(1) + x * (T(1) - s)) * dy; } };
struct Gelu          { template <class T> static T f(T a, T, T, T) { return a * normal_probability(a); } };
struct GeluGrad      { template <class T> static T f(T x, T dy, T, T) { return (normal_probability(x) + x * normal_density(x)) * dy; } };
struct GeluTanh      { template <class T> static T f(T a, T, T, T) { return a * tanh_probability(a); } };
struct GeluTanhGrad {
  template <class T> static T f(T x, T dy, T, T) {
    const T r = x < T(-30) ? T(-30) : x > T(30) ? T(30) : x;  // s is 0 and 1 there, and x^2 may be infinite beyond
    const T s = tanh_probability(r), slope = T(1.59576912160573071176) * (T(1) + T(3 * 0.044715) * r * r);
    return (s + r * s * (T(1) - s) * slope) * dy;
  }
};
struct Expm1Grad      { template <class T> static T f(T y, T dy, T, T) { return (y + T(1)) * dy; } };
struct Log1pGrad      { template <class T> static T f(T x, T dy, T, T) { return dy / (x + T(1)); } };
struct RsqrtGrad      { template <class T> static T f(T y, T dy, T, T) { return T(-0.5) * y * y * y * dy; } };
struct ReciprocalGrad { template <class T> static T f(T y, T dy, T, T) { return -y * y * dy; } };
struct SinGrad        { template <class T> static T f(T x, T dy, T, T) { return cosine(x) * dy; } };
struct CosGrad        { template <class T> static T f(T x, T dy, T, T) { return -sine(x) * dy; } };
struct ErfGrad        { template <class T> static T f(T x, T dy, T, T) { return T(1.12837916709551257390) * exponential(-x * x) * dy; } };
struct Huber          { template <class T> static T f(T a, T, T p, T q) { const T m = magnitude(a); return m <= p ? T(0.5) * a * (a / q) : p / q * (m - T(0.5) * p); } };
struct HuberGrad      { template <class T> static T f(T x, T dy, T p, T q) { return (x < -p ? -p : x > p ? p : x) / q * dy; } };
// a b, where 0 of b outweighs an infinite a.
struct Share          { template <class T> static T f(T a, T b, T, T) { return ((b == T(0)) & (magnitude(a) == T(__builtin_inff()))) ? T(0) : a * b; } };
struct LogitLoss {  // (1 - b) ln(1 + e^a) + b ln(1 + e^-a): of a sum of three, what is left of a large a would be lost
  template <class T> static T f(T a, T b, T, T) {
    const T m = magnitude(a);
    return Share::f(m, a < T(0) ? b : T(1) - b, T(0), T(0)) + logarithm_beside_1(exponential(-m));
  }
};
struct LogitSlope {
  template <class T> static T f(T a, T b, T, T) {
    const T z = exponential(-magnitude(a)), large = T(1) / (T(1) + z), small = z * large;
    return (T(1) - b) * (a < T(0) ? small : large) - b * (a < T(0) ? large : small);
  }
};
struct Xlogx          { template <class T> static T f(T a, T, T, T) { return a == T(0) ? T(0) : a * logarithm(a); } };
// e^a (a - b), 0 for a = -inf whatever b is, and -b for an infinite b.
struct LogDivergence {
  template <class T> static T f(T a, T b, T, T) {
    const T inf = T(__builtin_inff()), y = Share::f(a - b, exponential(a), T(0), T(0));
    return ((a == -inf) & (b == b)) ? T(0) : ((magnitude(b) == inf) & (a < inf)) ? -b : y;
  }
};
struct XlogxGrad      { template <class T> static T f(T x, T dy, T, T) { return x == T(0) ? T(0) : (logarithm(x) + T(1)) * dy; } };
// clang-format on

template <class F, class T>
static void curve_loop(const T* a, const T* b, T p, T q, T* y, std::int64_t n) {
#pragma GCC ivdep
  for (std::int64_t i = 0; i < n; ++i) y[i] = F::f(a[i], b[i], p, q);
}
