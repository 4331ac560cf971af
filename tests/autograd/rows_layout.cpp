// Elements in another arrangement; concat, stack and split.
#include "xtensor_support.h"

#if __has_include(<xtensor/misc/xmanipulation.hpp>)
#include <xtensor/misc/xmanipulation.hpp>
#else
#include <xtensor/xmanipulation.hpp>
#endif

using namespace capstan;

namespace {

using Array = xt::xarray<double>;
using Call = std::function<Tensor(const Args&)>;
const NestedList m = {{1, 2, 3}, {4, 5, 6}};

OpRow row(const char* declaration, const char* form, Call f, const NestedList& at, const NestedList& is,
          const std::vector<std::vector<Shape>>& shapes, Call same_as = {}) {
  return {.declaration = declaration,
          .form = form,
          .f = std::move(f),
          .at = {d(at)},
          .is = d(is),
          .shapes = shapes,
          .same_as = std::move(same_as)};
}

OpRow permute_row(const char* form, std::vector<int> order, const NestedList& at, const NestedList& is,
                  const std::vector<std::vector<Shape>>& shapes) {
  return row(
      "permute(const Tensor& x, Axes order)", form, [order](const Args& in) { return permute(in[0], order); }, at, is, shapes,
      by_xtensor([order](const auto& x) {
        std::vector<std::size_t> axes;
        for (const int a : order) axes.push_back(static_cast<std::size_t>(a < 0 ? a + static_cast<int>(x.dimension()) : a));
        return Array(xt::transpose(x, axes));
      }));
}

/// All parts along an axis, the k-th times k + 1, joined again.
Tensor joined(const std::vector<Tensor>& parts, int axis) {
  std::vector<Tensor> scaled;
  for (std::size_t k = 0; k < parts.size(); ++k) scaled.push_back(parts[k] * static_cast<double>(k + 1));
  return concat(scaled, axis);
}

}  // namespace

