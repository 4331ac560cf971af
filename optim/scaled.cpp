#include <capstan/optim/scaled.h>

#include <capstan/core/compute.h>
#include <capstan/core/create.h>
#include <capstan/core/norm.h>
#include <capstan/optim/transform_part.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace capstan::optim::detail {

namespace {

template <class T>
struct Take {
  void operator()(T& to, T value) const { to = value; }
};
template <class T>
struct Subtract {
  void operator()(T& w, T u) const { w -= u; }
};
template <class T>
struct Restore {
  void operator()(T& w, T before) const { w = finite_or(w, before); }
};

}  // namespace

double length(const Tensor& x) {
  const kernels::Norm norm = kernels::dispatch(x, [&]<class T>(T*) { return kernels::norm_of<T>(kernels::data_of<T>(x), x.numel()); });
  return norm.finite() ? std::min(norm.value(), std::numeric_limits<double>::max()) : norm.value();
}

Tensor times(const Tensor& x, double a, double b) {
  const double factor = a / b;
  return kernels::dispatch(x, [&]<class T>(T*) {
    using Limits = std::numeric_limits<T>;
    const Tensor y = empty_like(x);
    const T* const from = kernels::data_of<T>(x);
    T* const to = kernels::data_of<T>(y);
    if (a == 0 || (std::abs(factor) >= static_cast<double>(Limits::min()) && std::abs(factor) <= static_cast<double>(Limits::max()))) {
      for (std::int64_t i = 0; i < x.numel(); ++i) to[i] = from[i] * T(factor);
      return y;
    }
    int of_a = 0, of_b = 0;
    const double ratio = std::frexp(a, &of_a) / std::frexp(b, &of_b);
    for (std::int64_t i = 0; i < x.numel(); ++i) {
      int of_x = 0;
      const double fraction = std::frexp(static_cast<double>(from[i]), &of_x);
      to[i] = static_cast<T>(std::ldexp(fraction * ratio, of_x + of_a - of_b));
    }
    return y;
  });
}

void assign_finite(Tensor& to, const Tensor& value) {
  choose_isa_level();
  sweep<Decay::own, true>(
      to, value, []<class T>(T*) { return Take<T>{}; }, 0);
}

void take_from(Tensor& w, double factor, const Tensor& u) {
  choose_isa_level();
  const auto rule = []<class T>(T*) { return Subtract<T>{}; };
  if (factor == 1)
    sweep<Decay::own, true>(w, u, rule, 0);
  else
    sweep<Decay::decoupled, true>(w, u, rule, factor);
}

Tensor kept_finite(Tensor next, const Tensor& old) {
  restore_non_finite(next, old);
  return next;
}

void restore_non_finite(Tensor& w, const Tensor& before) {
  const bool fine = kernels::dispatch(
      w, [&]<class T>(T*) { return kernels::table<T>().first_non_finite(kernels::data_of<T>(w), w.numel()) >= w.numel(); });
  if (!fine)
    sweep(
        w, before, []<class T>(T*) { return Restore<T>{}; }, 0);
}

}  // namespace capstan::optim::detail
