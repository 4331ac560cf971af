#include <capstan/optim/rowwise_adagrad.h>

#include <capstan/autograd/ops.h>
#include <capstan/core/compute.h>
#include <capstan/core/create.h>
#include <capstan/core/threads.h>
#include <capstan/optim/rule_loop.h>

#include <algorithm>
#include <cmath>

namespace capstan::optim {

namespace {

template <class T>
struct Move {
  T lr, root;
  void operator()(T& w, T g) const { w -= lr * g / root; }
};

/// Row by row: none is divided by 0.
template <class T>
void move(const Tensor& w, const Tensor& g, const Tensor& s, const Tensor& mean, const Tensor* rows, T lr, T eps) {
  const std::int64_t n = mean.numel(), columns = n == 0 ? 0 : g.numel() / n;
  const auto* row = rows ? kernels::data_of<std::int64_t>(*rows) : nullptr;
  const auto loop = detail::rule_loop<Decay::own, true, 0, Move<T>, T>();
  parallel_for(n, std::max<std::int64_t>((std::int64_t{1} << 16) / std::max<std::int64_t>(columns, 1), 1), [&](auto begin, auto end) {
    for (std::int64_t k = begin; k < end; ++k) {
      constexpr std::int64_t ahead = 16;  // rows: what comes from memory is asked for in time
      if (row && k + ahead < end) {
        __builtin_prefetch(kernels::data_of<T>(w) + row[k + ahead] * columns, 1);
        __builtin_prefetch(kernels::data_of<T>(s) + row[k + ahead], 1);
      }
      const std::int64_t i = row ? row[k] : k;
      T& sum = kernels::data_of<T>(s)[i];
      sum += kernels::data_of<T>(mean)[k];
      const T root = std::sqrt(sum) + eps;
      if (root != T(0))
        loop({lr, root}, kernels::data_of<T>(w) + i * columns, kernels::data_of<T>(g) + k * columns, nullptr, columns, T(0));
    }
  });
}

}  // namespace

/// What needs memory comes first.
void RowwiseAdagrad::update_all() {
  struct Gradient {
    Tensor g, mean;  // of the squares of each row
  };
  std::vector<Gradient> all;
  for (const Entry& e : entries()) {
    if (!e.gradient) continue;
    const double decay = options(e.group).weight_decay;
    const Tensor g = decay == 0 ? *e.gradient : *e.gradient + e.parameter * decay;
    const std::int64_t rows = e.rows ? e.rows->numel() : e.state[0].numel();
    all.push_back({g, g.numel() == 0 ? Tensor(empty({0}, g.dtype())) : mean(square(g).reshape({rows, g.numel() / rows}), 1)});
  }
  auto next = all.begin();
  for_each_moved([&](Entry& e) {
    const RowwiseAdagradOptions& o = options(e.group);
    kernels::dispatch(e.parameter, [&]<class T>(T*) { move<T>(e.parameter, next->g, e.state[0], next->mean, e.rows, T(o.lr), T(o.eps)); });
    ++next;
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

}  // namespace capstan::optim
