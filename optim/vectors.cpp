#include <capstan/optim/vectors.h>

#include <capstan/autograd/ops.h>
#include <capstan/core/compute.h>
#include <capstan/optim/scaled.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace capstan::optim::detail {

namespace {

/// The sum of f(i) in double precision, or in Wide when that is no number.
template <class F>
Wide total(std::int64_t n, F f) {
  double parts[8] = {};
  std::int64_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (std::int64_t k = 0; k < 8; ++k) parts[k] += static_cast<double>(f(i + k));
  for (; i < n; ++i) parts[0] += static_cast<double>(f(i));
  const double sum = ((parts[0] + parts[1]) + (parts[2] + parts[3])) + ((parts[4] + parts[5]) + (parts[6] + parts[7]));
  if (std::isfinite(sum)) return sum;
  Wide wide = 0;
  for (i = 0; i < n; ++i) wide += f(i);
  return wide;
}

}  // namespace

Wide dot(const Tensors& a, const Tensors& b) {
  Wide all = 0;
  for (std::size_t k = 0; k < a.size(); ++k)
    all += kernels::dispatch(a[k], [&]<class T>(T*) {
      const T *x = kernels::data_of<T>(a[k]), *y = kernels::data_of<T>(b[k]);
      return total(a[k].numel(), [&](std::int64_t i) { return static_cast<Wide>(x[i]) * static_cast<Wide>(y[i]); });
    });
  return all;
}

Wide sum_of_sizes(const Tensors& a) {
  Wide all = 0;
  for (const Tensor& x : a)
    all += kernels::dispatch(x, [&]<class T>(T*) {
      const T* from = kernels::data_of<T>(x);
      return total(x.numel(), [&](std::int64_t i) { return std::abs(static_cast<Wide>(from[i])); });
    });
  return all;
}

double largest(const Tensors& a) {
  double most = 0;
  for (const Tensor& x : a)
    if (x.numel() > 0) {
      const double here = max(abs(x)).item();
      if (std::isnan(here)) return here;
      most = std::max(most, here);
    }
  return most;
}

Tensors scaled(const Tensors& a, double factor) {
  Tensors b;
  for (const Tensor& x : a) b.push_back(detail::times(x, factor, 1));
  return b;
}

void add(Tensors& a, const Tensors& b, double factor) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] += factor * b[i];
}

double resolution(const Tensors& w, const Tensors& d) {
  double finest = 0;
  for (std::size_t k = 0; k < w.size(); ++k)
    kernels::dispatch(w[k], [&]<class T>(T*) {
      const T *x = kernels::data_of<T>(w[k]), *along = kernels::data_of<T>(d[k]);
      for (std::int64_t i = 0; i < w[k].numel(); ++i) {
        const T size = std::abs(x[i]), spacing = std::nextafter(size, std::numeric_limits<T>::infinity()) - size;
        finest = std::max(finest, static_cast<double>(std::abs(along[i])) / static_cast<double>(spacing));
      }
    });
  return finest > 0 ? 1 / finest : 0;
}

}  // namespace capstan::optim::detail
