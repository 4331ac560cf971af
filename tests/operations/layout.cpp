// Elements in another arrangement.
#include "by_xtensor.h"
#include "xsort.h"

#if __has_include(<xtensor/misc/xmanipulation.hpp>)
#include <xtensor/misc/xmanipulation.hpp>
#else
#include <xtensor/xmanipulation.hpp>
#endif

using namespace capstan;

namespace operations {

namespace {

using Array = xt::xarray<double>;
const NestedList m = {{1, 2, 3}, {4, 5, 6}};

Checked row(const char* form, std::function<Tensor(const Tensors&)> f, const NestedList& at, const NestedList& is,
            const std::vector<std::vector<Shape>>& shapes, std::function<Tensor(const Tensors&)> same_as = {}) {
  return {.form = form, .f = std::move(f), .at = {d(at)}, .is = d(is), .shapes = shapes, .same_as = std::move(same_as)};
}

Checked permute_row(const char* form, std::vector<int> order, const NestedList& at, const NestedList& is,
                    const std::vector<std::vector<Shape>>& shapes) {
  return row(
      form, [order](const Tensors& in) { return permute(in[0], order); }, at, is, shapes, by_xtensor([order](const auto& x) {
        std::vector<std::size_t> axes;
        for (const int a : order) axes.push_back(static_cast<std::size_t>(a < 0 ? a + static_cast<int>(x.dimension()) : a));
        return Array(xt::transpose(x, axes));
      }));
}

}  // namespace

void add_layout(std::vector<Operation>& all) {
  const auto add = [&](Checked form) { all.back().table.push_back(std::move(form)); };
  all.push_back({.name = "permute",
                 .declaration = "permute(const Tensor& x, Axes order)",
                 .f = permute,
                 .kinds = "a",
                 .asked = "s = d.shape(1); a, = numbers = [int(i) for i in d.rng.permutation(len(s))],; inputs = [d.values(s)]",
                 .torch = "x.permute(a)"});
  add(permute_row("the axes of a matrix", {1, 0}, m, {{1, 4}, {2, 5}, {3, 6}}, {{{2, 3}}, {{1, 4}}, {{0, 3}}, {{9, 17}}}));
  add(permute_row("a cycle of three", {2, 0, -2}, {{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}}, {{{1, 3}, {5, 7}}, {{2, 4}, {6, 8}}},
                  {{{2, 3, 4}}, {{1, 3, 2}}, {{2, 0, 3}}, {{4, 1, 1}}}));
  add(permute_row("as it is", {0, 1}, m, m, {{{2, 3}}, {{1, 1}}}));
  add(permute_row("six axes", {5, 3, 0, 1, 4, 2}, {{{{{{1, 2}}}}}}, {{{{{{1}}}}}, {{{{{2}}}}}}, {{{1, 2, 3, 2, 1, 2}}}));
  add({.form = "a scalar", .f = [](const Tensors& in) { return permute(in[0], {}); }, .at = {d(3)}, .is = d(3), .shapes = {{{}}}});
  all.push_back({.name = "squeeze",
                 .declaration = "squeeze(const Tensor& x, Axes axes = {})",
                 .f = squeeze,
                 .kinds = "a",
                 .asked = "s = d.shape(); a, = numbers = d.axes(s),; inputs = [d.values(s)]",
                 .torch = "x.squeeze(a) if a else x.squeeze()"});
  add(row(
      "all axes", [](const Tensors& in) { return squeeze(in[0]); }, {{{1}, {2}}}, {1, 2}, one_shapes()));
  add(row("the last and the first",
          [](const Tensors& in) {
            return squeeze(in[0], {-1, 0});
          },
          {{{1}, {2}}}, {1, 2}, {{{1, 2, 1}}, {{1, 3}}, {{3, 1}}, {{2, 3}}, {{1, 0, 1}}, {{1, 1, 1}}}));
  all.push_back({.name = "unsqueeze",
                 .declaration = "unsqueeze(const Tensor& x, int axis)",
                 .f = unsqueeze,
                 .kinds = "a",
                 .asked = "s = d.shape(); a, = numbers = d.whole(-len(s) - 1, len(s)),; inputs = [d.values(s)]",
                 .torch = "x.unsqueeze(a)"});
  add(row("0", [](const Tensors& in) { return unsqueeze(in[0], 0); }, {1, 2}, {{1, 2}}, {{{}}, {{3}}, {{2, 3}}, {{0}}}));
  add(row("-1", [](const Tensors& in) { return unsqueeze(in[0], -1); }, {1, 2}, {{1}, {2}}, {{{}}, {{3}}, {{2, 3}}}));
  add(row("-2", [](const Tensors& in) { return unsqueeze(in[0], -2); }, m, {{{1, 2, 3}}, {{4, 5, 6}}}, {{{3}}, {{2, 3}}}));
  all.push_back({.name = "expand",
                 .declaration = "expand(const Tensor& x, const Shape& shape)",
                 .f = expand,
                 .kinds = "a",
                 .asked = "s, = numbers = d.shape(0, 4),; inputs = [d.values(d.beside(s))]",
                 .torch = "x.expand(s)"});
  add(row(
      "to [2, 3, 2]",
      [](const Tensors& in) {
        return expand(in[0], {2, 3, 2});
      },
      {{1, 2}}, {{{1, 2}, {1, 2}, {1, 2}}, {{1, 2}, {1, 2}, {1, 2}}},
      {{{}}, {{1}}, {{2}}, {{3, 2}}, {{3, 1}}, {{1, 2}}, {{2, 1, 1}}, {{2, 3, 2}}, {{1, 1, 1}}}, by_xtensor([](const auto& x) {
        return Array(xt::broadcast(x, {2, 3, 2}));
      })));
  add({.form = "to no elements",
       .f =
           [](const Tensors& in) {
             return expand(in[0], {0, 2});
           },
       .at = {d({1, 2})},
       .is = empty({0, 2}, DType::f64),
       .shapes = {{{2}}, {{}}, {{1, 2}}, {{0, 1}}},
       .flat = true});
  all.push_back({.name = "repeat",
                 .declaration = "repeat(const Tensor& x, const std::vector<std::int64_t>& counts)",
                 .f = repeat,
                 .kinds = "a",
                 .asked = "s = d.shape(0, 3); n, = numbers = [d.whole(not d.whole(0, 6), 3) for _ in range(len(s) + d.whole(0, 1))],; "
                          "inputs = [d.values(s)]",
                 .torch = "x.repeat(n)"});
  add(row(
      "2, 3",
      [](const Tensors& in) {
        return repeat(in[0], {2, 3});
      },
      {{1, 2}}, {{1, 2, 1, 2, 1, 2}, {1, 2, 1, 2, 1, 2}}, {{{}}, {{3}}, {{2, 3}}, {{1, 1}}, {{0, 2}}, {{3, 0}}},
      [](const Tensors& in) {
        const Tensor x = in[0].dim() == 0 ? in[0].reshape({1}) : in[0];
        const Array wide = xt::concatenate(xt::xtuple(x_of(x), x_of(x), x_of(x)), static_cast<std::size_t>(x.dim() - 1));
        const Array row = in[0].dim() < 2 ? Array(xt::view(wide, xt::newaxis())) : wide;
        return from_xtensor(xt::concatenate(xt::xtuple(row, row), 0));
      }));
  add(row("2, 1, 2",
          [](const Tensors& in) {
            return repeat(in[0], {2, 1, 2});
          },
          {{1, 2}, {3, 4}}, {{{1, 2, 1, 2}, {3, 4, 3, 4}}, {{1, 2, 1, 2}, {3, 4, 3, 4}}}, {{{3}}, {{2, 3}}, {{2, 3, 2}}}));
  add(row("once", [](const Tensors& in) { return repeat(in[0], {1, 1}); }, m, m, {{{2, 3}}}));
  add({.form = "not at all",
       .f =
           [](const Tensors& in) {
             return repeat(in[0], {2, 0});
           },
       .at = {d({1, 2})},
       .is = empty({2, 0}, DType::f64),
       .shapes = {{{2}}, {{2, 3}}},
       .flat = true});
  all.push_back({.name = "flip",
                 .declaration = "flip(const Tensor& x, Axes axes = {})",
                 .f = flip,
                 .kinds = "a",
                 .asked = "s = d.shape(); a, = numbers = d.axes(s),; inputs = [d.values(s)]",
                 .torch = "x.flip(every(s, a))"});
  add(row(
      "all axes", [](const Tensors& in) { return flip(in[0]); }, m, {{6, 5, 4}, {3, 2, 1}}, one_shapes()));
  add(row(
      "0", [](const Tensors& in) { return flip(in[0], 0); }, m, {{4, 5, 6}, {1, 2, 3}}, {{{3}}, {{2, 3}}, {{3, 2, 2}}, {{0, 2}}},
      by_xtensor([](const auto& x) { return Array(xt::flip(x, 0)); })));
  add(row(
      "-1 and 0",
      [](const Tensors& in) {
        return flip(in[0], {-1, 0});
      },
      m, {{6, 5, 4}, {3, 2, 1}}, {{{2, 3}}, {{3, 2, 2}}},
      by_xtensor([](const auto& x) { return Array(xt::flip(Array(xt::flip(x, 0)), x.dimension() - 1)); })));
  all.push_back({.name = "slice",
                 .declaration = "slice(const Tensor& x, int axis, std::int64_t begin, std::int64_t end, std::int64_t step = 1)",
                 .f = slice,
                 .kinds = "a",
                 .asked = "s = d.shape(1); a = d.axis(s); i = d.whole(0, s[a]); j, k = d.whole(i, s[a]), d.whole(1, 4); inputs, numbers = "
                          "[d.values(s)], [a, i, j, k]",
                 .torch = "x[(slice(None),) * (a % len(s)) + (slice(i, j, k),)]"});
  add(row(
      "columns", [](const Tensors& in) { return slice(in[0], -1, 1, 3); }, m, {{2, 3}, {5, 6}}, {{{3}}, {{2, 3}}, {{2, 2, 4}}, {{0, 3}}},
      by_xtensor([](const auto& x) {
        return Array(xt::strided_view(x, {xt::ellipsis(), xt::range(1, 3)}));
      })));
  add(row(
      "every second", [](const Tensors& in) { return slice(in[0], 1, 0, in[0].size(1), 2); }, m, {{1, 3}, {4, 6}},
      {{{2, 3}}, {{2, 4}}, {{2, 5, 2}}, {{3, 1}}, {{2, 0}}},
      by_xtensor([](const auto& x) { return Array(xt::view(x, xt::all(), xt::range(xt::placeholders::_, xt::placeholders::_, 2))); })));
  add(row("every third of a part", [](const Tensors& in) { return slice(in[0], 0, 1, 6, 3); }, {1, 2, 3, 4, 5, 6, 7}, {2, 5},
          {{{6}}, {{7, 2}}}));
  all.push_back({.name = "pad",
                 .declaration = "pad(const Tensor& x, const std::vector<std::int64_t>& widths, double value = 0)",
                 .f = pad,
                 .kinds = "a",
                 .asked = "s = d.shape(); w, p = numbers = [d.whole(0, 3) for _ in range(2 * d.whole(0, len(s)))], d.number(-1, 1); inputs "
                          "= [d.values(s)]",
                 .torch = "F.pad(x, w, value=p) if w else x.clone()"});
  add(row("the last axis",
          [](const Tensors& in) {
            return pad(in[0], {1, 2});
          },
          m, {{0, 1, 2, 3, 0, 0}, {0, 4, 5, 6, 0, 0}}, {{{3}}, {{2, 3}}, {{2, 1, 3}}, {{0}}, {{2, 0}}}));
  add(row("both axes",
          [](const Tensors& in) {
            return pad(in[0], {0, 1, 2, 0}, 7);
          },
          {{1, 2}}, {{7, 7, 7}, {7, 7, 7}, {1, 2, 7}}, {{{1, 2}}, {{2, 3}}, {{2, 1, 3}}}));
  add(row("nothing", [](const Tensors& in) { return pad(in[0], {}); }, 3, 3, {{{}}, {{2}}}));
  const std::vector<std::vector<Shape>> matrices = {{{3, 3}}, {{2, 4}}, {{4, 2}}, {{2, 3, 3}}, {{1, 1}}, {{0, 3}}, {{3, 0}}};
  const NestedList square = {{1, 2, 3}, {4, 5, 6}, {7, 8, 9}};
  const auto add_triangle = [&](const std::string& name, Tensor (*f)(const Tensor&, std::int64_t), Tensor (*by_default)(const Tensor&),
                                const NestedList& at_0, const NestedList& at_1, const NestedList& below) {
    all.push_back({.name = name,
                   .declaration = name + "(const Tensor& x, std::int64_t k = 0)",
                   .f = f,
                   .kinds = "a",
                   .asked = "k, = numbers = d.whole(-4, 4),; inputs = [d.values(d.shape(2))]",
                   .torch = "torch." + name + "(x, k)",
                   .table = {row(
                                 "k = 0", [=](const Tensors& in) { return by_default(in[0]); }, square, at_0, matrices),
                             row(
                                 "k = 1", [=](const Tensors& in) { return f(in[0], 1); }, square, at_1, matrices),
                             row(
                                 "k = -1", [=](const Tensors& in) { return f(in[0], -1); }, square, below, matrices)}});
  };
  add_triangle("tril", tril, [](const Tensor& x) { return tril(x); }, {{1, 0, 0}, {4, 5, 0}, {7, 8, 9}}, {{1, 2, 0}, {4, 5, 6}, {7, 8, 9}},
               {{0, 0, 0}, {4, 0, 0}, {7, 8, 0}});
  add_triangle("triu", triu, [](const Tensor& x) { return triu(x); }, {{1, 2, 3}, {0, 5, 6}, {0, 0, 9}}, {{0, 2, 3}, {0, 0, 6}, {0, 0, 0}},
               {{1, 2, 3}, {4, 5, 6}, {0, 8, 9}});
}

}  // namespace operations
