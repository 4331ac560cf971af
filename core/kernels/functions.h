#pragma once

// Private: the functions of single elements that are compiled for every instruction set, each one once: X(its name, its formula).
// From these lists come the enumerations and their counts (table.h), the functions (elementwise.inl) and the tables of kernels (table.inl).
// What the formulas call stands in elementary.inl, error_function.inl and activation.inl; T is float or double.

// clang-format off

/// The C library's, number by number: library::sin(x) and so on.
#define CAPSTAN_LIBRARY(X) X(sin) X(cos) X(floor) X(ceil) X(rint) X(log10) X(log2) X(cosh) X(sinh) X(tan) X(atan)

/// y = f(x).
#define CAPSTAN_UNARY(X) \
  X(neg, -x) \
  X(exp, exponential(x)) \
  X(log, logarithm(x)) \
  X(sqrt, root(x)) \
  X(square, x * x) \
  X(abs, magnitude(x)) \
  X(relu, x < T(0) ? T(0) : x) \
  X(tanh, hyperbolic_tangent(x)) \
  X(sigmoid, logistic(x)) \
  X(sign, x > T(0) ? T(1) : x < T(0) ? T(-1) : x == T(0) ? T(0) : x)  /* 0 at both zeros */ \
  X(expm1, exponential_minus_1(x)) \
  X(log1p, logarithm_of_1_plus(x)) \
  X(rsqrt, T(1) / root(x)) \
  X(reciprocal, T(1) / x) \
  X(sin, library::sin(x)) \
  X(cos, library::cos(x)) \
  X(erf, error_function(x)) \
  X(atan, library::atan(x)) \
  X(tan, library::tan(x)) \
  X(sinh, library::sinh(x)) \
  X(cosh, library::cosh(x)) \
  X(log2, library::log2(x)) \
  X(log10, library::log10(x)) \
  X(floor, library::floor(x)) \
  X(ceil, library::ceil(x)) \
  X(round, library::rint(x))  /* halves to the even neighbour */

/// y = f(a, b). Those of the name *_grad are an operation's gradient: a is x (or y, where it says so), b is dy.
#define CAPSTAN_BINARY(X) \
  X(add, a + b) \
  X(sub, a - b) \
  X(mul, a * b) \
  X(div, a / b) \
  X(pow, library::pow(a, b)) \
  X(sqrt_grad, b / (a + a))                     /* of y */ \
  X(rsqrt_grad, T(-0.5) * a * a * a * b)        /* of y */ \
  X(reciprocal_grad, -(a * a) * b)              /* of y */ \
  X(square_grad, (a * b) * T(2))               /* a + a may overflow */ \
  X(abs_grad, a > T(0) ? b : a < T(0) ? -b : T(0)) \
  X(relu_grad, a <= T(0) ? T(0) : b)            /* of y */ \
  X(tanh_grad, (T(1) - a * a) * b)              /* of y */ \
  X(sigmoid_grad, a * (T(1) - a) * b)           /* of y */ \
  X(maximum, a != a ? a : a >= b ? a : b)       /* NaN when one of them is: beside b = NaN the second comparison is false */ \
  X(minimum, a != a ? a : a <= b ? a : b) \
  X(maximum_share, a < b ? T(0) : a == b ? T(0.5) : T(1))  /* what of d max(a, b) is da's */ \
  X(power_slope, b == T(0) ? T(0) : b * library::pow(a, b - T(1))) \
  X(exponent_slope, a == T(0) && b >= T(0) ? T(0) : library::pow(a, b) * logarithm(a))

/// y = f(a, b, p, q), with up to two numbers p and q. Of a *_grad a is x and b is dy.
#define CAPSTAN_PARAMETRIC(X) \
  X(clamp, a < p ? p : a > q ? q : a) \
  X(clamp_grad, ((a >= p) & (a <= q)) ? b : T(0)) \
  X(hardtanh_grad, ((a <= p) | (a >= q)) ? T(0) : b) \
  X(leaky_relu, a > T(0) ? a : p * a) \
  X(leaky_relu_grad, a > T(0) ? b : p * b) \
  X(elu, a > T(0) ? a : p * exponential_minus_1(a)) \
  X(elu_grad, a > T(0) ? b : p * exponential(a) * b) \
  X(softplus, (a > T(0) ? a : a != a ? a : T(0)) + logarithm_beside_1(exponential(-magnitude(p * a))) / p) \
  X(softplus_grad, logistic(p * a) * b) \
  X(silu, a * logistic(a)) \
  X(silu_grad, silu_slope(a) * b) \
  X(gelu, a * normal_probability(a)) \
  X(gelu_grad, (normal_probability(a) + a * normal_density(a)) * b) \
  X(gelu_tanh, a * tanh_probability(a)) \
  X(gelu_tanh_grad, gelu_tanh_slope(a) * b) \
  X(huber, magnitude(a) <= p ? T(0.5) * a * (a / q) : p / q * (magnitude(a) - T(0.5) * p)) \
  X(huber_grad, (a < -p ? -p : a > p ? p : a) / q * b) \
  X(share, share_of(a, b))                      /* a b, 0 for b = 0 beside an infinite a */ \
  X(logit_loss, logit_loss_of(a, b))            /* (1 - b) ln(1 + e^a) + b ln(1 + e^-a): cross-entropy of sigmoid(a) and b */ \
  X(logit_slope, logit_slope_of(a, b))          /* (1 - b) sigmoid(a) - b sigmoid(-a) */ \
  X(log_divergence, log_divergence_of(a, b))    /* e^a (a - b), 0 for a = -inf */ \
  X(xlogx, a == T(0) ? T(0) : a * logarithm(a)) \
  X(xlogx_grad, a == T(0) ? T(0) : (logarithm(a) + T(1)) * b)

/// y = whether a stands in that relation to b; false beside a NaN, but for unequal.
#define CAPSTAN_COMPARE(X) \
  X(equal, a == b) \
  X(unequal, a != b) \
  X(less, a < b) \
  X(less_equal, a <= b)

// clang-format on
