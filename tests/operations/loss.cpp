#include "by_xtensor.h"

using namespace capstan;

namespace operations {

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

/// Softmax or its logarithm, f(x, axis), of numbers whose softmax along axes -1, 0, 1 and -2 is known.
Operation softmax_row(const std::string& name, Tensor (*f)(const Tensor&, int), Tensor (*of_last)(const Tensor&), bool logarithm) {
  const double s1 = 0.09003057317038046, s2 = 0.24472847105479764, s3 = 0.6652409557748218, third = 1. / 3;
  const NestedList down = {{1, 1}, {1, 2}, {1, 3}}, p_down = {{third, s1}, {third, s2}, {third, s3}};
  const std::vector<std::vector<Shape>> any = {
      {{7}}, {{1}}, {{2, 3}}, {{3, 1}}, {{1, 3}}, {{2, 3, 4}}, {{0, 3}}, {{3, 0}}, {{2, 1, 3}}, {{2, 0, 3}}, {{2, 1, 2, 1, 2, 2}}};
  std::vector<Checked> table;
  const auto add = [&](int axis, const NestedList& at, const NestedList& p) {
    std::vector<std::vector<Shape>> shapes;
    for (const auto& s : any)
      if (axis < s[0].dim() && axis >= -s[0].dim()) shapes.push_back(s);
    table.push_back({.form = "axis " + std::to_string(axis),
                     .f = [=](const Tensors& in) { return axis == -1 ? of_last(in[0]) : f(in[0], axis); },
                     .at = {d(at)},
                     .is = logarithm ? log(d(p)) : d(p),
                     .shapes = shapes,
                     .same_as =
                         [=](const Tensors& in) {
                           const Array y = softmax_by_xtensor(in[0], axis);
                           return from_xtensor(logarithm ? Array(xt::log(y)) : y);
                         }});
  };
  add(-1, {{1, 2, 3}, {3, 3, 3}}, {{s1, s2, s3}, {third, third, third}});
  add(0, down, p_down);
  add(1, {{{1, 5}, {1, 5}}, {{0, 2}, {0, 2}}}, {{{.5, .5}, {.5, .5}}, {{.5, .5}, {.5, .5}}});
  add(-2, down, p_down);
  return {.name = name,
          .declaration = name + "(const Tensor& x, int axis = -1)",
          .f = f,
          .kinds = "f",
          .asked = "s = d.shape(1); a, = numbers = d.axis(s),; inputs = [d.values(s, huge=False)]",
          .torch = "torch." + name + "(x, a)",
          .table = std::move(table)};
}

}  // namespace

void add_loss(std::vector<Operation>& all) {
  all.push_back(softmax_row(
      "softmax", softmax, [](const Tensor& x) { return softmax(x); }, false));
  all.push_back(softmax_row(
      "log_softmax", log_softmax, [](const Tensor& x) { return log_softmax(x); }, true));
}

}  // namespace operations
