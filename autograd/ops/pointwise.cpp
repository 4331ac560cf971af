#include <capstan/autograd/ops.h>
#include <capstan/autograd/record.h>
#include <capstan/core/compute.h>

namespace capstan {

using kernels::binary;
using kernels::Binary;
using kernels::unary;
using kernels::Unary;

Tensor exp(const Tensor& x) {
  return record("exp", unary("exp", Unary::exp, x), {x}, [](const Tensor& y, const Tensor& dy, Inputs& dx) {
    dx.add(0, binary("exp", Binary::mul, y, dy));  // d e^x = e^x dx
  });
}

Tensor log(const Tensor& x) {
  return record("log", unary("log", Unary::log, x), {x}, [x = saved(x)](const Tensor& dy, Inputs& dx) {
    dx.add(0, binary("log", Binary::div, dy, x.get()));  // d ln x = dx / x
  });
}

Tensor sqrt(const Tensor& x) {
  return record("sqrt", unary("sqrt", Unary::sqrt, x), {x}, [](const Tensor& y, const Tensor& dy, Inputs& dx) {
    dx.add(0, binary("sqrt", Binary::sqrt_grad, y, dy));  // d sqrt(x) = dx / (2 sqrt(x))
  });
}

Tensor square(const Tensor& x) {
  return record("square", unary("square", Unary::square, x), {x}, [x = saved(x)](const Tensor& dy, Inputs& dx) {
    dx.add(0, binary("square", Binary::square_grad, x.get(), dy));  // d x^2 = 2 x dx
  });
}

Tensor pow(const Tensor& x, double p) {
  kernels::require_floating("pow", x);
  return record("pow", binary("pow", Binary::pow, x, p), {x}, [x = saved(x), p](const Tensor& dy, Inputs& dx) {
    const Tensor slope = p == 0 ? binary("pow", Binary::mul, dy, 0.0)  // not 0 * x^-1, which is NaN at 0
                                : binary("pow", Binary::mul, binary("pow", Binary::mul, binary("pow", Binary::pow, x.get(), p - 1), p), dy);
    dx.add(0, slope);  // d x^p = p x^(p-1) dx
  });
}

Tensor abs(const Tensor& x) {
  return record("abs", unary("abs", Unary::abs, x), {x}, [x = saved(x)](const Tensor& dy, Inputs& dx) {
    dx.add(0, binary("abs", Binary::abs_grad, x.get(), dy));  // d |x| = sign(x) dx, 0 at 0
  });
}

Tensor relu(const Tensor& x) {
  return record("relu", unary("relu", Unary::relu, x), {x}, [](const Tensor& y, const Tensor& dy, Inputs& dx) {
    dx.add(0, binary("relu", Binary::relu_grad, y, dy));  // d max(x, 0) = dx where x > 0, 0 at 0
  });
}

Tensor tanh(const Tensor& x) {
  return record("tanh", unary("tanh", Unary::tanh, x), {x}, [](const Tensor& y, const Tensor& dy, Inputs& dx) {
    dx.add(0, binary("tanh", Binary::tanh_grad, y, dy));  // d tanh x = (1 - tanh^2 x) dx
  });
}

Tensor sigmoid(const Tensor& x) {
  return record("sigmoid", unary("sigmoid", Unary::sigmoid, x), {x}, [](const Tensor& y, const Tensor& dy, Inputs& dx) {
    dx.add(0, binary("sigmoid", Binary::sigmoid_grad, y, dy));  // d y = y (1 - y) dx
  });
}

}  // namespace capstan
