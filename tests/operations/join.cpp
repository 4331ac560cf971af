#include "by_xtensor.h"

#include <new>

using namespace capstan;

namespace operations {

namespace {

using Array = xt::xarray<double>;

Checked row(const char* form, std::function<Tensor(const Tensors&)> f, const NestedList& at, const NestedList& is,
            const std::vector<std::vector<Shape>>& shapes, std::function<Tensor(const Tensors&)> same_as = {}) {
  return {.form = form, .f = std::move(f), .at = {d(at)}, .is = d(is), .shapes = shapes, .same_as = std::move(same_as)};
}

/// All parts along an axis, the k-th times k + 1, joined again.
Tensor joined(const std::vector<Tensor>& parts, int axis) {
  std::vector<Tensor> scaled;
  for (std::size_t k = 0; k < parts.size(); ++k) scaled.push_back(parts[k] * static_cast<double>(k + 1));
  return concat(scaled, axis);
}

}  // namespace

void add_join(std::vector<Operation>& all) {
  const auto add = [&](Checked form) { all.back().table.push_back(std::move(form)); };
  const NestedList m = {{1, 2, 3}, {4, 5, 6}};
  all.push_back(
      {.name = "concat",
       .declaration = "concat(const std::vector<Tensor>& xs, int axis = 0)",
       .f = concat,
       .kinds = "*",
       .asked =
           "s = d.shape(1); a, = numbers = d.axis(s),; inputs = [d.values(d.resized(s, a, d.whole(0, 4))) for _ in range(d.whole(1, 4))]",
       .torch = "torch.cat(xs, a)"});
  add({.form = "axis 0",
       .f = [](const Tensors& in) { return concat(in); },
       .at = {d({{1, 2}}), d({{3, 4}, {5, 6}})},
       .is = d({{1, 2}, {3, 4}, {5, 6}}),
       .shapes = {{{3}, {2}}, {{1}, {1}}, {{2, 3}, {1, 3}}, {{0, 2}, {3, 2}}, {{2, 2}, {0, 2}}, {{2, 0}, {3, 0}}, {{2, 2, 2}, {2, 2, 2}}},
       .same_as = by_xtensor([](const auto& a, const auto& b) { return Array(xt::concatenate(xt::xtuple(a, b), 0)); })});
  add({.form = "axis -1, three",
       .f =
           [](const Tensors& in) {
             return concat({in[0], in[1], in[0]}, -1);
           },
       .at = {d({{1}, {2}}), d({{3, 4}, {5, 6}})},
       .is = d({{1, 3, 4, 1}, {2, 5, 6, 2}}),
       .shapes = {{{3}, {2}}, {{2, 3}, {2, 1}}, {{2, 1, 2}, {2, 1, 3}}, {{2, 0}, {2, 2}}}});
  all.push_back(
      {.name = "stack",
       .declaration = "stack(const std::vector<Tensor>& xs, int axis = 0)",
       .f = stack,
       .kinds = "*",
       .asked = "s = d.shape(0, 3); a, = numbers = d.whole(-len(s) - 1, len(s)),; inputs = [d.values(s) for _ in range(d.whole(1, 4))]",
       .torch = "torch.stack(xs, a)"});
  add({.form = "axis 0",
       .f = [](const Tensors& in) { return stack(in); },
       .at = {d({1, 2}), d({3, 4})},
       .is = d({{1, 2}, {3, 4}}),
       .shapes = {{{}, {}}, {{3}, {3}}, {{2, 3}, {2, 3}}, {{0}, {0}}},
       .same_as = by_xtensor([](const auto& a, const auto& b) { return Array(xt::stack(xt::xtuple(a, b), 0)); })});
  add({.form = "axis -1",
       .f = [](const Tensors& in) { return stack(in, -1); },
       .at = {d({1, 2}), d({3, 4})},
       .is = d({{1, 3}, {2, 4}}),
       .shapes = {{{}, {}}, {{3}, {3}}, {{2, 3}, {2, 3}}, {{2, 0}, {2, 0}}}});
  all.push_back({.name = "split",
                 .declaration = "split(const Tensor& x, std::int64_t size, int axis = 0)",
                 .f =
                     [](const Tensor& x, std::int64_t size, int axis) {
                       if (x.dim() > 0 && axis >= -x.dim() && axis < x.dim() && size > 0 && x.size(axis) / size > 1000)
                         throw std::bad_alloc();  // a list of so many parts, for which a sanitizer would end the program
                       return split(x, size, axis);
                     },
                 .kinds = "a",
                 .asked = "s = d.shape(1, empty=False); n, a = numbers = d.whole(1, 4), d.axis(s); inputs = [d.values(s)]",
                 .torch = "list(torch.split(x, n, a))"});
  add(row("rows", [](const Tensors& in) { return joined(split(in[0], 2), 0); }, {1, 2, 3, 4, 5}, {1, 2, 6, 8, 15},
          {{{4}}, {{5, 2}}, {{1}}, {{0, 2}}, {{2, 0}}}));
  add(row("columns", [](const Tensors& in) { return joined(split(in[0], 2, -1), -1); }, m, {{1, 2, 6}, {4, 5, 12}},
          {{{3}}, {{2, 3}}, {{2, 2, 5}}}));
  all.push_back({.name = "split, sizes",
                 .declaration = "split(const Tensor& x, const std::vector<std::int64_t>& sizes, int axis = 0)",
                 .f = [](const Tensor& x, const std::vector<std::int64_t>& sizes, int axis) { return split(x, sizes, axis); },
                 .kinds = "a",
                 .asked = "s = d.shape(1); a = d.axis(s); n = d.parts(s[a]); inputs, numbers = [d.values(s)], [n, a]",
                 .torch = "list(torch.split(x, n, a))"});
  add(row("",
          [](const Tensors& in) {
            return joined(split(in[0], {1, 0, 2}, 1), 1);
          },
          m, {{1, 6, 9}, {4, 15, 18}}, {{{2, 3}}, {{2, 3, 2}}, {{0, 3}}}));
}

}  // namespace operations
