#include <capstan/optim/sm3.h>

#include <vector>

namespace capstan::optim {

std::array<Tensor, 2> SM3::plan(const SM3Options& o, StepInfo step, const Tensor& w, const Tensor& g, const Tensor& sums) {
  if (w.numel() == 0) return {};
  const Shape shape = w.shape();
  const auto move = [&](const Tensor& v) { return g / (sqrt(v) + o.eps) * step.lr; };
  if (shape.dim() < 2) {
    const Tensor next = sums + square(g).reshape({-1});
    return {move(next.reshape(shape)), next};
  }
  Tensor least;  // of the numbers of an element's slices
  std::int64_t first = 0;
  for (int axis = 0; axis < shape.dim(); ++axis) {
    Shape broadcast = shape;
    for (int k = 0; k < shape.dim(); ++k)
      if (k != axis) broadcast = broadcast.with(k, 1);
    const Tensor slices = sums.rows(first, first + shape[axis]).reshape(broadcast);
    least = axis == 0 ? slices : minimum(least, slices);
    first += shape[axis];
  }
  const Tensor v = least + square(g);
  std::vector<Tensor> next;
  for (int axis = 0; axis < shape.dim(); ++axis) {
    std::vector<int> others;
    for (int k = 0; k < shape.dim(); ++k)
      if (k != axis) others.push_back(k);
    next.push_back((max)(v, others));
  }
  return {move(v), concat(next)};
}

Shape SM3::slot_shape(std::size_t, const Shape& w) {
  std::int64_t slices = w.dim() == 0 ? 1 : 0;
  for (const std::int64_t size : w) slices += size;
  return {slices};
}

template class Method<SM3, SM3Options>;
template class WholeTensor<SM3, SM3Options>;

}  // namespace capstan::optim
