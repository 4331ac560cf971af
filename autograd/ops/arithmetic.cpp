#include <capstan/autograd/ops/arithmetic.h>

#include <capstan/autograd/ops.h>
#include <capstan/autograd/record.h>
#include <capstan/core/compute.h>

// One kernel each. A rule adds what it owes to each input, summed over what was broadcast; the last use of dy takes its memory over.
namespace capstan {

using kernels::binary;
using kernels::Binary;
using kernels::unary;
using kernels::Unary;

namespace {

constexpr auto negate = [](const Tensor& dy, Inputs& dx) { dx.add(0, dx.recorded() ? -dy : unary("neg", Unary::neg, dx.take_dy())); };

}  // namespace

Tensor operator+(const Tensor& a, const Tensor& b) {
  return record("+", binary("+", Binary::add, a, b), {a, b}, [](const Tensor& dy, Inputs& dx) {  // d(a + b) = da + db
    dx.add_reduced(1, dy);
    dx.add_reduced(0, dx.take_dy());
  });
}
Tensor operator+(const Tensor& a, double b) {
  return record("+", binary("+", Binary::add, a, b), {a}, [](const Tensor&, Inputs& dx) { dx.add(0, dx.take_dy()); });
}
Tensor operator+(double a, const Tensor& b) { return b + a; }

Tensor operator-(const Tensor& a, const Tensor& b) {
  return record("-", binary("-", Binary::sub, a, b), {a, b}, [](const Tensor& dy, Inputs& dx) {  // d(a - b) = da - db
    if (dx.wants(1)) dx.add_reduced(1, -dy);
    dx.add_reduced(0, dx.take_dy());
  });
}
Tensor operator-(const Tensor& a, double b) {
  return record("-", binary("-", Binary::sub, a, b), {a}, [](const Tensor&, Inputs& dx) { dx.add(0, dx.take_dy()); });
}
Tensor operator-(double a, const Tensor& b) { return record("-", binary("-", Binary::sub, a, b), {b}, negate); }

Tensor operator*(const Tensor& a, const Tensor& b) {
  return record("*", binary("*", Binary::mul, a, b), {a, b}, [a = saved_for(b, a), b = saved_for(a, b)](const Tensor& dy, Inputs& dx) {
    if (dx.wants(0)) dx.add_reduced(0, dy * b.get());  // d(a b) = b da + a db
    if (dx.wants(1)) dx.add_reduced(1, dx.recorded() ? dy * a.get() : binary("*", Binary::mul, a.get(), dx.take_dy()));
  });
}
Tensor operator*(const Tensor& a, double b) {
  return record("*", binary("*", Binary::mul, a, b), {a},
                [b](const Tensor& dy, Inputs& dx) { dx.add(0, dx.recorded() ? dy * b : binary("*", Binary::mul, dx.take_dy(), b)); });
}
Tensor operator*(double a, const Tensor& b) { return b * a; }

Tensor operator/(const Tensor& a, const Tensor& b) {
  return record("/", binary("/", Binary::div, a, b), {a, b}, [b = saved(b)](const Tensor& y, const Tensor& dy, Inputs& dx) {
    if (dx.wants(0)) dx.add_reduced(0, dy / b.get());           // d(a / b) = da / b - (a / b) db / b
    if (dx.wants(1)) dx.add_reduced(1, -(dy * (y / b.get())));  // 1 / b may overflow where y / b does not
  });
}
Tensor operator/(const Tensor& a, double b) {
  return record("/", binary("/", Binary::div, a, b), {a},
                [b](const Tensor& dy, Inputs& dx) { dx.add(0, dx.recorded() ? dy / b : binary("/", Binary::div, dx.take_dy(), b)); });
}
Tensor operator/(double a, const Tensor& b) {
  return record("/", binary("/", Binary::div, a, b), {b},
                [b = saved(b)](const Tensor& y, const Tensor& dy, Inputs& dx) { dx.add(0, -(dy * y / b.get())); });
}

Tensor operator-(const Tensor& x) { return neg(x); }
Tensor neg(const Tensor& x) { return record("neg", unary("neg", Unary::neg, x), {x}, negate); }

}  // namespace capstan
