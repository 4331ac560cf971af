// Elements chosen by index, and orders.
#include "by_xtensor.h"
#include "xsort.h"

using namespace capstan;

namespace operations {

namespace {

using Array = xt::xarray<double>;

Tensor i64(const NestedList& list) { return tensor(list, DType::i64); }
const NestedList m = {{3, 1, 2}, {4, 6, 5}};

Checked row(const char* form, std::function<Tensor(const Tensors&)> f, const NestedList& at, const NestedList& is,
            const std::vector<std::vector<Shape>>& shapes, std::function<Tensor(const Tensors&)> same_as = {}) {
  return {.form = form, .f = std::move(f), .at = {d(at)}, .is = d(is), .shapes = shapes, .same_as = std::move(same_as)};
}

/// The same with whole numbers for a result, which has no gradient.
Checked whole(const char* form, std::function<Tensor(const Tensors&)> f, const NestedList& is) {
  Checked r = row(form, std::move(f), m, is, {{{2, 3}}, {{1, 1}}, {{4, 2}}, {{0, 3}}, {{2, 3, 2}}});
  r.is = i64(is);
  r.has_gradient = false;
  return r;
}

}  // namespace

void add_index(std::vector<Operation>& all) {
  const auto add = [&](Checked form) { all.back().table.push_back(std::move(form)); };
  all.push_back(
      {.name = "index_select",
       .declaration = "index_select(const Tensor& x, int axis, const Tensor& index)",
       .f = index_select,
       .kinds = "fi",
       .asked = "s = d.shape(1, empty=False); a, = numbers = d.axis(s),; inputs = [d.values(s), d.labels((d.whole(0, 6),), s[a])]",
       .torch = "torch.index_select(x, a, y)"});
  add(row(
      "rows, one of them twice",
      [](const Tensors& in) {
        return index_select(in[0], 0, i64({1, 0, 1}));
      },
      m, {{4, 6, 5}, {3, 1, 2}, {4, 6, 5}}, {{{2}}, {{2, 3}}, {{3, 2, 2}}, {{2, 0}}},
      by_xtensor([](const auto& x) { return Array(xt::view(x, xt::keep(1, 0, 1))); })));
  add(row(
      "columns",
      [](const Tensors& in) {
        return index_select(in[0], -1, i64({2, 0}));
      },
      m, {{2, 3}, {5, 4}}, {{{3}}, {{2, 3}}, {{2, 2, 4}}, {{0, 3}}}, by_xtensor([](const auto& x) {
        const Array turned = xt::transpose(x), kept = xt::view(turned, xt::keep(2, 0));
        return Array(xt::transpose(kept));
      })));
  Checked none = row("none", [](const Tensors& in) { return index_select(in[0], 0, i64({})); }, {1, 2}, 0, {{{2}}, {{2, 3}}});
  none.is = empty({0}, DType::f64);
  none.flat = true;
  add(none);
  all.push_back({.name = "gather",
                 .declaration = "gather(const Tensor& x, int axis, const Tensor& index)",
                 .f = gather,
                 .kinds = "fi",
                 .asked = "s = d.shape(1, empty=False); a, = numbers = d.axis(s),; inputs = [d.values(s), d.index(s, a)]",
                 .torch = "torch.gather(x, a, y)"});
  add(row("along rows, one element twice",
          [](const Tensors& in) {
            return gather(in[0], 1, i64({{0, 0, 2, 1}, {2, 1, 0, 0}}));
          },
          m, {{3, 3, 2, 1}, {5, 6, 4, 4}}, {{{2, 3}}, {{3, 3}}, {{2, 4}}}));
  add(row("along columns, a part",
          [](const Tensors& in) {
            return gather(in[0], 0, i64({{1, 0}}));
          },
          m, {{4, 1}}, {{{2, 3}}, {{3, 2}}, {{2, 2}}}));
  add(row("three axes",
          [](const Tensors& in) {
            return gather(in[0], -2, i64({{{1, 0}}, {{0, 1}}}));
          },
          {{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}}, {{{3, 2}}, {{5, 8}}}, {{{2, 2, 2}}, {{3, 4, 3}}}));
  all.push_back(
      {.name = "scatter_add",
       .declaration = "scatter_add(const Tensor& x, int axis, const Tensor& index, const Tensor& src)",
       .f = scatter_add,
       .kinds = "fif",
       .asked = "s = d.shape(1, empty=False); a, = numbers = d.axis(s),; i = d.index(s, a); inputs = [d.values(s), i, d.values(i.shape)]",
       .torch = "torch.scatter_add(x, a, y, z)"});
  add({.form = "along rows, one place twice",
       .f =
           [](const Tensors& in) {
             return scatter_add(in[0], 1, i64({{0, 0}, {2, 1}}), in[1]);
           },
       .at = {d(m), d({{10, 20}, {30, 40}})},
       .is = d({{33, 1, 2}, {4, 46, 35}}),
       .shapes = {{{2, 3}, {2, 2}}, {{3, 3}, {2, 2}}}});
  add({.form = "along columns",
       .f =
           [](const Tensors& in) {
             return scatter_add(in[0], -2, i64({{1, 0, 1}}), in[1]);
           },
       .at = {d(m), d({{10, 20, 30}})},
       .is = d({{3, 21, 2}, {14, 6, 35}}),
       .shapes = {{{2, 3}, {1, 3}}, {{4, 5}, {1, 3}}}});
  all.push_back({.name = "one_hot",
                 .declaration = "one_hot(const Tensor& labels, std::int64_t classes, DType dtype = DType::i64)",
                 .f = one_hot,
                 .kinds = "i",
                 .asked = "c, _ = numbers = d.whole(1, 6), 2; inputs = [d.labels(d.shape(0, 3), c)]",
                 .torch = "F.one_hot(x, c)",
                 .edges = false});
  add({.f = [](const Tensors& in) { return one_hot(in[0].to(DType::i64), 3); },
       .at = {d({{0, 2}, {1, 1}})},
       .is = i64({{{1, 0, 0}, {0, 0, 1}}, {{0, 1, 0}, {0, 1, 0}}}),
       .shapes = {{{}}, {{3}}, {{2, 3}}, {{0}}, {{2, 1, 2}}},
       .low = 0.1,
       .high = 2.9,
       .has_gradient = false});
  all.push_back({.name = "sort",
                 .declaration = "sort(const Tensor& x, int axis = -1, bool descending = false)",
                 .f = capstan::sort,
                 .kinds = "a",
                 .asked = "s = d.shape(1); a, p = numbers = d.axis(s), d.flag(); inputs = [d.values(s)]",
                 .torch = "list(torch.sort(x, dim=a, descending=p, stable=True))"});
  const std::vector<std::vector<Shape>> some = {{{7}}, {{2, 3}}, {{4, 1}}, {{3, 2, 2}}, {{0, 3}}, {{2, 0}}};
  add(row(
      "", [](const Tensors& in) { return sort(in[0]).values; }, m, {{1, 2, 3}, {4, 5, 6}}, some,
      by_xtensor([](const auto& x) { return Array(xt::sort(x)); })));
  add(row(
      "columns, descending", [](const Tensors& in) { return sort(in[0], 0, true).values; }, m, {{4, 6, 5}, {3, 1, 2}}, some));
  all.push_back({.name = "argsort",
                 .declaration = "argsort(const Tensor& x, int axis = -1, bool descending = false)",
                 .f = argsort,
                 .kinds = "a",
                 .asked = "s = d.shape(1); a, p = numbers = d.axis(s), d.flag(); inputs = [d.values(s)]; constant = 0,",
                 .torch = "torch.argsort(x, dim=a, descending=p, stable=True)"});
  add(whole("", [](const Tensors& in) { return argsort(in[0], 1, true); }, {{0, 2, 1}, {1, 2, 0}}));
  add(whole("columns", [](const Tensors& in) { return argsort(in[0], -2); }, {{0, 0, 0}, {1, 1, 1}}));
  all.back().table.back().shapes = {{{2, 3}}, {{4, 1}}};
  all.push_back({.name = "topk",
                 .declaration = "topk(const Tensor& x, std::int64_t k, int axis = -1, bool largest = true)",
                 .f = topk,
                 .kinds = "a",
                 .asked = "s = d.shape(1); a = d.axis(s); k, _, p = numbers = d.whole(0, s[a]), a, d.flag(); inputs = [d.values(s)]",
                 .torch = "list(torch.topk(x, k, dim=a, largest=p))"});
  add(row("the largest two", [](const Tensors& in) { return topk(in[0], 2).values; }, m, {{3, 2}, {6, 5}}, {{{3}}, {{2, 3}}, {{2, 2, 5}}}));
  add(row("the smallest one", [](const Tensors& in) { return topk(in[0], 1, 0, false).values; }, m, {{3, 1, 2}},
          {{{3}}, {{2, 3}}, {{4, 2}}}));
}

}  // namespace operations
