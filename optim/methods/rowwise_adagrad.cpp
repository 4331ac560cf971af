#include <capstan/optim/rowwise_adagrad.h>

#include <capstan/core/compute.h>
#include <capstan/optim/finite.h>

#include <algorithm>

namespace capstan::optim {

std::array<Tensor, 2> RowwiseAdagrad::plan(const RowwiseAdagradOptions&, StepInfo, const Tensor& w, const Tensor& g, const Tensor& s) {
  const std::int64_t rows = s.numel();
  if (w.numel() == 0) return {};
  return {Tensor(), s + mean(square(g).reshape({rows, w.numel() / rows}), 1).reshape(s.shape())};
}

/// Row by row: no row without a gradient is touched, and none is divided by 0.
void RowwiseAdagrad::apply(const RowwiseAdagradOptions& o, StepInfo step, Tensor& w, const Tensor& g, const Tensor&, const Tensor& s) {
  const std::int64_t rows = s.numel(), columns = rows == 0 ? 0 : w.numel() / rows;
  kernels::dispatch(w, [&]<class T>(T*) {
    T* x = w.data<T>();
    const T* dx = g.data<T>();
    const T *sums = s.data<T>(), lr = T(step.lr), eps = T(o.eps);
    for (std::int64_t i = 0; i < rows; ++i) {
      const T root = std::sqrt(sums[i]) + eps;
      if (root == T(0)) continue;
      for (std::int64_t k = i * columns; k < (i + 1) * columns; ++k) x[k] = finite_or(x[k] - lr * dx[k] / root, x[k]);
    }
  });
}

bool RowwiseAdagrad::rates(const Entry& entry, double* out) const {
  if (!out || entry.parameter.numel() == 0) return true;
  const RowwiseAdagradOptions& o = options(entry.group);
  const std::int64_t rows = entry.state[0].numel(), columns = entry.parameter.numel() / rows;
  kernels::dispatch(entry.state[0], [&]<class T>(T*) {
    const T* sums = kernels::data_of<T>(entry.state[0]);
    for (std::int64_t i = 0; i < rows; ++i) {
      const double rate = o.lr / (std::sqrt(static_cast<double>(sums[i])) + o.eps);
      if (sums[i] != T(o.initial_accumulator) && std::isfinite(rate)) std::fill_n(out + i * columns, columns, rate);
    }
  });
  return true;
}

template class Method<RowwiseAdagrad, RowwiseAdagradOptions>;
template class WholeTensor<RowwiseAdagrad, RowwiseAdagradOptions>;

}  // namespace capstan::optim
