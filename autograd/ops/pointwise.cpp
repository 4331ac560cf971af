#include <capstan/autograd/ops/pointwise.h>

#include <capstan/autograd/ops.h>
#include <capstan/autograd/record.h>
#include <capstan/core/create.h>
#include <capstan/core/elementwise.h>
#include <capstan/core/text.h>

#include <numbers>

// A function of one number is a kernel of functions.h. from_x() and from_y() make its rule of an expression; where a rule can work in
// the memory of dy it is written out.
namespace capstan {

using detail::fail;
using kernels::binary;
using kernels::Binary;
using kernels::parametric;
using kernels::Parametric;
using kernels::unary;
using kernels::Unary;

namespace {

/// y = f(x), with a gradient that is an expression of x and dy.
template <class Gradient>
Tensor from_x(const char* op, Unary kind, const Tensor& x, Gradient gradient) {
  return record(op, unary(op, kind, x), {x}, [x = saved(x), gradient](const Tensor& dy, Inputs& dx) { dx.add(0, gradient(x.get(), dy)); });
}

/// The same of y and dy.
template <class Gradient>
Tensor from_y(const char* op, Unary kind, const Tensor& x, Gradient gradient) {
  return record(op, unary(op, kind, x), {x}, [gradient](const Tensor& y, const Tensor& dy, Inputs& dx) { dx.add(0, gradient(y, dy)); });
}

}  // namespace

Tensor exp(const Tensor& x) {
  return from_y("exp", Unary::exp, x, [](const Tensor& y, const Tensor& dy) { return y * dy; });  // d e^x = e^x dx
}

Tensor log(const Tensor& x) {
  return from_x("log", Unary::log, x, [](const Tensor& v, const Tensor& dy) { return dy / v; });  // d ln x = dx / x
}

Tensor log2(const Tensor& x) {
  return from_x("log2", Unary::log2, x,
                [](const Tensor& v, const Tensor& dy) { return dy / (v * std::numbers::ln2); });  // d log2 x = dx / (x ln 2)
}

Tensor log10(const Tensor& x) {
  return from_x("log10", Unary::log10, x,
                [](const Tensor& v, const Tensor& dy) { return dy / (v * std::numbers::ln10); });  // d log10 x = dx / (x ln 10)
}

Tensor sqrt(const Tensor& x) {
  return record("sqrt", unary("sqrt", Unary::sqrt, x), {x}, [](const Tensor& y, const Tensor& dy, Inputs& dx) {
    dx.add(0, dx.recorded() ? dy / (2 * y) : binary("sqrt", Binary::sqrt_grad, y, dx.take_dy()));  // d sqrt(x) = dx / (2 sqrt(x))
  });
}

Tensor square(const Tensor& x) {
  return record("square", unary("square", Unary::square, x), {x}, [x = saved(x)](const Tensor& dy, Inputs& dx) {
    dx.add(0, dx.recorded() ? 2 * (x.get() * dy) : binary("square", Binary::square_grad, x.get(), dx.take_dy()));  // d x^2 = 2 x dx
  });
}

Tensor pow(const Tensor& x, double p) {
  kernels::require_floating("pow", x);
  kernels::require_fit("pow", "the exponent", p, x.dtype());
  return record("pow", binary("pow", Binary::pow, x, p), {x}, [x = saved(x), p](const Tensor& dy, Inputs& dx) {
    dx.add(0, p == 0 ? dy * 0.0 : pow(x.get(), p - 1) * p * dy);  // d x^p = p x^(p-1) dx; not 0 * x^-1, which is NaN at 0
  });
}

Tensor abs(const Tensor& x) {
  return record("abs", unary("abs", Unary::abs, x), {x}, [x = saved(x)](const Tensor& dy, Inputs& dx) {
    // d |x| = sign(x) dx, 0 at 0 and at NaN
    const auto times_sign = [&](const Tensor& g) { return binary("abs", Binary::abs_grad, x.get(), g); };
    dx.add(0, dx.recorded() ? times_sign(ones(dy.shape(), dy.dtype())) * dy : times_sign(dx.take_dy()));
  });
}

Tensor tanh(const Tensor& x) {
  return record("tanh", unary("tanh", Unary::tanh, x), {x}, [](const Tensor& y, const Tensor& dy, Inputs& dx) {
    dx.add(0, dx.recorded() ? (1 - square(y)) * dy : binary("tanh", Binary::tanh_grad, y, dx.take_dy()));  // d tanh x = (1 - tanh^2 x) dx
  });
}

Tensor sinh(const Tensor& x) {
  return from_x("sinh", Unary::sinh, x, [](const Tensor& v, const Tensor& dy) { return cosh(v) * dy; });  // d sinh x = cosh x dx
}

Tensor cosh(const Tensor& x) {
  return from_x("cosh", Unary::cosh, x, [](const Tensor& v, const Tensor& dy) { return sinh(v) * dy; });  // d cosh x = sinh x dx
}

Tensor expm1(const Tensor& x) {
  return from_y("expm1", Unary::expm1, x, [](const Tensor& y, const Tensor& dy) { return (y + 1) * dy; });  // d (e^x - 1) = e^x dx
}

Tensor log1p(const Tensor& x) {
  return from_x("log1p", Unary::log1p, x, [](const Tensor& v, const Tensor& dy) { return dy / (v + 1); });  // d ln(1 + x) = dx / (1 + x)
}

Tensor rsqrt(const Tensor& x) {
  return record("rsqrt", unary("rsqrt", Unary::rsqrt, x), {x}, [](const Tensor& y, const Tensor& dy, Inputs& dx) {
    dx.add(0, dx.recorded() ? -0.5 * y * y * y * dy : binary("rsqrt", Binary::rsqrt_grad, y, dx.take_dy()));  // d x^p = p x^(p-1) dx
  });
}

Tensor reciprocal(const Tensor& x) {
  return record("reciprocal", unary("reciprocal", Unary::reciprocal, x), {x}, [](const Tensor& y, const Tensor& dy, Inputs& dx) {
    dx.add(0, dx.recorded() ? -square(y) * dy : binary("reciprocal", Binary::reciprocal_grad, y, dx.take_dy()));  // d 1/x = -dx / x^2
  });
}

Tensor sin(const Tensor& x) {
  return from_x("sin", Unary::sin, x, [](const Tensor& v, const Tensor& dy) { return cos(v) * dy; });  // d sin x = cos x dx
}

Tensor cos(const Tensor& x) {
  return from_x("cos", Unary::cos, x, [](const Tensor& v, const Tensor& dy) { return -sin(v) * dy; });  // d cos x = -sin x dx
}

Tensor tan(const Tensor& x) {
  return from_y("tan", Unary::tan, x,
                [](const Tensor& y, const Tensor& dy) { return (1 + square(y)) * dy; });  // d tan x = (1 + tan^2 x) dx
}

Tensor atan(const Tensor& x) {
  return from_x("atan", Unary::atan, x,
                [](const Tensor& v, const Tensor& dy) { return dy / (1 + square(v)); });  // d atan x = dx / (1 + x^2)
}

Tensor erf(const Tensor& x) {
  constexpr double two_over_root_pi = 1.1283791670955126;
  return from_x("erf", Unary::erf, x, [](const Tensor& v, const Tensor& dy) {
    return two_over_root_pi * exp(-square(v)) * dy;  // d erf x = 2 / sqrt(pi) e^(-x^2) dx
  });
}

namespace {

/// Zeros that depend on dy, as far as a tape can see.
Tensor nothing(const Tensor& dy) { return where(zeros({}, DType::boolean), dy, zeros({}, dy.dtype())); }

/// A step function: its gradient is 0 wherever there is one.
Tensor step(const char* op, Unary kind, const Tensor& x) {
  return record(op, unary(op, kind, x), {x}, [](const Tensor& dy, Inputs& dx) { dx.add(0, nothing(dy)); });
}

/// max(a, b), or min(a, b), which is max with the sides changed over.
Tensor extreme(const char* op, Binary kind, const Tensor& a, const Tensor& b) {
  return record(op, binary(op, kind, a, b), {a, b}, [op, kind, a = saved(a), b = saved(b)](const Tensor& dy, Inputs& dx) {
    for (const int i : {0, 1}) {
      if (!dx.wants(i)) continue;
      const bool a_first = (kind == Binary::maximum) == (i == 0);
      const Tensor &p = a_first ? a.get() : b.get(), &q = a_first ? b.get() : a.get();
      dx.add_reduced(i, binary(op, Binary::maximum_share, p, q) * dy);
    }
  });
}

}  // namespace

Tensor sign(const Tensor& x) { return step("sign", Unary::sign, x); }
Tensor floor(const Tensor& x) { return step("floor", Unary::floor, x); }
Tensor ceil(const Tensor& x) { return step("ceil", Unary::ceil, x); }
Tensor round(const Tensor& x) { return step("round", Unary::round, x); }

Tensor maximum(const Tensor& a, const Tensor& b) { return extreme("maximum", Binary::maximum, a, b); }
Tensor minimum(const Tensor& a, const Tensor& b) { return extreme("minimum", Binary::minimum, a, b); }

namespace {

/// b a^(b-1), 0 where b is 0; by a kernel that is exact at the edges, or recorded.
Tensor power_slope(const Tensor& a, const Tensor& b, bool recorded) {
  if (!recorded) return binary("pow", Binary::power_slope, a, b);
  const Tensor one = ones({}, a.dtype()), infinite = logical_and(b == 0.0, logical_not(isfinite(pow(a.detach(), b.detach() - 1))));
  return b * pow(where(infinite, one, a), b - 1);
}

/// a^b ln a, 0 where both are 0 or a is 0 and b above.
Tensor exponent_slope(const Tensor& a, const Tensor& b, bool recorded) {
  if (!recorded) return binary("pow", Binary::exponent_slope, a, b);
  const Tensor zero = zeros({}, a.dtype()), one = ones({}, a.dtype()), flat = logical_and(a == 0.0, b >= 0.0);
  return where(flat, zero, pow(a, b) * log(where(flat, one, a)));
}

}  // namespace

Tensor pow(const Tensor& a, const Tensor& b) {
  return record("pow", binary("pow", Binary::pow, a, b), {a, b}, [a = saved(a), b = saved(b)](const Tensor& dy, Inputs& dx) {
    if (dx.wants(0)) dx.add_reduced(0, power_slope(a.get(), b.get(), dx.recorded()) * dy);     // d a^b = b a^(b-1) da
    if (dx.wants(1)) dx.add_reduced(1, exponent_slope(a.get(), b.get(), dx.recorded()) * dy);  //       + a^b ln a db
  });
}

Tensor clamp(const Tensor& x, double low, double high) {
  kernels::require_floating("clamp", x);
  if (!(low <= high)) fail<ValueError>("clamp", "low must not be above high: ", low, ", ", high);
  kernels::require_fit("clamp", "low", low, x.dtype());
  kernels::require_fit("clamp", "high", high, x.dtype());
  return record("clamp", parametric("clamp", Parametric::clamp, x, x, low, high), {x},
                [x = saved(x), low, high](const Tensor& dy, Inputs& dx) {
                  if (!dx.recorded()) return dx.add(0, parametric("clamp", Parametric::clamp_grad, x.get(), dy, low, high));
                  dx.add(0, where(logical_and(x.get() >= low, x.get() <= high), dy, zeros({}, dy.dtype())));
                });
}

}  // namespace capstan
