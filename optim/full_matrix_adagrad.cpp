#include <capstan/core/compute.h>
#include <capstan/core/lapack.h>
#include <capstan/core/text.h>
#include <capstan/optim/full_matrix_adagrad.h>

#include <limits>

namespace capstan::optim {

using capstan::detail::cat;
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

void FullMatrixAdagrad::move(const FullMatrixAdagradOptions& o, StepInfo step, Tensor& w, const Tensor& g, Tensor& outer, Tensor& rest) {
  if (w.numel() == 0) return;
  kernels::dispatch(w, [&]<class T>(T*) {
    const std::int64_t n = w.numel();
    T *x = w.data<T>(), *sums = outer.data<T>(), *rests = rest.data<T>();
    const T* dx = g.data<T>();
    std::vector<double> direction(dx, dx + n), matrix(static_cast<std::size_t>(n * n));
    for (std::int64_t i = 0; i < n * n; ++i) {
      const double sum = static_cast<double>(sums[i]) + static_cast<double>(rests[i]) +
                         direction[static_cast<std::size_t>(i / n)] * direction[static_cast<std::size_t>(i % n)];
      sums[i] = T(sum);
      rests[i] = T(sum - static_cast<double>(sums[i]));
      matrix[static_cast<std::size_t>(i)] = sum;
    }
    constexpr double unit = std::numeric_limits<double>::epsilon();
    if (!precondition(matrix, o.eps, sizeof(T) == sizeof(double) ? unit : 32 * unit, direction))  // what is not finite goes on to w
      direction.assign(direction.size(), std::numeric_limits<double>::quiet_NaN());
    for (std::int64_t i = 0; i < n; ++i) x[i] -= T(step.lr * direction[static_cast<std::size_t>(i)]);
  });
}

void FullMatrixAdagrad::accept(const std::string& parameter, const Tensor& w) {
  if (w.numel() > most_elements)
    fail<ValueError>(name, "a parameter may have ", most_elements, " elements: '", parameter, "' has ", w.numel(),
                     " (adagrad keeps the diagonal only)");
}

std::string FullMatrixAdagrad::formula(const FullMatrixAdagradOptions& o) {
  return cat(detail::decayed(o.weight_decay), "G <- G + g g', w <- w - ", o.lr, "*(", o.eps, "*I + G^(1/2))^-1 g");
}

template class Method<FullMatrixAdagrad, FullMatrixAdagradOptions>;
template class WholeTensor<FullMatrixAdagrad, FullMatrixAdagradOptions>;

}  // namespace capstan::optim
