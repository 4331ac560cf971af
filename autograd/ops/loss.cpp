#include <capstan/autograd/ops/loss.h>

#include <capstan/autograd/ops.h>
#include <capstan/autograd/record.h>
#include <capstan/core/compute.h>
#include <capstan/core/create.h>
#include <capstan/core/pool.h>
#include <capstan/core/text.h>

namespace capstan {

using detail::fail;
using detail::Header;
using kernels::data_of;
using kernels::dispatch;

namespace {

/// Applies a row-wise kernel along an axis: as it is for the last one, else on a transposed copy.
template <class F>
Tensor along(const Tensor& x, int axis, F rowwise) {
  const int last = x.dim() - 1;
  if (axis == last) return rowwise(x);
  return kernels::transpose(rowwise(kernels::transpose(x, axis, last)), axis, last);
}

Tensor softmax_rows(const Tensor& x, bool logarithm) {
  Tensor y = empty_like(x);
  const std::int64_t n = x.size(-1);
  if (x.numel() == 0) return y;
  dispatch(x, [&]<class T>(T*) {
    const kernels::Table<T>& t = kernels::table<T>();
    (logarithm ? t.log_softmax : t.softmax)(data_of<T>(x), data_of<T>(y), x.numel() / n, n);
  });
  return y;
}

}  // namespace

Tensor softmax(const Tensor& x, int axis) {
  kernels::require_floating("softmax", x);
  const int a = normal_axis("softmax", axis, x.dim());
  const Tensor y = along(x, a, [](const Tensor& t) { return softmax_rows(t, false); });
  return record("softmax", y, {x}, [a](const Tensor& out, const Tensor& dy, Inputs& dx) {
    if (dy.numel() == 0) return dx.add(0, dy);  // as many lines as you like of no elements
    const Tensor weighted = dy * out;           // dx = y (dy - sum(dy y))
    dx.add(0, weighted - out * sum(weighted, a, true));
  });
}

Tensor log_softmax(const Tensor& x, int axis) {
  kernels::require_floating("log_softmax", x);
  const int a = normal_axis("log_softmax", axis, x.dim());
  const Tensor y = along(x, a, [](const Tensor& t) { return softmax_rows(t, true); });
  return record("log_softmax", y, {x}, [a](const Tensor& out, const Tensor& dy, Inputs& dx) {
    if (dy.numel() == 0) return dx.add(0, dy);
    dx.add(0, dy - exp(out) * sum(dy, a, true));  // dx = dy - softmax(x) sum(dy)
  });
}

Tensor mse_loss(const Tensor& input, const Tensor& target) {
  const Header *a = input.header(), *b = target.header();
  kernels::require_floating("mse_loss", input);
  kernels::require_same_dtype("mse_loss", input, target);
  if (!detail::same_sizes(a, b)) [[unlikely]]
    fail<ShapeError>("mse_loss", "input and target must have one shape: ", input.shape(), " and ", target.shape(),
                     " (reshape one of them?)");
  const std::int64_t n = a->numel;
  if (n == 0) [[unlikely]]
    fail<ShapeError>("mse_loss", "needs at least one element: ", input.shape());
  Tensor loss = Tensor::adopt(detail::new_block(a->dtype, 1)), difference = Tensor::adopt(detail::new_block_like(a));
  dispatch(input, [&]<class T>(T*) {
    const T sum = kernels::table<T>().squared_distance(static_cast<T*>(a->data), static_cast<T*>(b->data), data_of<T>(difference), n);
    *data_of<T>(loss) = sum / static_cast<T>(n);
  });
  // The difference is kept instead of both sides, whose memory can be let go; they are wanted for gradients of gradients alone.
  const bool both = detail::higher_order();
  return record("mse_loss", std::move(loss), {input, target},
                [d = saved(std::move(difference)), input = both ? saved(input) : Saved(), target = both ? saved(target) : Saved()](
                    const Tensor& dy, Inputs& dx) {
                  if (dx.recorded()) [[unlikely]] {
                    const Tensor g = (input.get() - target.get()) * (2 * dy / static_cast<double>(input.get().numel()));
                    if (dx.wants(0)) dx.add(0, g);
                    if (dx.wants(1)) dx.add(1, -g);
                    return;
                  }
                  const Header* h = d.get().header();
                  dispatch(dy, [&]<class T>(T*) {  // d input = 2 (input - target) dy / n
                    const T scale = 2 * *data_of<T>(dy) / static_cast<T>(h->numel);
                    for (int i = 0; i < 2; ++i) {
                      if (!dx.wants(i)) continue;
                      const Inputs::Place to = dx.place(i);
                      kernels::table<T>().add_scaled(static_cast<T*>(h->data), i == 0 ? scale : -scale, static_cast<T*>(to.data), h->numel,
                                                     to.accumulate);
                    }
                  });
                });
}

Tensor cross_entropy(const Tensor& logits, const Tensor& labels) {
  const Header *x = logits.header(), *l = labels.header();
  kernels::require_floating("cross_entropy", logits);
  if (l->dtype != DType::i64) fail<ValueError>("cross_entropy", "labels must be i64 class indices: ", l->dtype, " ", labels.shape());
  if (x->dim != 2 || l->dim != 1 || x->sizes[0] != l->sizes[0])
    fail<ShapeError>("cross_entropy", "logits [n, classes] and labels [n] must agree: ", logits.shape(), " and ", labels.shape());
  const std::int64_t n = x->sizes[0], classes = x->sizes[1];
  if (n == 0) fail<ShapeError>("cross_entropy", "needs at least one row: ", logits.shape());
  const auto* index = data_of<std::int64_t>(labels);
  for (std::int64_t i = 0; i < n; ++i)
    if (index[i] < 0 || index[i] >= classes) [[unlikely]]
      fail<ValueError>("cross_entropy", "a label must lie in [0, ", classes, "): ", index[i], " at row ", i);
  Tensor p = empty_like(logits), y = empty({}, x->dtype);
  dispatch(logits, [&]<class T>(T*) {
    *data_of<T>(y) = kernels::table<T>().cross_entropy(data_of<T>(logits), index, data_of<T>(p), n, classes) / static_cast<T>(n);
  });
  const Tensor& kept = detail::higher_order() ? logits : p;  // otherwise the logits' memory is let go
  auto rule = [p = saved(p), x = saved(kept), labels = saved(labels)](const Tensor& dy, Inputs& dx) {
    if (dx.recorded()) {
      const Tensor hits = one_hot(labels.get(), dx.shape(0)[1], dy.dtype());
      return dx.add(0, (softmax(x.get()) - hits) * (dy / static_cast<double>(hits.size(0))));
    }
    dispatch(dy, [&]<class T>(T*) {  // d logits = (softmax - onehot) dy / n
      const Header* h = p.get().header();
      const Inputs::Place to = dx.place(0);
      kernels::table<T>().cross_entropy_grad(data_of<T>(p.get()), data_of<std::int64_t>(labels.get()),
                                             *data_of<T>(dy) / static_cast<T>(h->sizes[0]), static_cast<T*>(to.data), h->sizes[0],
                                             h->sizes[1], to.accumulate);
    });
  };
  return record("cross_entropy", std::move(y), {logits}, std::move(rule));
}

}  // namespace capstan
