// Elements chosen by index, and orders.
#include "xtensor_support.h"

using namespace capstan;

namespace {

using Array = xt::xarray<double>;

Tensor i64(const NestedList& list) { return tensor(list, DType::i64); }
const NestedList m = {{3, 1, 2}, {4, 6, 5}};

OpRow row(const char* declaration, const char* form, std::function<Tensor(const Args&)> f, const NestedList& at, const NestedList& is,
          const std::vector<std::vector<Shape>>& shapes, std::function<Tensor(const Args&)> same_as = {}) {
  return {.declaration = declaration,
          .form = form,
          .f = std::move(f),
          .at = {d(at)},
          .is = d(is),
          .shapes = shapes,
          .same_as = std::move(same_as)};
}

/// The same with whole numbers for a result, which has no gradient.
OpRow whole(const char* declaration, const char* form, std::function<Tensor(const Args&)> f, const NestedList& is) {
  OpRow r = row(declaration, form, std::move(f), m, is, {{{2, 3}}, {{1, 1}}, {{4, 2}}, {{0, 3}}, {{2, 3, 2}}});
  r.is = i64(is);
  r.has_gradient = false;
  return r;
}

}  // namespace

void add_index_rows(std::vector<OpRow>& rows) {
  const char* select = "index_select(const Tensor& x, int axis, const Tensor& index)";
  rows.push_back(row(
      select, "rows, one of them twice",
      [](const Args& in) {
        return index_select(in[0], 0, i64({1, 0, 1}));
      },
      m, {{4, 6, 5}, {3, 1, 2}, {4, 6, 5}}, {{{2}}, {{2, 3}}, {{3, 2, 2}}, {{2, 0}}},
      by_xtensor([](const auto& x) { return Array(xt::view(x, xt::keep(1, 0, 1))); })));
  rows.push_back(row(
      select, "columns",
      [](const Args& in) {
        return index_select(in[0], -1, i64({2, 0}));
      },
      m, {{2, 3}, {5, 4}}, {{{3}}, {{2, 3}}, {{2, 2, 4}}, {{0, 3}}}, by_xtensor([](const auto& x) {
        const Array turned = xt::transpose(x), kept = xt::view(turned, xt::keep(2, 0));
        return Array(xt::transpose(kept));
      })));
  OpRow none = row(select, "none", [](const Args& in) { return index_select(in[0], 0, i64({})); }, {1, 2}, 0, {{{2}}, {{2, 3}}});
  none.is = empty({0}, DType::f64);
  none.flat = true;
  rows.push_back(none);
  const char* gathers = "gather(const Tensor& x, int axis, const Tensor& index)";
  rows.push_back(row(gathers, "along rows, one element twice",
                     [](const Args& in) {
                       return gather(in[0], 1, i64({{0, 0, 2, 1}, {2, 1, 0, 0}}));
                     },
                     m, {{3, 3, 2, 1}, {5, 6, 4, 4}}, {{{2, 3}}, {{3, 3}}, {{2, 4}}}));
  rows.push_back(row(gathers, "along columns, a part",
                     [](const Args& in) {
                       return gather(in[0], 0, i64({{1, 0}}));
                     },
                     m, {{4, 1}}, {{{2, 3}}, {{3, 2}}, {{2, 2}}}));
  rows.push_back(row(gathers, "three axes",
                     [](const Args& in) {
                       return gather(in[0], -2, i64({{{1, 0}}, {{0, 1}}}));
                     },
                     {{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}}, {{{3, 2}}, {{5, 8}}}, {{{2, 2, 2}}, {{3, 4, 3}}}));
  const char* scatters = "scatter_add(const Tensor& x, int axis, const Tensor& index, const Tensor& src)";
  rows.push_back({.declaration = scatters,
                  .form = "along rows, one place twice",
                  .f =
                      [](const Args& in) {
                        return scatter_add(in[0], 1, i64({{0, 0}, {2, 1}}), in[1]);
                      },
                  .at = {d(m), d({{10, 20}, {30, 40}})},
                  .is = d({{33, 1, 2}, {4, 46, 35}}),
                  .shapes = {{{2, 3}, {2, 2}}, {{3, 3}, {2, 2}}}});
  rows.push_back({.declaration = scatters,
                  .form = "along columns",
                  .f =
                      [](const Args& in) {
                        return scatter_add(in[0], -2, i64({{1, 0, 1}}), in[1]);
                      },
                  .at = {d(m), d({{10, 20, 30}})},
                  .is = d({{3, 21, 2}, {14, 6, 35}}),
                  .shapes = {{{2, 3}, {1, 3}}, {{4, 5}, {1, 3}}}});
  rows.push_back({.declaration = "one_hot(const Tensor& labels, std::int64_t classes, DType dtype = DType::i64)",
                  .f = [](const Args& in) { return one_hot(in[0].to(DType::i64), 3); },
                  .at = {d({{0, 2}, {1, 1}})},
                  .is = i64({{{1, 0, 0}, {0, 0, 1}}, {{0, 1, 0}, {0, 1, 0}}}),
                  .shapes = {{{}}, {{3}}, {{2, 3}}, {{0}}, {{2, 1, 2}}},
                  .low = 0.1,
                  .high = 2.9,
                  .has_gradient = false});
  const char* sorts = "sort(const Tensor& x, int axis = -1, bool descending = false)";
  const std::vector<std::vector<Shape>> some = {{{7}}, {{2, 3}}, {{4, 1}}, {{3, 2, 2}}, {{0, 3}}, {{2, 0}}};
  rows.push_back(row(
      sorts, "", [](const Args& in) { return sort(in[0]).values; }, m, {{1, 2, 3}, {4, 5, 6}}, some,
      by_xtensor([](const auto& x) { return Array(xt::sort(x)); })));
  rows.push_back(row(
      sorts, "columns, descending", [](const Args& in) { return sort(in[0], 0, true).values; }, m, {{4, 6, 5}, {3, 1, 2}}, some));
  rows.push_back(whole("argsort(const Tensor& x, int axis = -1, bool descending = false)", "",
                       [](const Args& in) { return argsort(in[0], 1, true); }, {{0, 2, 1}, {1, 2, 0}}));
  rows.push_back(whole("argsort(const Tensor& x, int axis = -1, bool descending = false)", "columns",
                       [](const Args& in) { return argsort(in[0], -2); }, {{0, 0, 0}, {1, 1, 1}}));
  rows.back().shapes = {{{2, 3}}, {{4, 1}}};
  const char* tops = "topk(const Tensor& x, std::int64_t k, int axis = -1, bool largest = true)";
  rows.push_back(row(tops, "the largest two", [](const Args& in) { return topk(in[0], 2).values; }, m, {{3, 2}, {6, 5}},
                     {{{3}}, {{2, 3}}, {{2, 2, 5}}}));
  rows.push_back(row(tops, "the smallest one", [](const Args& in) { return topk(in[0], 1, 0, false).values; }, m, {{3, 1, 2}},
                     {{{3}}, {{2, 3}}, {{4, 2}}}));
}
