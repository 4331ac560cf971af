#include <capstan/autograd/ops/classification.h>

#include <capstan/autograd/ops.h>
#include <capstan/autograd/ops/elementwise_loss.h>
#include <capstan/autograd/record.h>
#include <capstan/core/axes.h>
#include <capstan/core/create.h>
#include <capstan/core/elementwise.h>
#include <capstan/core/pool.h>
#include <capstan/core/text.h>

#include <cmath>

// Losses of classes. The common cross_entropy() is one kernel; with options it goes by log_softmax() and the labels of the rows.
namespace capstan {

using detail::fail;
using detail::Header;
using detail::reduced;
using detail::share;
using kernels::data_of;
using kernels::dispatch;
using kernels::parametric;
using kernels::Parametric;
using kernels::Split;

namespace {

void require_probabilities(const char* op, const Tensor& target) {
  dispatch(target, [&]<class T>(T*) {
    const T* t = data_of<T>(target);
    const std::int64_t n = target.numel();
    bool inside = true;
    for (std::int64_t i = 0; i < n; ++i) inside &= t[i] >= 0 && t[i] <= 1;
    for (std::int64_t i = 0; !inside && i < n; ++i)
      if (!(t[i] >= 0 && t[i] <= 1))
        fail<ValueError>(op, "a target must lie in [0, 1]: ", static_cast<double>(t[i]), " at element ", i, " of ", target.shape(),
                         " (labels of -1 and 1 are 0 and 1 here)");
  });
}

/// (1 - t) ln(1 + e^x) + t ln(1 + e^-x).
Tensor logit_loss(const char* op, const Tensor& input, const Tensor& target) {
  return record(op, parametric(op, Parametric::logit_loss, input, target), {input, target},
                [op, x = saved(input), t = saved(target)](const Tensor& dy, Inputs& dx) {
                  const auto slope = [&] { return (1 - t.get()) * sigmoid(x.get()) - t.get() * sigmoid(-x.get()); };
                  if (dx.wants(0)) dx.add(0, (dx.recorded() ? slope() : parametric(op, Parametric::logit_slope, x.get(), t.get())) * dy);
                  if (dx.wants(1)) dx.add(1, share(op, -x.get(), dy));
                });
}

/// Checked: input with its classes' axis, labels beside it, weights for it.
struct Rows {
  int axis;
  Split split;  // rows before, classes, rows behind
};

Rows rows_of(const char* op, const Tensor& input, const Tensor& weight) {
  kernels::require_floating(op, input);
  if (input.dim() == 0) fail<ShapeError>(op, "needs an axis of classes: ", input.shape());
  const int axis = input.dim() == 1 ? 0 : 1;
  const std::int64_t classes = input.size(axis);
  if (weight.defined()) {
    kernels::require_same_dtype(op, input, weight);
    if (weight.dim() != 1 || weight.size(0) != classes)
      fail<ShapeError>(op, "weight must have one element for each class: ", weight.shape(), ", ", classes, " classes");
  }
  return {axis, kernels::split_at(input, axis)};
}

void require_labels(const char* op, const Tensor& input, const Tensor& labels, const Rows& rows, std::int64_t ignore, Reduction reduction) {
  if (labels.dtype() != DType::i64) fail<ValueError>(op, "labels must be i64 class indices: ", labels.dtype(), " ", labels.shape());
  if (!(labels.shape() == input.shape().without(rows.axis)))
    fail<ShapeError>(op, "labels must have the input's shape without axis ", rows.axis, ": ", labels.shape(), " for ", input.shape());
  if (labels.numel() == 0 && reduction == Reduction::mean) fail<ShapeError>(op, "needs at least one row: ", input.shape());
  const auto* label = data_of<std::int64_t>(labels);
  for (std::int64_t i = 0; i < labels.numel(); ++i)
    if (label[i] != ignore && (label[i] < 0 || label[i] >= rows.split.size)) [[unlikely]]
      fail<ValueError>(op, "a label must lie in [0, ", rows.split.size, "): ", label[i], " at row ", i);
}

/// Calls f(row, element) for each row that counts: where its label's element lies.
template <class F>
void each_label(const Tensor& labels, const Split& s, std::int64_t ignore, F f) {
  const auto* label = data_of<std::int64_t>(labels);
  for (std::int64_t o = 0; o < s.outer; ++o)
    for (std::int64_t i = 0; i < s.inner; ++i) {
      const std::int64_t row = o * s.inner + i;
      if (label[row] != ignore) f(row, (o * s.size + label[row]) * s.inner + i);
    }
}

/// The weight of each row's label, 0 for ignored rows.
Tensor weights_of(const Tensor& labels, const Tensor& weight, DType dtype, std::int64_t ignore) {
  Tensor w = zeros(labels.shape(), dtype);
  dispatch(w, [&]<class T>(T*) {
    const auto* label = data_of<std::int64_t>(labels);
    for (std::int64_t i = 0; i < labels.numel(); ++i)
      if (label[i] != ignore) data_of<T>(w)[i] = weight.defined() ? data_of<T>(weight)[label[i]] : T(1);
  });
  return w;
}

Tensor counted(const Tensor& labels, std::int64_t ignore) {
  Tensor y = empty(labels.shape(), DType::boolean);
  for (std::int64_t i = 0; i < labels.numel(); ++i) data_of<bool>(y)[i] = data_of<std::int64_t>(labels)[i] != ignore;
  return y;
}

/// -w input[label] for each row.
Tensor negative_log_likelihood(const char* op, const Tensor& input, const Tensor& labels, const Tensor& weights, const Split& s,
                               std::int64_t ignore) {
  Tensor y = zeros(labels.shape(), input.dtype());
  dispatch(input, [&]<class T>(T*) {
    each_label(labels, s, ignore, [&](std::int64_t row, std::int64_t at) {
      const T w = data_of<T>(weights)[row], x = data_of<T>(input)[at];
      data_of<T>(y)[row] = w == 0 && std::isinf(x) ? T(0) : -w * x;
    });
  });
  return record(op, y, {input}, [labels = saved(labels), w = saved(weights), s, ignore](const Tensor& dy, Inputs& dx) {
    if (dx.recorded()) {
      const Shape lines{s.outer, s.size, s.inner}, one_a_line{s.outer, 1, s.inner};
      const Tensor index = reshape(where(counted(labels.get(), ignore), labels.get(), zeros({}, DType::i64)), one_a_line);
      const Tensor g = scatter_add(zeros(lines, dy.dtype()), 1, index, reshape(-w.get() * dy, one_a_line));
      return dx.add(0, reshape(g, dx.shape(0)));
    }
    Tensor g = zeros(dx.shape(0), dy.dtype());
    dispatch(dy, [&]<class T>(T*) {
      each_label(labels.get(), s, ignore,
                 [&](std::int64_t row, std::int64_t at) { data_of<T>(g)[at] = -data_of<T>(w.get())[row] * data_of<T>(dy)[row]; });
    });
    dx.add(0, std::move(g));
  });
}

/// The mean of rows with weights is their sum over that of the weights.
Tensor reduced_rows(const Tensor& losses, const Tensor& weights, Reduction reduction) {
  if (reduction != Reduction::mean) return reduced(losses, reduction);
  return sum(losses) / kernels::sum(weights);
}

}  // namespace

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

Tensor binary_cross_entropy_with_logits(const Tensor& input, const Tensor& target, BCEWithLogitsOptions options) {
  const char* op = "binary_cross_entropy_with_logits";
  detail::require_pair(op, input, target, options.reduction);
  require_probabilities(op, target);
  for (const Tensor* w : {&options.weight, &options.pos_weight}) {
    if (!w->defined()) continue;
    kernels::require_same_dtype(op, input, *w);
    if (!(broadcast(op, input.shape(), w->shape()) == input.shape()))
      fail<ShapeError>(op, "a weight must broadcast to the input: ", w->shape(), " to ", input.shape());
  }
  Tensor losses;
  if (options.pos_weight.defined())
    losses = share(op, softplus(input), 1 - target) + share(op, softplus(-input), share(op, options.pos_weight, target));
  else
    losses = logit_loss(op, input, target);
  if (options.weight.defined()) losses = share(op, losses, options.weight);
  return reduced(losses, options.reduction);
}

Tensor nll_loss(const Tensor& input, const Tensor& labels, const NLLOptions& options) {
  const Rows rows = rows_of("nll_loss", input, options.weight);
  require_labels("nll_loss", input, labels, rows, options.ignore_index, options.reduction);
  const Tensor weights = weights_of(labels, options.weight, input.dtype(), options.ignore_index);
  return reduced_rows(negative_log_likelihood("nll_loss", input, labels, weights, rows.split, options.ignore_index), weights,
                      options.reduction);
}

Tensor cross_entropy(const Tensor& logits, const Tensor& target, const CrossEntropyOptions& options) {
  const char* op = "cross_entropy";
  const Rows rows = rows_of(op, logits, options.weight);
  const double smoothing = options.label_smoothing, classes = static_cast<double>(rows.split.size);
  if (!(smoothing >= 0 && smoothing <= 1)) fail<ValueError>(op, "label_smoothing must lie in [0, 1]: ", smoothing);
  kernels::require_fit(op, "label_smoothing", smoothing, logits.dtype());
  const bool probabilities = is_floating(target.dtype());
  Tensor weight = options.weight;
  if (weight.defined()) {  // a column beside the classes' axis
    std::int64_t sizes[Shape::max_dim] = {rows.split.size, 1, 1, 1, 1, 1};
    weight = kernels::view(weight, Shape(sizes, logits.dim() - rows.axis));
  }
  if (probabilities) {
    kernels::require_same_dtype(op, logits, target);
    if (!(target.shape() == logits.shape()))
      fail<ShapeError>(op, "probabilities must have the logits' shape: ", target.shape(), " for ", logits.shape());
    if (options.ignore_index != CrossEntropyOptions().ignore_index)
      fail<ValueError>(op, "ignore_index is for labels, the target holds probabilities: ", options.ignore_index);
    if (logits.numel() == 0 && options.reduction == Reduction::mean) fail<ShapeError>(op, "needs at least one row: ", logits.shape());
    Tensor t = smoothing == 0 ? target : target * (1 - smoothing) + smoothing / classes;
    if (weight.defined()) t = t * weight;
    return reduced(-sum(share(op, log_softmax(logits, rows.axis), t), rows.axis), options.reduction);
  }
  require_labels(op, logits, target, rows, options.ignore_index, options.reduction);
  const Tensor weights = weights_of(target, options.weight, logits.dtype(), options.ignore_index);
  const Tensor log_p = log_softmax(logits, rows.axis);
  Tensor losses = negative_log_likelihood(op, log_p, target, weights, rows.split, options.ignore_index);
  if (smoothing > 0) {
    const Tensor even = -sum(weight.defined() ? share(op, log_p, weight) : log_p, rows.axis);
    losses =
        losses * (1 - smoothing) + where(counted(target, options.ignore_index), even, zeros({}, logits.dtype())) * (smoothing / classes);
  }
  return reduced_rows(losses, weights, options.reduction);
}

}  // namespace capstan
