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
