#pragma once
#include "by_xtensor.h"

// Reductions over one, several and all axes.
namespace operations {

using capstan::Axes, capstan::DType, capstan::NestedList, capstan::Shape;
using Array = xt::xarray<double>;
using AxisList = std::vector<std::size_t>;

/// The axes, from 0 on; empty when x has not all of them or one is named twice.
inline AxisList axes_in(const Axes& axes, int dim) {
  AxisList list;
  for (const int a : axes) {
    const int axis = a < 0 ? a + dim : a;
    if (axis < 0 || axis >= dim || std::count(list.begin(), list.end(), static_cast<std::size_t>(axis))) return {};
    list.push_back(static_cast<std::size_t>(axis));
  }
  if (axes.all())
    for (int i = 0; i < dim; ++i) list.push_back(static_cast<std::size_t>(i));
  std::sort(list.begin(), list.end());
  return list;
}

/// The shapes on which those axes exist and hold at least that many elements.
inline std::vector<std::vector<Shape>> shapes_for(const Axes& axes, std::int64_t least) {
  const Shape any[] = {{},  {1},    {7},    {2, 3},    {3, 1},    {1, 4},       {2, 3, 2}, {2, 1, 3},
                       {0}, {0, 3}, {3, 0}, {2, 0, 3}, {4, 2, 1}, {2, 3, 2, 2}, {3, 1, 2}, {1, 2, 1, 2, 1, 2}};
  std::vector<std::vector<Shape>> shapes;
  for (const Shape& s : any) {
    std::int64_t n = 1;
    const AxisList list = axes_in(axes, s.dim());
    if (list.empty() && !axes.all()) continue;
    for (const std::size_t a : list) n *= s.begin()[a];
    if (n >= least) shapes.push_back({s});
  }
  return shapes;
}

struct Result {
  const char* form;
  Axes axes;
  bool keepdim;
  NestedList at, is;
};

/// Forms of one reduction; the xtensor form takes an array and the axes to reduce.
template <class F, class X>
std::vector<Checked> checked(F f, X by_axes, std::int64_t least, const std::vector<Result>& results, double low = -2) {
  std::vector<Checked> table;
  for (const Result& r : results)
    table.push_back({.form = r.form,
                     .f = [f, axes = r.axes, keepdim = r.keepdim](const Tensors& in) { return f(in[0], axes, keepdim); },
                     .at = {d(r.at)},
                     .is = d(r.is),
                     .shapes = shapes_for(r.axes, least),
                     .same_as =
                         [=, axes = r.axes, keepdim = r.keepdim](const Tensors& in) {
                           const Tensor x = in[0].dim() == 0 ? in[0].reshape({1}) : in[0];
                           const Array y = by_axes(Array(x_of(x)), axes_in(axes, x.dim()));
                           return capstan::from_xtensor(y).reshape(f(in[0], axes, keepdim).shape());
                         },
                     .low = low});
  return table;
}

/// What every reduction is asked, with its results for all of m, its rows, its columns, and the middle axis of c.
inline std::vector<Result> results(double all, double row0, double row1, double column0, double column1, double column2, double middle0,
                                   double middle1) {
  const NestedList m = {{1, 5, 3}, {4, 2, 6}}, c = {{{1, 5}, {3, 2}}, {{4, 2}, {6, 1}}};
  return {{"all", {}, false, m, all},
          {"all, keepdim", {}, true, m, {{all}}},
          {"-1", -1, false, m, {row0, row1}},
          {"-1, keepdim", -1, true, m, {{row0}, {row1}}},
          {"0", 0, false, m, {column0, column1, column2}},
          {"-2", -2, false, m, {column0, column1, column2}},
          {"0, keepdim", 0, true, m, {{column0, column1, column2}}},
          {"-2, keepdim", -2, true, m, {{column0, column1, column2}}},
          {"both", {-1, 0}, false, m, all},
          {"first and last", {0, -1}, false, c, {middle0, middle1}},
          {"last and first, keepdim", {2, 0}, true, c, {{{middle0}, {middle1}}}}};
}

/// What has no gradient, along axes of m or, for booleans, of signs.
inline Checked plain(const char* form, std::function<Tensor(const Tensors&)> f, const Tensor& is, const Axes& axes) {
  const bool index = is.dtype() == DType::i64;
  return {.form = form,
          .f = std::move(f),
          .at = {index ? d({{1, 5, 3}, {4, 2, 6}}) : d({{1, -1, -1}, {1, 1, 1}})},
          .is = is,
          .shapes = shapes_for(axes, index),
          .has_gradient = false};
}

using Reduce = Tensor (*)(const Tensor&, Axes, bool);
const std::string one_axis = "s = d.shape(1, empty=False); a, k = numbers = d.axis(s), d.flag(); ",
                  some_axes = "a, k = numbers = d.axes(s), d.flag(); ", x_of_s = "inputs = [d.values(s, huge=False)]";

/// A reduction f over axes; `of_all`, where there is a form without them, without which the axes have a default.
template <class X>
void add(std::vector<Operation>& all, const std::string& name, const char* kinds, Reduce f, Tensor (*of_all)(const Tensor&), X by_axes,
         std::int64_t least, const std::string& torch, const std::vector<Result>& known) {
  const std::string drawn = least == 0 ? "s = d.shape(); " : "s = d.shape(empty=False); ";
  const std::string declaration = name + "(const Tensor& x, Axes axes" + (of_all ? "" : " = {}") + ", bool keepdim = false)";
  if (of_all) {
    std::vector<Checked> table =
        checked([of_all](const Tensor& x, const Axes&, bool) { return of_all(x); }, by_axes, least, {known.front()});
    table.front().form = "";
    all.push_back({.name = name,
                   .declaration = name + "(const Tensor& x)",
                   .f = of_all,
                   .kinds = kinds,
                   .asked = drawn + x_of_s,
                   .torch = "x." + name + "()",
                   .table = std::move(table)});
    all.push_back({.name = name + ", axis",
                   .declaration = declaration,
                   .f = [f](const Tensor& x, int axis, bool keepdim) { return f(x, axis, keepdim); },
                   .kinds = kinds});
  }
  all.push_back({.name = name + (of_all ? ", axes" : ""),
                 .declaration = declaration,
                 .f = f,
                 .kinds = kinds,
                 .asked = drawn + some_axes + x_of_s,
                 .torch = torch,
                 .table = checked(f, by_axes, least, known)});
}

}  // namespace operations
