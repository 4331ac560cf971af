#include <capstan/optim/prodigy.h>

#include <algorithm>

// The rule moves each element. Before it, prepare() measures how far all of them have come; after it, finish() finds the next d.
namespace capstan::optim {

namespace {

/// lr with Adam's correction in step t, if it is wanted.
double rate(const ProdigyOptions& o, std::int64_t step) {
  const auto t = static_cast<double>(step);
  return o.bias_correction ? o.lr * std::sqrt(1 - std::pow(o.beta2, t)) / (1 - std::pow(o.beta1, t)) : o.lr;
}

/// What a gradient counts for in r and s, each divided by d0^2.
double weight(const ProdigyOptions& o, std::int64_t step, double d) { return (1 - std::sqrt(o.beta2)) * rate(o, step) * d * d; }

/// The sum of f(i) for i < n, in f64 and always in one order; in four sums, so that none waits for the one before.
template <class F>
double sum_of(std::int64_t n, F f) {
  double sums[4] = {};
  std::int64_t i = 0;
  for (; i + 4 <= n; i += 4)
    for (std::int64_t k = 0; k < 4; ++k) sums[k] += f(i + k);
  for (; i < n; ++i) sums[0] += f(i);
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

template <class T>
double inner(const Tensor& g, const Tensor& start, const Tensor& w) {
  const T *slope = g.data<T>(), *from = start.data<T>(), *to = w.data<T>();
  return sum_of(w.numel(), [=](std::int64_t i) { return double{slope[i]} * (double{from[i]} - double{to[i]}); });
}

template <class T>
double sum_of_sizes(const Tensor& s) {
  const T* x = s.data<T>();
  return sum_of(s.numel(), [=](std::int64_t i) { return std::abs(double{x[i]}); });
}

}  // namespace

Prodigy::Prodigy(const Parameters& parameters, ProdigyOptions options)
    : Elementwise(parameters, options, true), d_(share("d", options.d0)), r_(share("r", 0)) {}

template <class T>
Prodigy::Rule<T>::Rule(const ProdigyOptions& o, StepInfo step, const Prodigy& method)
    : d(T(method.d_ / method.options().d0)),
      keep1(T(o.beta1)),
      take1(T(1 - o.beta1)),
      keep2(T(o.beta2)),
      take2(T(1 - o.beta2)),
      keep3(T(std::sqrt(o.beta2))),
      take3(T(weight(o, step.t, method.d_ / method.options().d0))),
      lr(T(rate(o, step.t) * method.d_)),
      eps(T(o.eps * method.d_ / method.options().d0)),
      shrink(T(1 - rate(o, step.t) * method.d_ * o.weight_decay)),
      first(step.t == 1) {}

void Prodigy::prepare(double) {
  const double d = d_ / options().d0;
  towards_ = 0;
  for (const Entry& e : entries()) {
    if (!e.gradient || e.steps == 0) continue;  // before its first step w is w0
    const Tensor &g = *e.gradient, &start = e.state[3], &w = e.parameter;
    towards_ +=
        weight(options(e.group), e.steps + 1, d) * (w.dtype() == DType::f32 ? inner<float>(g, start, w) : inner<double>(g, start, w));
  }
}

void Prodigy::finish() {
  double size = 0;
  for (const Entry& e : entries())
    if (e.steps > 0) size += e.parameter.dtype() == DType::f32 ? sum_of_sizes<float>(e.state[2]) : sum_of_sizes<double>(e.state[2]);
  r_ = finite_or(std::sqrt(options().beta2) * r_ + towards_, r_);
  d_ = std::max(d_, finite_or(options().d_coef * r_ / size, d_));
}

std::string Prodigy::formula(const ProdigyOptions& o) {
  const auto n = [](double x) { return number_text(x); };
  const std::string b = "sqrt(" + n(o.beta2) + ")";
  const std::string rate = o.bias_correction ? "(" + n(o.lr) + "*sqrt(1 - " + n(o.beta2) + "^t)/(1 - " + n(o.beta1) + "^t))" : n(o.lr);
  return "r <- " + b + "*r + (1 - " + b + ")*" + rate + "*d^2*<g, w0 - w>, s <- " + b + "*s + (1 - " + b + ")*" + rate + "*d^2*g, m <- " +
         n(o.beta1) + "*m + (1 - " + n(o.beta1) + ")*d*g, v <- " + n(o.beta2) + "*v + (1 - " + n(o.beta2) + ")*d^2*g^2, " +
         (o.weight_decay > 0 ? "w <- w - " + rate + "*d*" + n(o.weight_decay) + "*w, " : "") + "w <- w - " + rate + "*d*m/(sqrt(v) + d*" +
         n(o.eps) + "), d <- max(d, " + (o.d_coef > 1 || o.d_coef < 1 ? n(o.d_coef) + "*" : "") + "r/|s|) (from " + n(o.d0) + ")";
}

template class Method<Prodigy, ProdigyOptions>;
template class Elementwise<Prodigy, ProdigyOptions>;

}  // namespace capstan::optim
