#include <capstan/optim/conformance_checks.h>

#include <algorithm>
#include <cmath>
#include <numeric>

// Steps along row-sparse gradients.
namespace capstan::optim::detail {

namespace {

/// Whether `now` is `wanted`: to the bit, or, where averages catch up, to 1e-12 in f64 and as many roundings in f32, which are 2^29 times
/// as large. That is of the number itself, or of this share of the largest where it is smaller: a mean of both signs may nearly vanish.
bool agrees(const Tensor& now, const Tensor& wanted, bool later, double share) {
  if (!later || now.dtype() == DType::i64) return bits(now) == bits(wanted);
  const double bound = now.dtype() == DType::f64 ? 1e-12 : 1e-12 * 0x1p29;
  const Tensor a = now.to(DType::f64), b = wanted.to(DType::f64);
  double most = 0;
  for (std::int64_t i = 0; i < b.numel(); ++i)
    if (std::isfinite(b.data<double>()[i])) most = std::max(most, std::abs(b.data<double>()[i]));
  for (std::int64_t i = 0; i < a.numel(); ++i) {
    const double x = a.data<double>()[i], y = b.data<double>()[i];
    if (x != y && !(std::abs(x - y) <= bound * std::max(std::abs(y), share * most))) return false;
  }
  return true;
}

}  // namespace

void Trial::step(Optimizer& optimizer, const Gradients& gradients) const {
  if (!subject.only_rows) return optimizer.step(gradients);
  std::vector<GradientFor> all;
  for (const auto& p : optimizer.parameters()) {
    if (!gradients.contains(p.tensor)) continue;
    const Tensor rows = empty({p.tensor.size(0)}, DType::i64);
    std::iota(rows.data<std::int64_t>(), rows.data<std::int64_t>() + rows.numel(), std::int64_t{0});
    all.emplace_back(p.tensor, RowSparse{rows, gradients[p.tensor], p.tensor.shape()});
  }
  optimizer.step(Gradients::from(all, gradients.loss()));
}

void follows_rows(const Subject& s) {
  if (s.only_rows) throw NotClaimed{"the method refuses dense gradients"};
  const Shape shape = s.settings.most < 120 ? Shape{8, 2} : Shape{40, 3};
  for_sets(s, [&](const Trial& trial) {
    for (const DType dtype : both_dtypes) {
      Tensor start = irregular(shape, 0, dtype);
      start.rows(6, 7).assign(full({1, shape[1]}, -0.0, dtype));  // w - 0 is w for every w, but -0 + 0 is 0
      Tensor by_rows = parameter(start), dense = parameter(by_rows.clone());
      const auto sparse_one = trial.build(Parameters{{"kit.w", by_rows}}), dense_one = trial.build(Parameters{{"kit.w", dense}});
      const bool later = sparse_one->explain().find("state catches up") != std::string::npos;
      const int steps = later ? 40 : 6;
      for (int t = 0; t < steps; ++t) {
        const std::int64_t last = shape[0] - 1;
        const Tensor rows = tensor(std::vector<std::int64_t>{t % 7, t % 2 == 0 ? last : t % 7});  // now and then one row twice
        const Tensor slope = irregular({2, shape[1]}, 60 * t, dtype);
        const auto gradients_at = [&](const Tensor& w, const auto& seen) {
          Tape tape;
          return tape.gradients(sum(index_select(seen(w), 0, rows) * slope));
        };
        const Gradients g = gradients_at(by_rows, [](const Tensor& w) { return w; });
        const Gradients same = gradients_at(dense, [](const Tensor& w) { return 1.0 * w; });  // of a product no rows are kept
        expect(g.is_sparse(by_rows) && !same.is_sparse(dense), "index_select of 2 of ", shape[0], " rows gave a dense gradient");
        sparse_one->step(g);
        dense_one->step(same);
        bool same_state = true;
        if (!later || t % 8 == 7)  // who reads it brings it up to date
          for (const TensorMap now = sparse_one->state(), wanted = dense_one->state(); const auto& [name, slot] : now)
            same_state = same_state && agrees(slot, wanted[name], later, 1e-3);
        expect(same_state && agrees(by_rows, dense, later, 1), "step ", t + 1, " along 2 of ", shape[0],
               " rows is another one than with zeros in all others, in ", dtype, ", ", trial.text());
      }
    }
  });
}

}  // namespace capstan::optim::detail
