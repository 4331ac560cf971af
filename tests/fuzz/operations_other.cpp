#include <cmath>
#include <limits>

#include "operations.h"

using namespace capstan;

namespace fuzz {

namespace {

/// f at a power of two times x, however large or small, over that power: a function of degree 1 then has the slope that it has at x.
template <class F>
Call far(Bytes& in, F f) {
  const unsigned b = in.byte();
  return [b, f](const Tensors& x) -> Tensors {
    const int most = x[0].dtype() == DType::f32 ? 114 : 1010;  // so that what is weighted by 2048 over that is held
    const double power = std::ldexp(1., static_cast<int>(b) * 2 * most / 255 - most);
    const Tensor scaled = x[0] * power, held = where(isfinite(scaled), scaled, x[0]);
    return {f(held) * (1 / power)};
  };
}
Call call_far_std(Bytes& in) {
  const double correction = in.below(3) * 0.5;
  const Axes axes = in.axes();
  return far(in, [=](const Tensor& x) { return capstan::std(x, axes, true, correction); });
}
Call call_far_norm(Bytes& in) {
  constexpr double powers[] = {1, 1.5, 2, 3, std::numeric_limits<double>::infinity()};
  const double p = powers[in.below(5)];
  const Axes axes = in.axes();
  return far(in, [=](const Tensor& x) { return norm(x, p, axes, true); });
}
Call call_far_var(Bytes& in) {
  const Axes axes = in.axes();
  return far(in, [=](const Tensor& x) { return var(x, axes, true, 0); });
}
/// Of the upper left corner, of which a matrix is made that has an inverse and a determinant of any size.
Call call_far_det(Bytes& in) {
  return far(in, [](const Tensor& x) {
    const Tensor a = index_select(index_select(x, -1, arange(2, DType::i64)), -2, arange(2, DType::i64));
    return det(a);
  });
}
Call call_far_lstsq(Bytes& in) {
  return far(in, [](const Tensor& x) {
    const Lstsq all = lstsq(x, slice(x, -1, 0, 1));
    return all.solution;
  });
}
// What makes tensors. Small ones are held against their shape; those that need more memory than there is end as bad_alloc.
Call call_create(Bytes& in) {
  const unsigned which = in.below(4);
  const Shape shape = in.sizes();
  const double value = in.number();
  const DType dtype = in.dtype();
  return [which, shape, value, dtype](const Tensors&) -> Tensors {
    return {which == 0   ? zeros(shape, dtype)
            : which == 1 ? ones(shape, dtype)
            : which == 2 ? zeros_like(empty(shape, dtype))
                         : full(shape, value, dtype)};
  };
}
Call call_arange(Bytes& in) {
  const double begin = in.number(), end = in.number(), step = in.number();
  const DType dtype = in.dtype();
  return [begin, end, step, dtype](const Tensors&) -> Tensors { return {arange(begin, end, step, dtype)}; };
}
Call call_eye(Bytes& in) {
  const std::int64_t n = in.whole();
  const DType dtype = in.dtype();
  return [n, dtype](const Tensors&) -> Tensors { return {eye(n, dtype)}; };
}
Call call_draws(Bytes& in) {
  const unsigned which = in.below(4);
  const Shape shape = in.sizes();
  const std::int64_t n = in.whole();
  const double a = in.number(), b = in.number();
  const DType dtype = in.dtype();
  return [which, shape, n, a, b, dtype](const Tensors&) -> Tensors {
    Generator generator{.seed = 5};
    if (which == 0) return {uniform(shape, a, b, dtype, generator)};
    if (which == 1) return {normal(shape, a, b, dtype, generator)};
    if (which == 2) return {randn(shape, dtype, generator)};
    return {permutation(n, generator)};
  };
}
template <Tensor (*f)(const Tensor&, Generator&)>
Call drawn(Bytes&) {
  return [](const Tensors& x) -> Tensors {
    Generator generator{.seed = 7};
    return {f(x[0], generator)};
  };
}

/// +=, -=, *= on a copy, with a tensor or a number.
Call change_in_place(Bytes& in) {
  return [which = in.below(6), number = in.number()](const Tensors& x) -> Tensors {
    const NoGrad none;
    Tensor y = x[0].clone();
    switch (which) {
      case 0: return {y += x[1]};
      case 1: return {y -= x[1]};
      case 2: return {y *= x[1]};
      case 3: return {y += number};
      case 4: return {y -= number};
      default: return {y *= number};
    }
  };
}
Call to_dtype(Bytes& in) {
  return [dtype = in.dtype()](const Tensors& x) -> Tensors { return {x[0].to(dtype)}; };
}

// What tests/operations has no row of.
const Operation table[] = {
    {"std, far", "f", call_far_std, false, true},
    {"norm, far", "f", call_far_norm, false, true},
    {"var, far", "f", call_far_var},
    {"det, far", "s", call_far_det},
    {"lstsq, far", "f", call_far_lstsq, true},
    {"zeros, ones, zeros_like, full", "", call_create},
    {"arange", "", call_arange},
    {"eye", "", call_eye},
    {"uniform, normal, randn, permutation", "", call_draws},
    {"bernoulli", "f", drawn<bernoulli>},
    {"categorical", "f", drawn<categorical>},
    {"Tensor::operator+=", "ff", change_in_place},
    {"Tensor::to", "a", to_dtype},
};

}  // namespace

std::span<const Operation> other_operations() { return table; }

}  // namespace fuzz