void add_layout_rows(std::vector<OpRow>& rows) {
  rows.push_back(permute_row("the axes of a matrix", {1, 0}, m, {{1, 4}, {2, 5}, {3, 6}}, {{{2, 3}}, {{1, 4}}, {{0, 3}}, {{9, 17}}}));
  rows.push_back(permute_row("a cycle of three", {2, 0, -2}, {{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}}, {{{1, 3}, {5, 7}}, {{2, 4}, {6, 8}}},
                             {{{2, 3, 4}}, {{1, 3, 2}}, {{2, 0, 3}}, {{4, 1, 1}}}));
  rows.push_back(permute_row("as it is", {0, 1}, m, m, {{{2, 3}}, {{1, 1}}}));
  rows.push_back(permute_row("six axes", {5, 3, 0, 1, 4, 2}, {{{{{{1, 2}}}}}}, {{{{{{1}}}}}, {{{{{2}}}}}}, {{{1, 2, 3, 2, 1, 2}}}));
  rows.push_back({.declaration = "permute(const Tensor& x, Axes order)",
                  .form = "a scalar",
                  .f = [](const Args& in) { return permute(in[0], {}); },
                  .at = {d(3)},
                  .is = d(3),
                  .shapes = {{{}}}});
  const char* squeezed = "squeeze(const Tensor& x, Axes axes = {})";
  rows.push_back(row(
      squeezed, "all axes", [](const Args& in) { return squeeze(in[0]); }, {{{1}, {2}}}, {1, 2}, one_shapes()));
  rows.push_back(row(squeezed, "the last and the first",
                     [](const Args& in) {
                       return squeeze(in[0], {-1, 0});
                     },
                     {{{1}, {2}}}, {1, 2}, {{{1, 2, 1}}, {{1, 3}}, {{3, 1}}, {{2, 3}}, {{1, 0, 1}}, {{1, 1, 1}}}));
  const char* unsqueezed = "unsqueeze(const Tensor& x, int axis)";
  rows.push_back(
      row(unsqueezed, "0", [](const Args& in) { return unsqueeze(in[0], 0); }, {1, 2}, {{1, 2}}, {{{}}, {{3}}, {{2, 3}}, {{0}}}));
  rows.push_back(row(unsqueezed, "-1", [](const Args& in) { return unsqueeze(in[0], -1); }, {1, 2}, {{1}, {2}}, {{{}}, {{3}}, {{2, 3}}}));
  rows.push_back(
      row(unsqueezed, "-2", [](const Args& in) { return unsqueeze(in[0], -2); }, m, {{{1, 2, 3}}, {{4, 5, 6}}}, {{{3}}, {{2, 3}}}));
  const char* expanded = "expand(const Tensor& x, const Shape& shape)";
  rows.push_back(row(
      expanded, "to [2, 3, 2]",
      [](const Args& in) {
        return expand(in[0], {2, 3, 2});
      },
      {{1, 2}}, {{{1, 2}, {1, 2}, {1, 2}}, {{1, 2}, {1, 2}, {1, 2}}},
      {{{}}, {{1}}, {{2}}, {{3, 2}}, {{3, 1}}, {{1, 2}}, {{2, 1, 1}}, {{2, 3, 2}}, {{1, 1, 1}}}, by_xtensor([](const auto& x) {
        return Array(xt::broadcast(x, {2, 3, 2}));
      })));
  rows.push_back({.declaration = expanded,
                  .form = "to no elements",
                  .f =
                      [](const Args& in) {
                        return expand(in[0], {0, 2});
                      },
                  .at = {d({1, 2})},
                  .is = empty({0, 2}, DType::f64),
                  .shapes = {{{2}}, {{}}, {{1, 2}}, {{0, 1}}},
                  .flat = true});
  const char* repeated = "repeat(const Tensor& x, const std::vector<std::int64_t>& counts)";
  rows.push_back(row(
      repeated, "2, 3",
      [](const Args& in) {
        return repeat(in[0], {2, 3});
      },
      {{1, 2}}, {{1, 2, 1, 2, 1, 2}, {1, 2, 1, 2, 1, 2}}, {{{}}, {{3}}, {{2, 3}}, {{1, 1}}, {{0, 2}}, {{3, 0}}},
      [](const Args& in) {
        const Tensor x = in[0].dim() == 0 ? in[0].reshape({1}) : in[0];
        const Array wide = xt::concatenate(xt::xtuple(x_of(x), x_of(x), x_of(x)), static_cast<std::size_t>(x.dim() - 1));
        const Array row = in[0].dim() < 2 ? Array(xt::view(wide, xt::newaxis())) : wide;
        return from_xtensor(xt::concatenate(xt::xtuple(row, row), 0));
      }));
  rows.push_back(row(repeated, "2, 1, 2",
                     [](const Args& in) {
                       return repeat(in[0], {2, 1, 2});
                     },
                     {{1, 2}, {3, 4}}, {{{1, 2, 1, 2}, {3, 4, 3, 4}}, {{1, 2, 1, 2}, {3, 4, 3, 4}}}, {{{3}}, {{2, 3}}, {{2, 3, 2}}}));
  rows.push_back(row(repeated, "once", [](const Args& in) { return repeat(in[0], {1, 1}); }, m, m, {{{2, 3}}}));
  rows.push_back({.declaration = repeated,
                  .form = "not at all",
                  .f =
                      [](const Args& in) {
                        return repeat(in[0], {2, 0});
                      },
                  .at = {d({1, 2})},
                  .is = empty({2, 0}, DType::f64),
                  .shapes = {{{2}}, {{2, 3}}},
                  .flat = true});
  const char* turned = "flip(const Tensor& x, Axes axes = {})";
  rows.push_back(row(
      turned, "all axes", [](const Args& in) { return flip(in[0]); }, m, {{6, 5, 4}, {3, 2, 1}}, one_shapes()));
  rows.push_back(row(
      turned, "0", [](const Args& in) { return flip(in[0], 0); }, m, {{4, 5, 6}, {1, 2, 3}}, {{{3}}, {{2, 3}}, {{3, 2, 2}}, {{0, 2}}},
      by_xtensor([](const auto& x) { return Array(xt::flip(x, 0)); })));
  rows.push_back(row(
      turned, "-1 and 0",
      [](const Args& in) {
        return flip(in[0], {-1, 0});
      },
      m, {{6, 5, 4}, {3, 2, 1}}, {{{2, 3}}, {{3, 2, 2}}},
      by_xtensor([](const auto& x) { return Array(xt::flip(Array(xt::flip(x, 0)), x.dimension() - 1)); })));
  const char* sliced = "slice(const Tensor& x, int axis, std::int64_t begin, std::int64_t end, std::int64_t step = 1)";
  rows.push_back(row(
      sliced, "columns", [](const Args& in) { return slice(in[0], -1, 1, 3); }, m, {{2, 3}, {5, 6}},
      {{{3}}, {{2, 3}}, {{2, 2, 4}}, {{0, 3}}}, by_xtensor([](const auto& x) {
        return Array(xt::strided_view(x, {xt::ellipsis(), xt::range(1, 3)}));
      })));
  rows.push_back(row(
      sliced, "every second", [](const Args& in) { return slice(in[0], 1, 0, in[0].size(1), 2); }, m, {{1, 3}, {4, 6}},
      {{{2, 3}}, {{2, 4}}, {{2, 5, 2}}, {{3, 1}}, {{2, 0}}},
      by_xtensor([](const auto& x) { return Array(xt::view(x, xt::all(), xt::range(xt::placeholders::_, xt::placeholders::_, 2))); })));
  rows.push_back(row(sliced, "every third of a part", [](const Args& in) { return slice(in[0], 0, 1, 6, 3); }, {1, 2, 3, 4, 5, 6, 7},
                     {2, 5}, {{{6}}, {{7, 2}}}));
  const char* padded = "pad(const Tensor& x, const std::vector<std::int64_t>& widths, double value = 0)";
  rows.push_back(row(padded, "the last axis",
                     [](const Args& in) {
                       return pad(in[0], {1, 2});
                     },
                     m, {{0, 1, 2, 3, 0, 0}, {0, 4, 5, 6, 0, 0}}, {{{3}}, {{2, 3}}, {{2, 1, 3}}, {{0}}, {{2, 0}}}));
  rows.push_back(row(padded, "both axes",
                     [](const Args& in) {
                       return pad(in[0], {0, 1, 2, 0}, 7);
                     },
                     {{1, 2}}, {{7, 7, 7}, {7, 7, 7}, {1, 2, 7}}, {{{1, 2}}, {{2, 3}}, {{2, 1, 3}}}));
  rows.push_back(row(padded, "nothing", [](const Args& in) { return pad(in[0], {}); }, 3, 3, {{{}}, {{2}}}));
  const std::vector<std::vector<Shape>> matrices = {{{3, 3}}, {{2, 4}}, {{4, 2}}, {{2, 3, 3}}, {{1, 1}}, {{0, 3}}, {{3, 0}}};
  const NestedList square = {{1, 2, 3}, {4, 5, 6}, {7, 8, 9}};
  for (const int k : {0, 1, -1}) {
    const std::string form = "k = " + std::to_string(k);
    const NestedList lower[] = {{{1, 0, 0}, {4, 5, 0}, {7, 8, 9}}, {{1, 2, 0}, {4, 5, 6}, {7, 8, 9}}, {{0, 0, 0}, {4, 0, 0}, {7, 8, 0}}};
    const NestedList upper[] = {{{1, 2, 3}, {0, 5, 6}, {0, 0, 9}}, {{0, 2, 3}, {0, 0, 6}, {0, 0, 0}}, {{1, 2, 3}, {4, 5, 6}, {0, 8, 9}}};
    const int at = k == 0 ? 0 : k == 1 ? 1 : 2;
    rows.push_back(row(
        "tril(const Tensor& x, std::int64_t k = 0)", form.c_str(), [k](const Args& in) { return k ? tril(in[0], k) : tril(in[0]); }, square,
        lower[at], matrices));
    rows.push_back(row(
        "triu(const Tensor& x, std::int64_t k = 0)", form.c_str(), [k](const Args& in) { return k ? triu(in[0], k) : triu(in[0]); }, square,
        upper[at], matrices));
  }
  const char* joins = "concat(const std::vector<Tensor>& xs, int axis = 0)";
  rows.push_back(
      {.declaration = joins,
       .form = "axis 0",
       .f = [](const Args& in) { return concat(in); },
       .at = {d({{1, 2}}), d({{3, 4}, {5, 6}})},
       .is = d({{1, 2}, {3, 4}, {5, 6}}),
       .shapes = {{{3}, {2}}, {{1}, {1}}, {{2, 3}, {1, 3}}, {{0, 2}, {3, 2}}, {{2, 2}, {0, 2}}, {{2, 0}, {3, 0}}, {{2, 2, 2}, {2, 2, 2}}},
       .same_as = by_xtensor([](const auto& a, const auto& b) { return Array(xt::concatenate(xt::xtuple(a, b), 0)); })});
  rows.push_back({.declaration = joins,
                  .form = "axis -1, three",
                  .f =
                      [](const Args& in) {
                        return concat({in[0], in[1], in[0]}, -1);
                      },
                  .at = {d({{1}, {2}}), d({{3, 4}, {5, 6}})},
                  .is = d({{1, 3, 4, 1}, {2, 5, 6, 2}}),
                  .shapes = {{{3}, {2}}, {{2, 3}, {2, 1}}, {{2, 1, 2}, {2, 1, 3}}, {{2, 0}, {2, 2}}}});
  const char* stacked = "stack(const std::vector<Tensor>& xs, int axis = 0)";
  rows.push_back({.declaration = stacked,
                  .form = "axis 0",
                  .f = [](const Args& in) { return stack(in); },
                  .at = {d({1, 2}), d({3, 4})},
                  .is = d({{1, 2}, {3, 4}}),
                  .shapes = {{{}, {}}, {{3}, {3}}, {{2, 3}, {2, 3}}, {{0}, {0}}},
                  .same_as = by_xtensor([](const auto& a, const auto& b) { return Array(xt::stack(xt::xtuple(a, b), 0)); })});
  rows.push_back({.declaration = stacked,
                  .form = "axis -1",
                  .f = [](const Args& in) { return stack(in, -1); },
                  .at = {d({1, 2}), d({3, 4})},
                  .is = d({{1, 3}, {2, 4}}),
                  .shapes = {{{}, {}}, {{3}, {3}}, {{2, 3}, {2, 3}}, {{2, 0}, {2, 0}}}});
  rows.push_back(row("split(const Tensor& x, std::int64_t size, int axis = 0)", "rows",
                     [](const Args& in) { return joined(split(in[0], 2), 0); }, {1, 2, 3, 4, 5}, {1, 2, 6, 8, 15},
                     {{{4}}, {{5, 2}}, {{1}}, {{0, 2}}, {{2, 0}}}));
  rows.push_back(row("split(const Tensor& x, std::int64_t size, int axis = 0)", "columns",
                     [](const Args& in) { return joined(split(in[0], 2, -1), -1); }, m, {{1, 2, 6}, {4, 5, 12}},
                     {{{3}}, {{2, 3}}, {{2, 2, 5}}}));
  rows.push_back(row("split(const Tensor& x, const std::vector<std::int64_t>& sizes, int axis = 0)", "",
                     [](const Args& in) {
                       return joined(split(in[0], {1, 0, 2}, 1), 1);
                     },
                     m, {{1, 6, 9}, {4, 15, 18}}, {{{2, 3}}, {{2, 3, 2}}, {{0, 3}}}));
}
