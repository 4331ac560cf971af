#pragma once
#include <capstan/core/kernels/table.h>

#include <cmath>

// Private: 2-norms in f64 that neither overflow nor vanish on the way.
namespace capstan::kernels {

/// scale root, where the scale is 1 unless squares leave f64's range; both are finite when all elements are.
struct Norm {
  double scale = 1, root = 0;

  double value() const { return scale * root; }
  bool finite() const { return std::isfinite(scale) && std::isfinite(root); }
  bool above(double limit) const { return root > limit / scale; }
  /// Brings n elements of what has this norm down to the norm `limit`.
  template <class T>
  void bring_down(double limit, T* x, std::int64_t n) const {
    const T factor = static_cast<T>(limit / root);
    if (scale == 1 && std::isnormal(factor)) {
      for (std::int64_t i = 0; i < n; ++i) x[i] *= factor;
    } else {
      for (std::int64_t i = 0; i < n; ++i) x[i] = static_cast<T>(static_cast<double>(x[i]) / scale / root * limit);
    }
  }
};

/// That of several arrays: each(f) calls f(data, how many) for every one of them.
template <class Each>
Norm norm_of_all(Each each) {
  double total = 0;
  each([&]<class T>(const T* x, std::int64_t n) { total += table<T>().sum_squares(x, n); });
  if (total > 1e-280 && std::isfinite(total)) [[likely]]
    return {1, std::sqrt(total)};
  double top = 0;
  each([&]<class T>(const T* x, std::int64_t n) {
    for (std::int64_t i = 0; i < n && !std::isnan(top); ++i)
      if (const double m = std::abs(static_cast<double>(x[i])); !(m <= top)) top = m;
  });
  if (top == 0 || !std::isfinite(top)) return {1, top};
  total = 0;
  each([&]<class T>(const T* x, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) {
      const double r = static_cast<double>(x[i]) / top;
      total += r * r;
    }
  });
  return {top, std::sqrt(total)};
}
template <class T>
Norm norm_of(const T* x, std::int64_t n) {
  return norm_of_all([=](auto f) { f(x, n); });
}

}  // namespace capstan::kernels
