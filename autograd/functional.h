#pragma once
#include <capstan/autograd/tape.h>

#include <vector>

// Derivatives of functions of tensors, as in torch.autograd.functional and jax.jvp, jax.vjp and so on.
// Each takes as f any callable of a const Tensor& that returns a tensor. It is called under a tape of these functions' own, and x is
// a constant to every other tape. Where f(x) does not depend on x by recorded operations the derivative is 0, as in JAX and with
// PyTorch's strict = false. All throw what f throws, and ValueError unless x is f32 or f64.
namespace capstan {

/// f(x) and a product with one of its derivatives.
struct ValueAndProduct {
  Tensor value, product;
};

namespace detail {

/// f, whatever it is.
class Function {
 public:
  template <class F>
  explicit Function(const F& f) noexcept
      : f_(&f), call_([](const void* g, const Tensor& x) -> Tensor { return (*static_cast<const F*>(g))(x); }) {}
  Tensor operator()(const Tensor& x) const { return call_(f_, x); }

 private:
  const void* f_;
  Tensor (*call_)(const void*, const Tensor&);
};

ValueAndProduct vjp(const Function& f, const Tensor& x, const Tensor& v);
ValueAndProduct jvp(const Function& f, const Tensor& x, const Tensor& v);
Tensor jacobian(const Function& f, const Tensor& x);
Tensor hessian(const Function& f, const Tensor& x);
ValueAndProduct hessian_vector_product(const Function& f, const Tensor& x, const Tensor& v);

}  // namespace detail

/// {f(x), J^T v}: v has f(x)'s shape, the product x's. One forward and one backward pass. Throws ShapeError for another v.
template <class F>
ValueAndProduct vjp(F f, const Tensor& x, const Tensor& v) {
  return detail::vjp(detail::Function(f), x, v);
}
/// {f(x), J v}: v has x's shape, the product f(x)'s. Throws ShapeError for another v.
/// Computes the gradient of v^T J^T u for u: two backward passes, the second over the first. Source: Townsend, "A new trick for
/// calculating Jacobian vector products", 2017.
template <class F>
ValueAndProduct jvp(F f, const Tensor& x, const Tensor& v) {
  return detail::jvp(detail::Function(f), x, v);
}
/// d f(x)[i] / d x[j], of shape f(x).shape() + x.shape(), at most six axes (ShapeError). One backward pass for each element of f(x).
template <class F>
Tensor jacobian(F f, const Tensor& x) {
  return detail::jacobian(detail::Function(f), x);
}
/// d^2 f(x) / d x[i] d x[j] for a scalar f, of shape x.shape() + x.shape(). One backward pass over the gradient for each element of x.
/// Throws ShapeError unless f(x) has one element and x at most three axes.
template <class F>
Tensor hessian(F f, const Tensor& x) {
  return detail::hessian(detail::Function(f), x);
}
/// {f(x), H v} for a scalar f, without H (Pearlmutter, Neural Computation 6, 1994): two backward passes. v has x's shape. Throws
/// ShapeError for another v and unless f(x) has one element.
template <class F>
ValueAndProduct hessian_vector_product(F f, const Tensor& x, const Tensor& v) {
  return detail::hessian_vector_product(detail::Function(f), x, v);
}

}  // namespace capstan
