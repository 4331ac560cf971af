#include <capstan/autograd/ops/activation.h>

#include <capstan/autograd/record.h>
#include <capstan/core/elementwise.h>
#include <capstan/core/text.h>

#include <cmath>

namespace capstan {

using detail::fail;
using kernels::binary;
using kernels::Binary;
using kernels::curve;
using kernels::Curve;
using kernels::unary;
using kernels::Unary;

namespace {

/// An activation whose gradient is a function of x, dy and its parameters.
Tensor activation(const char* op, Curve kind, Curve slope, const Tensor& x, double p = 0, double q = 0) {
  return record(op, curve(op, kind, x, x, p, q), {x},
                [op, slope, x = saved(x), p, q](const Tensor& dy, Inputs& dx) { dx.add(0, curve(op, slope, x.get(), dy, p, q)); });
}

}  // namespace

Tensor relu(const Tensor& x) {
  return record("relu", unary("relu", Unary::relu, x), {x}, [](const Tensor& y, const Tensor& dy, Inputs& dx) {
    dx.add(0, binary("relu", Binary::relu_grad, y, dy));  // d max(x, 0) = dx where x > 0, 0 at 0
  });
}

Tensor sigmoid(const Tensor& x) {
  return record("sigmoid", unary("sigmoid", Unary::sigmoid, x), {x}, [](const Tensor& y, const Tensor& dy, Inputs& dx) {
    dx.add(0, binary("sigmoid", Binary::sigmoid_grad, y, dy));  // d y = y (1 - y) dx
  });
}

Tensor leaky_relu(const Tensor& x, double slope) { return activation("leaky_relu", Curve::leaky_relu, Curve::leaky_relu_grad, x, slope); }

Tensor elu(const Tensor& x, double alpha) { return activation("elu", Curve::elu, Curve::elu_grad, x, alpha); }

Tensor softplus(const Tensor& x, double beta) {
  kernels::require_floating("softplus", x);
  if (!(beta > 0) || !std::isfinite(beta)) fail<ValueError>("softplus", "beta must be positive and finite: ", beta);
  return activation("softplus", Curve::softplus, Curve::softplus_grad, x, beta);
}

Tensor silu(const Tensor& x) { return activation("silu", Curve::silu, Curve::silu_grad, x); }

Tensor gelu(const Tensor& x, Gelu form) {
  if (form == Gelu::tanh) return activation("gelu", Curve::gelu_tanh, Curve::gelu_tanh_grad, x);
  return activation("gelu", Curve::gelu, Curve::gelu_grad, x);
}

Tensor hardtanh(const Tensor& x, double low, double high) {
  kernels::require_floating("hardtanh", x);
  if (!(low <= high)) fail<ValueError>("hardtanh", "low must not be above high: ", low, ", ", high);
  return activation("hardtanh", Curve::clamp, Curve::hardtanh_grad, x, low, high);
}

}  // namespace capstan
