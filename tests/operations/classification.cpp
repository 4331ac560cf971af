// Losses of probabilities.
#include "by_xtensor.h"

using namespace capstan;

namespace operations {

namespace {

using Array = xt::xarray<double>;
const Reduction kinds[] = {Reduction::none, Reduction::mean, Reduction::sum};
const char* const reduction_names[] = {"none", "mean", "sum"};

/// Labels for an input [classes], [n, classes, ...]: 1, 3, 5, ... in [0, classes), every `skip`-th one -100.
Tensor labels_for(const Tensor& input, int skip = 0) {
  const int axis = input.dim() == 1 ? 0 : 1;
  Tensor labels = empty(input.shape().without(axis), DType::i64);
  for (std::int64_t i = 0; i < labels.numel(); ++i)
    labels.data<std::int64_t>()[i] = skip && i % skip == skip - 1 ? -100 : (2 * i + 1) % input.size(axis);
  return labels;
}

/// 0.5, 1, 1.5, ... for each class.
Tensor weight_for(const Tensor& input) {
  const std::int64_t classes = input.size(input.dim() == 1 ? 0 : 1);
  return (arange(static_cast<double>(classes), DType::f64) * 0.5 + 0.5).to(input.dtype());
}

/// Element by element what the options mean: -sum of w t ln softmax(x) over the classes, and the reduction.
Tensor by_formula(const Tensor& x, const Tensor& labels, const Tensor& t, bool weighted, double smoothing, Reduction reduction,
                  bool logits) {
  const int axis = x.dim() == 1 ? 0 : 1;
  const std::int64_t classes = x.size(axis), inner = axis + 1 < x.dim() ? x.numel() / (x.size(0) * classes) : 1;
  const std::int64_t rows = x.numel() / classes;
  Tensor losses = zeros(x.shape().without(axis), DType::f64);
  double total_weight = 0;
  for (std::int64_t row = 0; row < rows; ++row) {
    const double* at = x.data<double>() + (row / inner) * classes * inner + row % inner;
    const std::int64_t label = labels.defined() ? labels.data<std::int64_t>()[row] : 0;
    if (label == -100) continue;
    const auto weight = [&](std::int64_t c) { return weighted ? 0.5 * static_cast<double>(c) + 0.5 : 1; };
    total_weight += labels.defined() ? weight(label) : 1;
    double sum = 0;
    for (std::int64_t c = 0; c < classes; ++c) sum += std::exp(at[c * inner]);
    for (std::int64_t c = 0; c < classes; ++c) {
      const double log_p = logits ? at[c * inner] - std::log(sum) : at[c * inner];
      const double one = labels.defined() ? (c == label ? 1 : 0) : t.data<double>()[at - x.data<double>() + c * inner];
      losses.data<double>()[row] -= weight(c) * ((1 - smoothing) * one + smoothing / static_cast<double>(classes)) * log_p;
    }
  }
  if (reduction == Reduction::none) return losses;
  return reduction == Reduction::sum ? sum(losses) : sum(losses) / total_weight;
}

const std::vector<std::vector<Shape>> row_shapes = {{{3}}, {{1, 1}}, {{4, 3}}, {{5, 2}}, {{2, 3, 2}}, {{2, 2, 2, 2}}};

}  // namespace

void add_classification(std::vector<Operation>& all) {
  const double lse = 3.4076059644443806, ln3 = std::log(3.);  // of (1, 2, 3) and (0, 0, 0)
  const NestedList x = {{1, 2, 3}, {0, 0, 0}}, e = {lse - 2, ln3};
  std::vector<Checked> nll, labels, probabilities, bce;
  for (int r = 0; r < 3; ++r) {
    const Reduction reduction = kinds[r];
    const auto reduce = [=](double a, double b, double weights) { return r == 0 ? d({a, b}) : r == 1 ? d((a + b) / weights) : d(a + b); };
    const auto row = [&](std::vector<Checked>& table, const std::string& form, std::function<Tensor(const Tensors&)> f, const Tensor& is,
                         std::function<Tensor(const Tensors&)> same_as) {
      table.push_back({.form = form + ", " + reduction_names[r],
                       .f = std::move(f),
                       .at = {d(x)},
                       .is = is,
                       .shapes = row_shapes,
                       .same_as = std::move(same_as)});
    };
    row(
        nll, "labels 1 and 0",
        [=](const Tensors& in) {
          return r == 1 ? nll_loss(in[0], labels_for(in[0])) : nll_loss(in[0], labels_for(in[0]), {.reduction = reduction});
        },
        reduce(-2, 0, 2), [=](const Tensors& in) { return by_formula(in[0], labels_for(in[0]), {}, false, 0, reduction, false); });
    row(
        nll, "weighted, every third ignored",
        [=](const Tensors& in) { return nll_loss(in[0], labels_for(in[0], 3), {.weight = weight_for(in[0]), .reduction = reduction}); },
        reduce(-2, 0, 1.5), [=](const Tensors& in) { return by_formula(in[0], labels_for(in[0], 3), {}, true, 0, reduction, false); });
    row(
        labels, "labels", [=](const Tensors& in) { return cross_entropy(in[0], labels_for(in[0]), {.reduction = reduction}); },
        reduce(lse - 2, ln3, 2), [=](const Tensors& in) { return by_formula(in[0], labels_for(in[0]), {}, false, 0, reduction, true); });
    row(
        labels, "weighted, every third ignored",
        [=](const Tensors& in) {
          return cross_entropy(in[0], labels_for(in[0], 3), {.weight = weight_for(in[0]), .reduction = reduction});
        },
        reduce(lse - 2, ln3 / 2, 1.5),
        [=](const Tensors& in) { return by_formula(in[0], labels_for(in[0], 3), {}, true, 0, reduction, true); });
    row(
        labels, "smoothed",  // 0.7 (lse - 2) + 0.1 (3 lse - 6), and ln 3
        [=](const Tensors& in) { return cross_entropy(in[0], labels_for(in[0], 3), {.reduction = reduction, .label_smoothing = 0.3}); },
        reduce(lse - 2, ln3, 2),
        [=](const Tensors& in) { return by_formula(in[0], labels_for(in[0], 3), {}, false, 0.3, reduction, true); });
    row(
        labels, "smoothed and weighted",  // 0.7 (lse - 2) + 0.1 (0.5 (lse - 1) + (lse - 2) + 1.5 (lse - 3)), and (0.35 + 0.3) ln 3
        [=](const Tensors& in) {
          return cross_entropy(in[0], labels_for(in[0], 3), {.weight = weight_for(in[0]), .reduction = reduction, .label_smoothing = 0.3});
        },
        reduce(0.7 * (lse - 2) + 0.1 * (3 * lse - 7), 0.65 * ln3, 1.5),
        [=](const Tensors& in) { return by_formula(in[0], labels_for(in[0], 3), {}, true, 0.3, reduction, true); });
    const std::vector<std::vector<Shape>> pairs = {{{3}, {3}}, {{1, 1}, {1, 1}}, {{4, 3}, {4, 3}}, {{2, 3, 2}, {2, 3, 2}}};
    probabilities.push_back({.form = std::string("probabilities, ") + reduction_names[r],
                             .f = [=](const Tensors& in) { return cross_entropy(in[0], in[1], {.reduction = reduction}); },
                             .at = {d(x), d({{0.5, 0, 0.5}, {0.25, 0.5, 0.25}})},
                             .is = reduce(lse - 2, ln3, 2),
                             .shapes = pairs,
                             .same_as = [=](const Tensors& in) { return by_formula(in[0], {}, in[1], false, 0, reduction, true); }});
    probabilities.push_back({.form = std::string("probabilities, weighted and smoothed, ") + reduction_names[r],
                             .f =
                                 [=](const Tensors& in) {
                                   return cross_entropy(in[0], in[1],
                                                        {.weight = weight_for(in[0]), .reduction = reduction, .label_smoothing = 0.3});
                                 },
                             .at = {d(x), d({{0, 1, 0}, {0, 1, 0}})},
                             .is = reduce(0.7 * (lse - 2) + 0.1 * (3 * lse - 7), ln3, 2),
                             .shapes = pairs,
                             .same_as = [=](const Tensors& in) { return by_formula(in[0], {}, in[1], true, 0.3, reduction, true); }});
    const double softplus_1 = 1.3132616875182228, ln2 = 0.6931471805599453;  // ln(1 + e)
    std::vector<std::vector<Shape>> same = {{{}, {}}, {{3}, {3}}, {{2, 3}, {2, 3}}, {{2, 1, 3}, {2, 1, 3}}};
    if (r != 1) same.push_back({{0}, {0}});
    bce.push_back({.form = reduction_names[r],
                   .f =
                       [=](const Tensors& in) {
                         const Tensor target = clamp(in[1], 0, 1);
                         return r == 1 ? binary_cross_entropy_with_logits(in[0], target)
                                       : binary_cross_entropy_with_logits(in[0], target, {.reduction = reduction});
                       },
                   .at = {d({1, 0}), d({0.25, 1})},
                   .is = reduce(softplus_1 - 0.25, ln2, 2),
                   .shapes = same,
                   .same_as = by_xtensor([=](const auto& a, const auto& given) {
                     const Array t = xt::clip(given, 0.0, 1.0), s = 1.0 / (1.0 + xt::exp(-a)),
                                 each = -t * xt::log(s) - (1.0 - t) * xt::log(1.0 - s);
                     return r == 0 ? each : r == 1 ? Array(xt::mean(each)) : Array(xt::sum(each));
                   })});
    bce.push_back({.form = std::string("weights, ") + reduction_names[r],
                   .f =
                       [=](const Tensors& in) {
                         return binary_cross_entropy_with_logits(in[0], clamp(in[1], 0, 1),
                                                                 {.weight = in[2], .pos_weight = in[3], .reduction = reduction});
                       },
                   .at = {d({{1, 0}}), d({{0, 1}}), d({2, 3}), d(4)},
                   .is = r == 0 ? d({{2 * softplus_1, 12 * ln2}}) : reduce(2 * softplus_1, 12 * ln2, 2),
                   .shapes = {{{2, 3}, {2, 3}, {3}, {2, 1}}, {{3}, {3}, {}, {3}}}});
  }
  all.push_back({.name = "nll_loss",
                 .declaration = "nll_loss(const Tensor& input, const Tensor& labels, const NLLOptions& options = {})",
                 .f =
                     [](const Tensor& input, const Tensor& target, const Tensor& weight, bool weighted, std::int64_t ignore, Reduction r) {
                       return nll_loss(input, target, {.weight = weighted ? weight : Tensor(), .ignore_index = ignore, .reduction = r});
                     },
                 .kinds = "fif",
                 .asked = "inputs = d.classes(); w, i, r = numbers = d.flag(), d.ignored(inputs[1]), d.whole(0, 2); constant = 2,",
                 .torch = "F.nll_loss(x, y, z if w else None, ignore_index=i, reduction=REDUCTIONS[r])",
                 .table = nll});
  const std::string ce = "cross_entropy(const Tensor& logits, const Tensor& ";
  all.push_back(
      {.name = "cross_entropy",
       .declaration = ce + "labels)",
       .f = [](const Tensor& logits, const Tensor& target) { return cross_entropy(logits, target); },
       .kinds = "fi",
       .asked = "n, c = d.whole(1, 6), d.whole(1, 7); inputs = [d.values((n, c), huge=False), d.labels((n,), c)]",
       .torch = "F.cross_entropy(x, y)",
       .table = {
           {.f = [](const Tensors& in) { return cross_entropy(in[0], labels_for(in[0])); },
            .at = {d(x)},  // labels 1 and 0
            .is = d((lse - 2 + ln3) / 2),
            .shapes = {{{1, 1}}, {{1, 3}}, {{4, 1}}, {{4, 3}}, {{5, 2}}, {{3, 12}}},
            .same_as = [](const Tensors& in) { return by_formula(in[0], labels_for(in[0]), {}, false, 0, Reduction::mean, true); }}}});
  const auto with_options = [](const Tensor& logits, const Tensor& target, const Tensor& weight, bool weighted, bool ignoring,
                               std::int64_t ignore, Reduction r, double smoothing) {
    return cross_entropy(
        logits, target,
        {.weight = weighted ? weight : Tensor(), .ignore_index = ignoring ? ignore : -100, .reduction = r, .label_smoothing = smoothing});
  };
  const char* const compared = "F.cross_entropy(x, y, z if w else None, ignore_index=i, reduction=REDUCTIONS[r], label_smoothing=p)";
  all.push_back({.name = "cross_entropy, options",
                 .declaration = ce + "target, const CrossEntropyOptions& options)",
                 .f = with_options,
                 .kinds = "fif",
                 .asked =
                     "inputs = d.classes(); w, _, i, r, p = numbers = d.flag(), True, d.ignored(inputs[1]), d.whole(0, 2), d.smoothing(); "
                     "constant = 2,",
                 .torch = compared,
                 .table = labels});
  all.push_back({.name = "cross_entropy, probabilities",
                 .declaration = all.back().declaration,
                 .f = with_options,
                 .kinds = "fff",
                 .asked = "x, _, z = d.classes(); inputs = [x, d.values(x.shape, 0.0, 1.0, edges=False), z]; "
                          "w, _, i, r, p = numbers = d.flag(), False, -100, d.whole(0, 2), d.smoothing(); constant = 2,",
                 .torch = compared,
                 .table = probabilities});
  all.push_back(
      {.name = "binary_cross_entropy_with_logits",
       .declaration = "binary_cross_entropy_with_logits(const Tensor& input, const Tensor& target, BCEWithLogitsOptions options = {})",
       .f =
           [](const Tensor& input, const Tensor& target, const Tensor& weight, const Tensor& pos_weight, Reduction r, bool weighted,
              bool pos_weighted, bool within) {
             return binary_cross_entropy_with_logits(
                 input, within ? clamp(target, 0, 1) : target,
                 {.weight = weighted ? weight : Tensor(), .pos_weight = pos_weighted ? pos_weight : Tensor(), .reduction = r});
           },
       .kinds = "ffff",
       .asked = "s = d.shape(empty=False); r, w, v_, _ = numbers = d.whole(0, 2), d.flag(), d.flag(), False; inputs = [d.values(s), "
                "d.values(s, 0, 1, edges=False)] + [d.values(d.beside(s), 0.1, 2, edges=False) for _ in 'wv']; constant = 2, 3",
       .torch = "F.binary_cross_entropy_with_logits(x, y, z if w else None, pos_weight=v if v_ else None, reduction=REDUCTIONS[r])",
       .table = bce});
}

}  // namespace operations
