#include <capstan/optim/adafactor.h>

#include <capstan/core/text.h>

#include <algorithm>
#include <limits>

namespace capstan::optim {

using capstan::detail::join;

namespace {

Tensor at_least(const Tensor& x, double least) { return clamp(x, least, std::numeric_limits<double>::infinity()); }

double root_mean_square(const Tensor& x) { return detail::length(x) / std::sqrt(static_cast<double>(x.numel())); }

/// Squares that are too large count as the largest of which w.numel() have a finite sum.
Tensor average(const Tensor& v, const Tensor& x, double taken, const Tensor& w) {
  const double largest = w.dtype() == DType::f32 ? std::numeric_limits<float>::max() : std::numeric_limits<double>::max();
  return (1 - taken) * v + taken * clamp(x, 0, largest / (4 * static_cast<double>(w.numel())));
}

}  // namespace

std::array<Tensor, 4> Adafactor::plan(const AdafactorOptions& o, StepInfo step, const Tensor& w, const Tensor& g, const Tensor& old_row,
                                      const Tensor& old_column, const Tensor& old_whole) {
  if (w.numel() == 0) return {};
  const double t = static_cast<double>(step.t), taken = std::pow(t, o.beta2_decay);
  const double unit = w.dtype() == DType::f32 ? std::numeric_limits<float>::epsilon() : std::numeric_limits<double>::epsilon();
  const double eps1 = detail::kept_positive(o.eps1 == 0 ? unit : o.eps1, w.dtype());
  const double alpha = std::min(step.lr, 1 / std::sqrt(t)) * std::max(o.eps2, root_mean_square(w));
  const Tensor squares = square(g);
  Tensor row, column, whole, v;
  if (w.dim() > 1) {
    row = average(old_row, mean(squares, -1, true), taken, w);
    column = average(old_column, mean(squares, -2, true), taken, w);
    v = row * (column / at_least(mean(row, -2, true), eps1));  // row * column might be too large
  } else {
    v = whole = average(old_whole, squares, taken, w);
  }
  const Tensor u = g / sqrt(at_least(v, detail::kept_positive(eps1 * eps1, w.dtype())));
  return {detail::times(u, alpha, std::max(1.0, root_mean_square(u) / o.d)), row, column, whole};
}

/// Decay is decoupled, but alpha is of w before it.
void Adafactor::apply(const AdafactorOptions& o, StepInfo step, Tensor& w, const Tensor&, const Tensor& change, const Tensor&,
                      const Tensor&, const Tensor&) {
  if (change.defined()) detail::subtract_finite(w, 1 - step.lr * o.weight_decay, change);
}

Shape Adafactor::slot_shape(std::size_t slot, const Shape& w) {
  if (w.dim() < 2) return slot == 2 ? w : Shape{0};
  if (slot == 2) return Shape{0};
  return w.with(slot == 0 ? -1 : -2, 1);
}

void Adafactor::check(const AdafactorOptions& o) {
  if (!(o.beta2_decay <= 0)) detail::bad_option(name, "beta2_decay", "must not be positive", o.beta2_decay);
  if (!(o.d >= 1)) detail::bad_option(name, "d", "must be at least 1", o.d);
}

std::string Adafactor::formula(const AdafactorOptions& o) {
  const std::string eps1 = o.eps1 == 0 ? "eps" : join(o.eps1);
  return join("b = t^", o.beta2_decay,
              ", r <- (1 - b)*r + b*mean(g^2 over columns), c <- (1 - b)*c + b*mean(g^2 over rows), v = r*c/max(mean(r), ", eps1,
              ") (vectors: v <- (1 - b)*v + b*g^2), u = g/sqrt(max(v, ", eps1, "^2)), ", detail::shrunk(o.lr, o.weight_decay),
              "w <- w - min(", o.lr, ", 1/sqrt(t))*max(", o.eps2, ", rms(w))/max(1, rms(u)/", o.d, ")*u");
}

template class Method<Adafactor, AdafactorOptions>;
template class WholeTensor<Adafactor, AdafactorOptions>;

}  // namespace capstan::optim
