#include <capstan/autograd/ops/activation.h>

#include <capstan/autograd/ops.h>
#include <capstan/autograd/record.h>
#include <capstan/core/create.h>
#include <capstan/core/elementwise.h>
#include <capstan/core/text.h>

#include <cmath>

// Each activation is a kernel of functions.h. Its gradient is another one or, on a tape of higher order, the slope in operations.
namespace capstan {

using detail::fail;
using kernels::binary;
using kernels::Binary;
using kernels::parametric;
using kernels::Parametric;
using kernels::unary;
using kernels::Unary;

namespace {

/// The slope of an activation, in operations.
using Slope = Tensor (*)(const Tensor& x, double p, double q);

/// An activation whose gradient is a function of x, dy and its parameters.
Tensor activation(const char* op, Parametric kind, Parametric gradient, Slope slope, const Tensor& x, double p = 0, double q = 0) {
  return record(op, parametric(op, kind, x, x, p, q), {x}, [op, gradient, slope, x = saved(x), p, q](const Tensor& dy, Inputs& dx) {
    dx.add(0, dx.recorded() ? slope(x.get(), p, q) * dy : parametric(op, gradient, x.get(), dy, p, q));
  });
}

/// The same whose parameter has to fit x's dtype.
Tensor activation(const char* op, Parametric kind, Parametric gradient, Slope slope, const Tensor& x, const char* what, double p) {
  kernels::require_fit(op, what, p, x.dtype());
  return activation(op, kind, gradient, slope, x, p);
}

Tensor one(const Tensor& x) { return ones({}, x.dtype()); }

Tensor leaky_relu_slope(const Tensor& x, double p, double) { return where(x > 0, one(x), one(x) * p); }
Tensor elu_slope(const Tensor& x, double p, double) {  // no power of a large x, whose gradient would be 0 times infinity
  return where(x > 0, one(x), p * exp(where(x > 0, zeros({}, x.dtype()), x)));
}
Tensor softplus_slope(const Tensor& x, double p, double) { return sigmoid(p * x); }
Tensor silu_slope(const Tensor& x, double, double) {
  const Tensor s = sigmoid(x);
  return s * (1 + x * (1 - s));
}
Tensor gelu_slope(const Tensor& x, double, double) {
  const double root_half = 0.7071067811865476, density = 0.3989422804014327;  // 1 / sqrt(2), 1 / sqrt(2 pi)
  // On the left 1 + erf would cancel, and gelu(x) = x P(x) keeps P's digits.
  const Tensor left = x < -1, far = where(left, x, -one(x));
  return where(left, gelu(far) / far, 0.5 * (1 + erf(root_half * x))) + x * density * exp(-0.5 * square(x));
}
Tensor gelu_tanh_slope(const Tensor& x, double, double) {
  const double twice_root = 1.5957691216057308;  // 2 sqrt(2 / pi)
  const Tensor r = clamp(x, -30, 30);            // s is 0 and 1 there, and x^2 may be infinite beyond
  const Tensor s = sigmoid(twice_root * (r + 0.044715 * r * square(r)));
  return s + r * s * (1 - s) * twice_root * (1 + 3 * 0.044715 * square(r));
}
Tensor hardtanh_slope(const Tensor& x, double low, double high) {
  return where(logical_or(x <= low, x >= high), zeros({}, x.dtype()), one(x));
}

}  // namespace

Tensor relu(const Tensor& x) {
  return record("relu", unary("relu", Unary::relu, x), {x}, [](const Tensor& y, const Tensor& dy, Inputs& dx) {
    dx.add(0, dx.recorded() ? where(y <= 0, zeros({}, dy.dtype()), dy)
                            : binary("relu", Binary::relu_grad, y, dx.take_dy()));  // d max(x, 0) = dx where x > 0, 0 at 0
  });
}

Tensor sigmoid(const Tensor& x) {
  return record("sigmoid", unary("sigmoid", Unary::sigmoid, x), {x}, [](const Tensor& y, const Tensor& dy, Inputs& dx) {
    dx.add(0, dx.recorded() ? y * (1 - y) * dy : binary("sigmoid", Binary::sigmoid_grad, y, dx.take_dy()));  // d y = y (1 - y) dx
  });
}

Tensor leaky_relu(const Tensor& x, double slope) {
  return activation("leaky_relu", Parametric::leaky_relu, Parametric::leaky_relu_grad, leaky_relu_slope, x, "the slope", slope);
}

Tensor elu(const Tensor& x, double alpha) { return activation("elu", Parametric::elu, Parametric::elu_grad, elu_slope, x, "alpha", alpha); }

Tensor softplus(const Tensor& x, double beta) {
  kernels::require_floating("softplus", x);
  if (!(beta > 0) || !std::isfinite(beta)) fail<ValueError>("softplus", "beta must be positive and finite: ", beta);
  return activation("softplus", Parametric::softplus, Parametric::softplus_grad, softplus_slope, x, "beta", beta);
}

Tensor silu(const Tensor& x) { return activation("silu", Parametric::silu, Parametric::silu_grad, silu_slope, x); }

Tensor gelu(const Tensor& x, Gelu form) {
  if (form == Gelu::tanh) return activation("gelu", Parametric::gelu_tanh, Parametric::gelu_tanh_grad, gelu_tanh_slope, x);
  return activation("gelu", Parametric::gelu, Parametric::gelu_grad, gelu_slope, x);
}

Tensor hardtanh(const Tensor& x, double low, double high) {
  kernels::require_floating("hardtanh", x);
  if (!(low <= high)) fail<ValueError>("hardtanh", "low must not be above high: ", low, ", ", high);
  kernels::require_fit("hardtanh", "low", low, x.dtype());
  kernels::require_fit("hardtanh", "high", high, x.dtype());
  return activation("hardtanh", Parametric::clamp, Parametric::hardtanh_grad, hardtanh_slope, x, low, high);
}

}  // namespace capstan
