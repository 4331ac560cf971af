#include <cmath>
#include <limits>

#include "operations.h"

using namespace capstan;

namespace fuzz {

namespace {

template <Tensor (*f)(const Tensor&, int, bool)>
Call along_axis(Bytes& in) {
  const int axis = in.axis();
  const bool keepdim = in.flag();
  return [axis, keepdim](const Tensors& x) -> Tensors { return {f(x[0], axis, keepdim)}; };
}
template <Tensor (*f)(const Tensor&, Axes, bool)>
Call along_axis(Bytes& in) {
  const int axis = in.axis();
  const bool keepdim = in.flag();
  return [axis, keepdim](const Tensors& x) -> Tensors { return {f(x[0], axis, keepdim)}; };
}
template <Tensor (*f)(const Tensor&, Axes, bool)>
Call along_axes(Bytes& in) {
  const Axes axes = in.axes();
  const bool keepdim = in.flag();
  return [axes, keepdim](const Tensors& x) -> Tensors { return {f(x[0], axes, keepdim)}; };
}
template <Tensor (*f)(const Tensor&, Axes, bool, double)>
Call spread(Bytes& in) {
  const Axes axes = in.axes();
  const bool keepdim = in.flag();
  const double correction = in.number();
  return [axes, keepdim, correction](const Tensors& x) -> Tensors { return {f(x[0], axes, keepdim, correction)}; };
}
Call call_norm(Bytes& in) {
  const double p = in.number();
  const Axes axes = in.axes();
  const bool keepdim = in.flag();
  return [p, axes, keepdim](const Tensors& x) -> Tensors { return {norm(x[0], p, axes, keepdim)}; };
}
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
Call call_cumsum(Bytes& in) {
  return [axis = in.axis()](const Tensors& x) -> Tensors { return {cumsum(x[0], axis)}; };
}
Call call_matmul(Bytes& in) {
  const MatmulOptions options{.transpose_a = in.flag(), .transpose_b = in.flag()};
  return [options](const Tensors& x) -> Tensors { return {matmul(x[0], x[1], options)}; };
}
Call call_linear(Bytes&) {
  return [](const Tensors& x) -> Tensors { return {linear(x[0], x[1], x[2])}; };
}
Call call_linear_relu(Bytes&) {
  return [](const Tensors& x) -> Tensors { return {linear_relu(x[0], x[1], x[2])}; };
}
Call call_qr(Bytes&) {
  return [](const Tensors& x) -> Tensors {
    const QR factors = qr(x[0]);
    return {factors.q, factors.r};
  };
}
Call call_eigh(Bytes&) {
  return [](const Tensors& x) -> Tensors {
    const Eigh parts = eigh(x[0]);
    return {parts.values, parts.vectors};
  };
}
Call call_lstsq(Bytes& in) {
  const std::optional<double> rcond = in.flag() ? std::optional(in.number()) : std::nullopt;
  return [rcond](const Tensors& x) -> Tensors {
    const Lstsq all = lstsq(x[0], x[1], rcond);
    return {all.solution, all.residuals, all.rank, all.singular_values};
  };
}
/// Of small matrices: for a singular one the gradient takes n^2 determinants, the second order n^4.
Call call_det(Bytes&) {
  return [](const Tensors& x) -> Tensors {
    return {det(x[0].defined() && x[0].dim() > 1 && x[0].size(-1) > 5 && x[0].numel() > 0
                    ? index_select(index_select(x[0], -1, arange(5, DType::i64)), -2, arange(5, DType::i64))
                    : x[0])};
  };
}
/// Of a symmetric matrix with a heavy diagonal, which most drawn ones are not.
Call call_cholesky(Bytes& in) {
  return [heavy = in.flag()](const Tensors& x) -> Tensors {
    return {cholesky(heavy ? matmul(x[0], x[0], {.transpose_b = true}) + eye(x[0].size(-1), x[0].dtype()) : x[0])};
  };
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

const Operation table[] = {
    {"sum", "a", unary<sum>},
    {"sum, axis", "a", along_axis<sum>},
    {"sum, axes", "a", along_axes<sum>},
    {"mean", "f", unary<mean>},
    {"mean, axis", "f", along_axis<mean>},
    {"mean, axes", "f", along_axes<mean>},
    {"var", "f", spread<var>},
    {"std", "f", spread<capstan::std>},
    {"max", "a", unary<max>},
    {"max, axis", "a", along_axis<max>},
    {"max, axes", "a", along_axes<max>},
    {"min", "a", along_axes<min>},
    {"argmax", "a", unary<argmax>},
    {"argmax, axis", "a", along_axis<argmax>},
    {"argmin", "a", unary<argmin>},
    {"argmin, axis", "a", along_axis<argmin>},
    {"prod", "a", along_axes<prod>},
    {"logsumexp", "f", along_axes<logsumexp>},
    {"norm", "f", call_norm},
    {"std, far", "f", call_far_std, false, true},
    {"norm, far", "f", call_far_norm, false, true},
    {"var, far", "f", call_far_var},
    {"det, far", "s", call_far_det},
    {"lstsq, far", "f", call_far_lstsq, true},
    {"any", "b", along_axes<any>},
    {"all", "b", along_axes<all>},
    {"cumsum", "a", call_cumsum},
    {"matmul", "ff", call_matmul},
    {"linear", "fff", call_linear},
    {"linear, no bias", "ff", binary<linear>},
    {"dot", "ff", binary<dot>},
    {"outer", "ff", binary<outer>},
    {"solve", "sf", binary<solve>},
    {"inverse", "s", unary<inverse>},
    {"det", "s", call_det},
    {"logdet", "s", unary<logdet>, true},
    {"cholesky", "s", call_cholesky},
    {"qr", "f", call_qr, true},
    {"eigh", "s", call_eigh},
    {"lstsq", "ff", call_lstsq, true},
    {"zeros, ones, zeros_like, full", "", call_create},
    {"arange", "", call_arange},
    {"eye", "", call_eye},
    {"uniform, normal, randn, permutation", "", call_draws},
    {"bernoulli", "f", drawn<bernoulli>},
    {"categorical", "f", drawn<categorical>},
    {"linear_relu", "fff", call_linear_relu},
};

}  // namespace

std::span<const Operation> other_operations() { return table; }

}  // namespace fuzz
