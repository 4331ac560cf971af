#include "xtensor_support.h"

using namespace capstan;

namespace {

using Array = xt::xarray<double>;

Array softmax_by_xtensor(const Tensor& x, int axis) {
  const std::size_t a = static_cast<std::size_t>(axis < 0 ? axis + x.dim() : axis);
  const auto e = x_of(x);
  const Array top = xt::amax(e, {a}, xt::keep_dims);
  const Array p = xt::exp(e - top);
  const Array total = xt::sum(p, {a}, xt::keep_dims);
  return p / total;
}

void add_softmax_rows(std::vector<OpRow>& rows, int axis, const NestedList& at, const NestedList& p, const NestedList& log_p) {
  const std::vector<std::vector<Shape>> any = {
      {{7}}, {{1}}, {{2, 3}}, {{3, 1}}, {{1, 3}}, {{2, 3, 4}}, {{0, 3}}, {{3, 0}}, {{2, 1, 3}}, {{2, 0, 3}}, {{2, 1, 2, 1, 2, 2}}};
  std::vector<std::vector<Shape>> shapes;
  for (const auto& s : any)
    if (axis < s[0].dim() && axis >= -s[0].dim()) shapes.push_back(s);
  const std::string form = "axis " + std::to_string(axis);
  rows.push_back({.declaration = "softmax(const Tensor& x, int axis = -1)",
                  .form = form,
                  .f = [=](const Args& in) { return axis == -1 ? softmax(in[0]) : softmax(in[0], axis); },
                  .at = {d(at)},
                  .is = d(p),
                  .shapes = shapes,
                  .same_as = [=](const Args& in) { return from_xtensor(softmax_by_xtensor(in[0], axis)); }});
  rows.push_back({.declaration = "log_softmax(const Tensor& x, int axis = -1)",
                  .form = form,
                  .f = [=](const Args& in) { return axis == -1 ? log_softmax(in[0]) : log_softmax(in[0], axis); },
                  .at = {d(at)},
                  .is = d(log_p),
                  .shapes = shapes,
                  .same_as = [=](const Args& in) { return from_xtensor(xt::log(softmax_by_xtensor(in[0], axis))); }});
}

/// Labels for n rows of logits: 1, 3, 5, ... in [0, classes).
Tensor labels_for(const Tensor& logits) {
  std::vector<std::int64_t> labels;
  for (std::int64_t i = 0; i < logits.size(0); ++i) labels.push_back((2 * i + 1) % logits.size(1));
  return tensor(labels);
}

}  // namespace

void add_loss_rows(std::vector<OpRow>& rows) {
  const double ln2 = 0.6931471805599453, s1 = 0.09003057317038046, s2 = 0.24472847105479764, s3 = 0.6652409557748218,
               lse = 3.4076059644443806;
  add_softmax_rows(rows, -1, {{1, 2, 3}, {3, 3, 3}}, {{s1, s2, s3}, {1. / 3, 1. / 3, 1. / 3}},
                   {{1 - lse, 2 - lse, 3 - lse}, {-std::log(3.), -std::log(3.), -std::log(3.)}});
  add_softmax_rows(rows, 0, {{1, 1}, {1, 2}, {1, 3}}, {{1. / 3, s1}, {1. / 3, s2}, {1. / 3, s3}},
                   {{-std::log(3.), 1 - lse}, {-std::log(3.), 2 - lse}, {-std::log(3.), 3 - lse}});
  add_softmax_rows(rows, 1, {{{1, 5}, {1, 5}}, {{0, 2}, {0, 2}}}, {{{.5, .5}, {.5, .5}}, {{.5, .5}, {.5, .5}}},
                   {{{-ln2, -ln2}, {-ln2, -ln2}}, {{-ln2, -ln2}, {-ln2, -ln2}}});
  add_softmax_rows(rows, -2, {{1, 1}, {1, 2}, {1, 3}}, {{1. / 3, s1}, {1. / 3, s2}, {1. / 3, s3}},
                   {{-std::log(3.), 1 - lse}, {-std::log(3.), 2 - lse}, {-std::log(3.), 3 - lse}});

  rows.push_back({.declaration = "mse_loss(const Tensor& input, const Tensor& target)",
                  .f = [](const Args& in) { return mse_loss(in[0], in[1]); },
                  .at = {d({{1, 2}, {3, 4}}), d({{0, 4}, {3, 1}})},
                  .is = d(3.5),
                  .shapes = {{{}, {}}, {{1}, {1}}, {{7}, {7}}, {{2, 3}, {2, 3}}, {{2, 1, 3}, {2, 1, 3}}, {{23}, {23}}},
                  .same_as = by_xtensor([](const auto& a, const auto& b) { return xt::mean(xt::square(a - b)); })});
  rows.push_back({.declaration = "cross_entropy(const Tensor& logits, const Tensor& labels)",
                  .f = [](const Args& in) { return cross_entropy(in[0], labels_for(in[0])); },
                  .at = {d({{1, 2, 3}, {0, 0, 0}})},  // labels 1 and 0: (lse - 2 + ln 3) / 2
                  .is = d(1.2531091265562452),
                  .shapes = {{{1, 1}}, {{1, 3}}, {{4, 1}}, {{4, 3}}, {{5, 2}}, {{3, 12}}},
                  .same_as =
                      [](const Args& in) {
                        const Array p = softmax_by_xtensor(in[0], 1);
                        const Tensor labels = labels_for(in[0]);
                        double loss = 0;
                        for (std::int64_t i = 0; i < in[0].size(0); ++i)
                          loss -= std::log(p(static_cast<std::size_t>(i), static_cast<std::size_t>(labels.data<std::int64_t>()[i])));
                        return d(loss / static_cast<double>(in[0].size(0)));
                      }});
}
