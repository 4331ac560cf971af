#include <capstan/autograd/ops/elementwise_loss.h>

#include <capstan/autograd/ops.h>
#include <capstan/autograd/record.h>
#include <capstan/core/elementwise.h>
#include <capstan/core/text.h>

// What regression.cpp and classification.cpp share: checks, the product in which 0 wins, the reduction.
namespace capstan::detail {

void require_pair(const char* op, const Tensor& input, const Tensor& target, Reduction reduction) {
  kernels::require_floating(op, input);
  kernels::require_same_dtype(op, input, target);
  if (!(input.shape() == target.shape()))
    fail<ShapeError>(op, "input and target must have one shape: ", input.shape(), " and ", target.shape(), " (reshape one of them?)");
  if (input.numel() == 0 && reduction == Reduction::mean) fail<ShapeError>(op, "needs at least one element: ", input.shape());
}

Tensor reduced(const Tensor& losses, Reduction reduction) {
  switch (reduction) {
    case Reduction::none: break;
    case Reduction::mean: return mean(losses);
    case Reduction::sum: return sum(losses);
  }
  return losses;
}

Tensor share(const char* op, const Tensor& a, const Tensor& b) {
  const Shape shape = broadcast(op, a.shape(), b.shape());
  const Tensor p = a.shape() == shape ? a : expand(a, shape), q = b.shape() == shape ? b : expand(b, shape);
  return record(op, kernels::parametric(op, kernels::Parametric::share, p, q), {p, q},
                [op, p = saved_for(q, p), q = saved_for(p, q)](const Tensor& dy, Inputs& dx) {
                  if (dx.wants(0)) dx.add(0, share(op, dy, q.get()));
                  if (dx.wants(1)) dx.add(1, share(op, p.get(), dy));
                });
}

}  // namespace capstan::detail
