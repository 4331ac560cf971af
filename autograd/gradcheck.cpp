#include <capstan/autograd/gradcheck.h>

#include <capstan/autograd/ops.h>
#include <capstan/autograd/tape.h>
#include <capstan/core/create.h>
#include <capstan/core/text.h>

#include <algorithm>
#include <cmath>

// Gradients against central differences: f is reduced to a number by fixed weights, each element of each input is moved up and down,
// and the worst difference is told.

namespace capstan::detail {

namespace {

// Weights that differ from element to element, are never small and change sign: a missing or misplaced term shows.
Tensor weights(const Shape& shape) {
  Tensor w = empty(shape, DType::f64);
  for (std::int64_t i = 0; i < w.numel(); ++i) w.data<double>()[i] = std::cos(1.3 * static_cast<double>(i) + 0.4) + (i % 2 ? -1.7 : 1.9);
  return w;
}

/// What is differentiated: f itself, or the sum of its gradients, each times weights.
struct Checked {
  Tensor (*call)(const void*, const std::vector<Tensor>&);
  const void* f;
  int order;

  /// A scalar. For order 2 it is recorded when a tape is given, which then is of higher order.
  Tensor operator()(const std::vector<Tensor>& x, Tape* tape) const {
    const auto scalar = [&] {
      const Tensor y = call(f, x);
      return sum(y * weights(y.shape()));
    };
    if (order == 1) return scalar();
    if (tape) return joined(tape->gradients(scalar()), x);
    Tape plain;
    return joined(plain.gradients(scalar()), x);
  }

 private:
  static Tensor joined(const Gradients& g, const std::vector<Tensor>& x) {
    Tensor total = zeros({}, DType::f64);
    for (const Tensor& t : x)
      if (g.contains(t)) total = total + sum(g[t] * weights(t.shape()));
    return total;
  }
};

}  // namespace

GradcheckResult gradcheck(Tensor (*call)(const void*, const std::vector<Tensor>&), const void* f, const std::vector<Tensor>& inputs,
                          GradcheckOptions options) {
  std::vector<Tensor> x;
  for (const Tensor& t : inputs) {
    if (t.dtype() != DType::f64) fail<ValueError>("gradcheck", "inputs must be f64: ", t.dtype(), " ", t.shape(), " (convert with to())");
    x.push_back(parameter(t.clone()));
  }
  if (!(options.step > 0) || !(options.tolerance > 0))
    fail<ValueError>("gradcheck", "step and tolerance must be positive: ", options.step, ", ", options.tolerance);
  if (options.order != 1 && options.order != 2) fail<ValueError>("gradcheck", "order must be 1 or 2: ", options.order);

  const Checked function{call, f, options.order};
  const Gradients g = [&] {
    Tape tape({.higher_order = options.order == 2});
    return tape.gradients(function(x, &tape));
  }();
  const NoGrad pause;
  const auto loss = [&] { return function(x, nullptr).item(); };

  GradcheckResult result;
  for (std::size_t k = 0; k < x.size(); ++k) {
    const Tensor analytic = g.contains(x[k]) ? g[x[k]] : zeros_like(x[k]);
    for (std::int64_t i = 0; i < x[k].numel(); ++i) {
      double& element = x[k].data<double>()[i];
      const double before = element, h = options.step * std::max(1.0, std::abs(before));
      element = before + h;
      const double above = loss();
      element = before - h;
      const double below = loss();
      element = before;
      const double numeric = (above - below) / (2 * h), exact = analytic.data<double>()[i];
      const double difference = std::abs(exact - numeric) / std::max(1.0, std::abs(numeric));
      if (!std::isnan(result.worst) && !(difference <= result.worst)) {  // NaN is the worst
        result.worst = difference;
        result.message = join("input ", k, ", element ", i, ": gradient ", exact, ", central difference ", numeric);
      }
    }
  }
  result.ok = result.worst <= options.tolerance;
  return result;
}

}  // namespace capstan::detail
