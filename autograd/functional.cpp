#include <capstan/autograd/functional.h>

#include <capstan/autograd/ops.h>
#include <capstan/core/create.h>
#include <capstan/core/text.h>

#include <algorithm>

// Jacobians, Hessians and products with them, each by one or two passes of a tape of its own over f.

namespace capstan::detail {

namespace {

/// x as a parameter of its own, and f of it under a tape.
struct Recorded {
  Recorded(const char* name, const Function& f, const Tensor& from, TapeOptions options)
      : op(name), x(leaf_of(name, from)), tape(options), y((tape.watch(x), f(x))) {}

  void require_shape(const Tensor& v, const Tensor& like, const char* whose) const {
    if (!(v.shape() == like.shape()) || v.dtype() != like.dtype())
      fail<ShapeError>(op, "v must have ", whose, " shape and dtype: ", v.dtype(), " ", v.shape(), " for ", like.dtype(), " ",
                       like.shape());
  }
  void require_scalar() const {
    if (y.numel() != 1) fail<ShapeError>(op, "f(x) must have one element: ", y.shape());
  }

  const char* op;
  Tensor x;
  Tape tape;
  Tensor y;

 private:
  static Tensor leaf_of(const char* name, const Tensor& x) {
    if (!is_floating(x.dtype())) fail<ValueError>(name, "x must be f32 or f64: ", x.dtype(), " ", x.shape());
    return parameter(x.clone());
  }
};

/// Both shapes, one behind the other.
Shape joined(const char* op, const Shape& a, const Shape& b) {
  if (a.dim() + b.dim() > Shape::max_dim) fail<ShapeError>(op, "the result would have more than six axes: ", a, " and ", b);
  std::int64_t sizes[Shape::max_dim];
  std::copy(b.begin(), b.end(), std::copy(a.begin(), a.end(), sizes));
  return Shape(sizes, a.dim() + b.dim());
}

/// The gradient for x of each element of y, as rows.
Tensor rows_of(Recorded& r, const Tensor& y, const Shape& shape) {
  const Tensor flat = reshape(y, {y.numel()});
  std::vector<Tensor> rows;
  for (std::int64_t i = 0; i < y.numel(); ++i) rows.push_back(r.tape.gradient(sum(slice(flat, 0, i, i + 1)), r.x));
  const NoGrad pause;
  return rows.empty() || r.x.numel() == 0 ? zeros(shape, r.x.dtype()) : reshape(stack(rows), shape);
}

}  // namespace

ValueAndProduct vjp(const Function& f, const Tensor& x, const Tensor& v) {
  Recorded r("vjp", f, x, {});
  r.require_shape(v, r.y, "f(x)'s");
  return {r.y.detach(), r.tape.gradient(sum(r.y * v.detach()), r.x)};
}

ValueAndProduct jvp(const Function& f, const Tensor& x, const Tensor& v) {
  Recorded r("jvp", f, x, {.higher_order = true});
  r.require_shape(v, r.x, "x's");
  const Tensor u = parameter(ones(r.y.shape(), r.y.dtype())), back = r.tape.gradient(sum(r.y * u), r.x);
  return {r.y.detach(), r.tape.gradient(sum(back * v.detach()), u).detach()};
}

Tensor jacobian(const Function& f, const Tensor& x) {
  Recorded r("jacobian", f, x, {});
  return rows_of(r, r.y, joined("jacobian", r.y.shape(), r.x.shape()));
}

Tensor hessian(const Function& f, const Tensor& x) {
  Recorded r("hessian", f, x, {.higher_order = true});
  r.require_scalar();
  const Shape shape = joined("hessian", r.x.shape(), r.x.shape());
  return rows_of(r, r.tape.gradient(sum(r.y), r.x), shape);
}

ValueAndProduct hessian_vector_product(const Function& f, const Tensor& x, const Tensor& v) {
  Recorded r("hessian_vector_product", f, x, {.higher_order = true});
  r.require_scalar();
  r.require_shape(v, r.x, "x's");
  const Tensor first = r.tape.gradient(sum(r.y), r.x);
  return {r.y.detach(), r.tape.gradient(sum(first * v.detach()), r.x).detach()};
}

}  // namespace capstan::detail
