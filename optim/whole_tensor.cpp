#include <capstan/optim/whole_tensor.h>

#include <capstan/core/compute.h>
#include <capstan/core/create.h>
#include <capstan/core/norm.h>
#include <capstan/core/text.h>
#include <capstan/optim/sweep.h>

#include <algorithm>
#include <cmath>
#include <limits>

// What a step of a whole tensor does to its elements, so that none becomes infinite, NaN, or 0 for want of a dtype's range.
namespace capstan::optim::detail {

using capstan::detail::fail;
using capstan::detail::join;

namespace {

std::string what_of(const std::string& parameter, const char* state) {
  return state ? join("the state '", state, "' of '", parameter, "'") : join("the parameter '", parameter, "'");
}

template <class T>
struct Assign {
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

void not_in_place(const char* method, const std::string& parameter, const char* state) {
  const char* const w = state ? state : "w";
  fail<ValueError>(method, "move() must change ", what_of(parameter, state), " in place: it made another tensor (write ", w, " -= ... or ",
                   w, ".assign(...), not ", w, " = ...)");
}

void check_planned(Tensor& made, const Tensor& old, const Tensor& w, const Tensor& g, const char* method, const std::string& parameter,
                   const char* state) {
  if (!made.defined()) return;
  if (made.shape() != old.shape() || made.dtype() != old.dtype())
    fail<ValueError>(method, "plan() must give ", what_of(parameter, state), " a tensor of its shape and dtype: ", made.dtype(), " ",
                     made.shape(), " for ", old.dtype(), " ", old.shape());
  const void* const data = made.header()->data;
  if (data == w.header()->data || data == g.header()->data) made = made.clone();
}

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

void assign_finite(Tensor& to, const Tensor& value) { sweep<true>(to, value, rule<Assign>()); }

void subtract_finite(Tensor& w, double factor, const Tensor& u) {
  if (factor == 1)
    sweep<true>(w, u, rule<Subtract>());
  else
    sweep_by<Decay::decoupled, true>(factor, w, u, rule<Subtract>());
}

Tensor kept_finite(Tensor next, const Tensor& old) {
  restore_non_finite(next, old);
  return next;
}

void restore_non_finite(Tensor& w, const Tensor& before) {
  const bool fine = kernels::dispatch(
      w, [&]<class T>(T*) { return kernels::table<T>().first_non_finite(kernels::data_of<T>(w), w.numel()) >= w.numel(); });
  if (!fine) sweep(w, before, rule<Restore>());
}

}  // namespace capstan::optim::detail
