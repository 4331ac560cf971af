#include <capstan/optim/full_matrix_adagrad.h>

#include <capstan/core/compute.h>
#include <capstan/core/create.h>
#include <capstan/core/lapack.h>
#include <capstan/core/text.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace capstan::optim {

using capstan::detail::fail;

namespace {

/// (eps*I + G^(1/2))^-1 g in g's place; `unit` is the relative rounding of G's elements. False when G has no eigenvectors.
bool precondition(const std::vector<double>& outer, double eps, double unit, std::vector<double>& g) {
  const std::size_t n = g.size();
  std::vector<double> values(n), vectors(n * n);
  if (!kernels::eigh(static_cast<std::int64_t>(n), outer.data(), values.data(), vectors.data())) return false;
  const double least = static_cast<double>(n) * unit * values.back();
  std::vector<double> along(n, 0), result(n, 0);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t k = 0; k < n; ++k) along[k] += vectors[i * n + k] * g[i];
  for (std::size_t k = 0; k < n; ++k) along[k] = values[k] > least ? along[k] / (std::sqrt(values[k]) + eps) : 0;
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t k = 0; k < n; ++k) result[i] += vectors[i * n + k] * along[k];
  g = std::move(result);
  return true;
}

}  // namespace

std::array<Tensor, 3> FullMatrixAdagrad::plan(const FullMatrixAdagradOptions& o, StepInfo step, const Tensor& w, const Tensor& g,
                                              const Tensor& outer, const Tensor& rest) {
  if (w.numel() == 0) return {};
  return kernels::dispatch(w, [&]<class T>(T*) -> std::array<Tensor, 3> {
    const std::int64_t n = w.numel();
    const T *dx = kernels::data_of<T>(g), *sums = kernels::data_of<T>(outer), *rests = kernels::data_of<T>(rest);
    std::vector<double> direction(dx, dx + n), matrix(static_cast<std::size_t>(n * n));
    // In units of a power of two in which no product is too large: of g, and its square of G.
    double largest = 0;
    for (const double x_i : direction) largest = std::max(largest, std::abs(x_i));
    for (std::int64_t i = 0; i < n; ++i) largest = std::max(largest, std::sqrt(static_cast<double>(sums[i * n + i])));
    const double unit = largest > 0x1p500 ? std::exp2(std::ilogb(largest)) : 1, per = 1 / unit;
    for (double& x_i : direction) x_i *= per;
    double top = 0;
    for (std::int64_t i = 0; i < n * n; ++i) {
      const double sum = (static_cast<double>(sums[i]) + static_cast<double>(rests[i])) * per * per +
                         direction[static_cast<std::size_t>(i / n)] * direction[static_cast<std::size_t>(i % n)];
      matrix[static_cast<std::size_t>(i)] = sum;
      top = std::max(top, std::abs(sum));
    }
    // What is kept of a G that is too large for the dtype is as much of it, of all elements alike, as there is room for.
    constexpr double room = static_cast<double>(std::numeric_limits<T>::max()) / 4;
    const double kept = top > room * per * per ? room * per / top * per : 1;
    constexpr double epsilon = std::numeric_limits<double>::epsilon();
    if (!precondition(matrix, o.eps * per, sizeof(T) == sizeof(double) ? epsilon : 32 * epsilon, direction)) return {};
    std::array<Tensor, 3> made = {empty_like(w), empty_like(outer), empty_like(rest)};
    T *change = kernels::data_of<T>(made[0]), *next = kernels::data_of<T>(made[1]), *left = kernels::data_of<T>(made[2]);
    for (std::int64_t i = 0; i < n * n; ++i) {
      const double sum = matrix[static_cast<std::size_t>(i)] * kept * unit * unit;
      next[i] = T(sum);
      left[i] = T(sum - static_cast<double>(next[i]));
    }
    for (std::int64_t i = 0; i < n; ++i) change[i] = T(step.lr * direction[static_cast<std::size_t>(i)]);
    return made;
  });
}

void FullMatrixAdagrad::accept(const std::string& parameter, const Tensor& w) {
  if (w.numel() > most_elements)
    fail<ValueError>(name, "a parameter may have ", most_elements, " elements: '", parameter, "' has ", w.numel(),
                     " (adagrad keeps the diagonal only)");
}

template class Method<FullMatrixAdagrad, FullMatrixAdagradOptions>;
template class WholeTensor<FullMatrixAdagrad, FullMatrixAdagradOptions>;

}  // namespace capstan::optim
