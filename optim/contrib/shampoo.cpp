#include <capstan/optim/shampoo.h>

#include <capstan/core/create.h>
#include <capstan/core/error.h>

#include <algorithm>
#include <bit>
#include <limits>

// A step: the gradient as it can be squared, the sums with it, their roots when it is time, and the gradient between them.
namespace capstan::optim {

namespace {

/// What a parameter is as a matrix; no rows where it is none that has roots.
struct Sides {
  std::int64_t rows = 0, columns = 0;
};
Sides sides_of(const Shape& w) {
  if (w.dim() < 2 || w.numel() == 0) return {};
  const Sides sides{w[0], w.numel() / w[0]};
  return std::max(sides.rows, sides.columns) > Shampoo::longest_axis ? Sides{} : sides;
}

/// g, or as much of it as can be squared and summed.
Tensor squarable(const Tensor& g) {
  const double largest = g.dtype() == DType::f32 ? std::numeric_limits<float>::max() : std::numeric_limits<double>::max();
  const double most = std::sqrt(largest / (4 * static_cast<double>(g.numel()))), top = (max)(abs(g)).item();
  return top > most ? g * (most / top) : g;
}

/// sum + more, if all of it is finite.
Tensor added(const Tensor& sum, const Tensor& more) {
  const Tensor next = sum + more;
  return all(isfinite(next)).item() > 0 ? next : sum;
}

/// (x + eps*I)^(-1/4).
Tensor root(const Tensor& x, double eps) {
  const auto [values, vectors] = eigh(x.to(DType::f64));
  const double* value = values.data<double>();
  const std::int64_t n = values.numel();
  const double unit = x.dtype() == DType::f32 ? std::numeric_limits<float>::epsilon() : std::numeric_limits<double>::epsilon();
  const Tensor powers = zeros_like(values);
  for (std::int64_t i = 0; i < n; ++i)
    if (const double v = std::max(std::max(value[i], 0.) + eps, unit * value[n - 1]); v > 0) powers.data<double>()[i] = std::pow(v, -0.25);
  return matmul(vectors * powers, vectors, {.transpose_b = true}).to(x.dtype());
}

}  // namespace

std::array<Tensor, 6> Shampoo::plan(const ShampooOptions& o, StepInfo step, const Tensor& w, const Tensor& gradient, const Tensor& left,
                                    const Tensor& right, const Tensor& left_root, const Tensor& right_root, const Tensor& sum) {
  if (w.numel() == 0) return {};
  const Tensor g = squarable(gradient);
  const Sides sides = sides_of(w.shape());
  if (sides.rows == 0) {
    const Tensor next = sum + square(g), s = where(isfinite(next), next, sum);
    return {g / (sqrt(s) + o.eps) * step.lr, {}, {}, {}, {}, s};
  }
  const Tensor x = g.reshape({sides.rows, sides.columns});
  const Tensor l = added(left, matmul(x, x, {.transpose_b = true})), r = added(right, matmul(x, x, {.transpose_a = true}));
  const bool renew = step.t % o.update_freq == 0 || (step.t < o.update_freq && std::has_single_bit(static_cast<std::uint64_t>(step.t)));
  const Tensor p = renew ? root(l, o.eps) : left_root, q = renew ? root(r, o.eps) : right_root;
  return {matmul(matmul(p, x), q).reshape(w.shape()) * step.lr, l, r, p, q, {}};
}

Shape Shampoo::slot_shape(std::size_t slot, const Shape& w) {
  const Sides sides = sides_of(w);
  if (slot == 4) return sides.rows == 0 ? w : Shape{0};
  const std::int64_t n = slot % 2 == 0 ? sides.rows : sides.columns;
  return {n, n};
}

void Shampoo::check(const ShampooOptions& o) {
  if (o.update_freq < 1) throw ValueError("[shampoo] update_freq must be at least 1: " + std::to_string(o.update_freq));
}

template class Method<Shampoo, ShampooOptions>;
template class WholeTensor<Shampoo, ShampooOptions>;

}  // namespace capstan::optim
