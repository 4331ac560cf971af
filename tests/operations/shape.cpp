#include "by_xtensor.h"
#include "xsort.h"

using namespace capstan;

namespace operations {

void add_shape(std::vector<Operation>& all) {
  const auto add = [&](Checked form) { all.back().table.push_back(std::move(form)); };
  const NestedList m = {{1, 2, 3}, {4, 5, 6}};
  all.push_back(
      {.name = "reshape",
       .declaration = "reshape(const Tensor& x, const Shape& shape)",
       .f = [](const Tensor& x, const Shape& shape) { return reshape(x, shape); },
       .kinds = "a",
       .asked = "s = d.shape(); n, = numbers = [int(i) for i in d.rng.permutation(s)] + [1] * d.whole(0, 1),; inputs = [d.values(s)]",
       .torch = "x.reshape(n)"});
  add({.form = "[2, 3] to [3, 2]",
       .f =
           [](const Tensors& in) {
             return reshape(in[0], Shape{3, 2});
           },
       .at = {d(m)},
       .is = d({{1, 2}, {3, 4}, {5, 6}}),
       .shapes = {{{2, 3}}, {{6}}, {{1, 2, 3}}},
       .same_as = by_xtensor([](const auto& x) {
         xt::xarray<double> y = x;
         y.reshape({3, 2});
         return y;
       })});
  add({.form = "one element",
       .f =
           [](const Tensors& in) {
             return reshape(in[0], in[0].dim() == 0 ? Shape{1, 1} : Shape{});
           },
       .at = {d({7})},
       .is = d(7),
       .shapes = {{{}}, {{1}}, {{1, 1, 1}}}});
  add({.form = "no elements",
       .f =
           [](const Tensors& in) {
             return reshape(in[0], Shape{4, 0});
           },
       .at = {empty({0}, DType::f64)},
       .is = empty({4, 0}, DType::f64),
       .shapes = {{{0}}, {{2, 0, 3}}},
       .flat = true});
  all.push_back({.name = "reshape, list",
                 .declaration = "reshape(const Tensor& x, std::initializer_list<std::int64_t> sizes)",
                 .f =
                     [](const Tensor& x, std::int64_t a, std::int64_t b, std::int64_t c, bool three) {
                       return three ? reshape(x, {a, b, c}) : reshape(x, {a, b});
                     },
                 .kinds = "a"});
  add({.f =
           [](const Tensors& in) {
             return reshape(in[0], {3, -1});
           },
       .at = {d(m)},
       .is = d({{1, 2}, {3, 4}, {5, 6}}),
       .shapes = {{{2, 3}}, {{3}}, {{0, 2}}}});

  const auto swapped = [](int a, int b) {
    return [=](const Tensors& in) {
      const auto x = x_of(in[0]);
      std::vector<std::size_t> axes(x.dimension());
      for (std::size_t i = 0; i < axes.size(); ++i) axes[i] = i;
      std::swap(axes[static_cast<std::size_t>(a < 0 ? a + in[0].dim() : a)], axes[static_cast<std::size_t>(b < 0 ? b + in[0].dim() : b)]);
      return from_xtensor(xt::transpose(x, axes));
    };
  };
  all.push_back({.name = "transpose",
                 .declaration = "transpose(const Tensor& x, int a = -2, int b = -1)",
                 .f = transpose,
                 .kinds = "a",
                 .asked = "s = d.shape(1); a, b = numbers = d.axis(s), d.axis(s); inputs = [d.values(s)]",
                 .torch = "x.transpose(a, b)"});
  add({.form = "the last two axes",
       .f = [](const Tensors& in) { return transpose(in[0]); },
       .at = {d(m)},
       .is = d({{1, 4}, {2, 5}, {3, 6}}),
       .shapes = {{{2, 3}}, {{1, 1}}, {{1, 4}}, {{4, 1}}, {{0, 3}}, {{2, 3, 4}}, {{9, 17}}, {{2, 8, 11}}},
       .same_as = swapped(-2, -1)});
  add({.form = "the first and the last axis",
       .f = [](const Tensors& in) { return transpose(in[0], 0, -1); },
       .at = {d({{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}})},
       .is = d({{{1, 5}, {3, 7}}, {{2, 6}, {4, 8}}}),
       .shapes = {{{4}}, {{2, 3}}, {{2, 3, 4}}, {{2, 0, 3}}, {{2, 3, 1, 2}}},
       .same_as = swapped(0, -1)});
  add({.form = "the second axis and the first",
       .f = [](const Tensors& in) { return transpose(in[0], 1, 0); },
       .at = {d({{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}})},
       .is = d({{{1, 2}, {5, 6}}, {{3, 4}, {7, 8}}}),
       .shapes = {{{2, 3}}, {{2, 3, 4}}, {{2, 1, 3, 2}}, {{2, 3, 1, 2, 1, 2}}},
       .same_as = swapped(1, 0)});
  add({.form = "an axis with itself",
       .f = [](const Tensors& in) { return transpose(in[0], 0, 0); },
       .at = {d(m)},
       .is = d(m),
       .shapes = {{{3}}, {{2, 3}}},
       .same_as = swapped(0, 0)});

  all.push_back({.name = "rows",
                 .declaration = "rows(const Tensor& x, std::int64_t begin, std::int64_t end)",
                 .f = capstan::rows,
                 .kinds = "a",
                 .asked = "s = d.shape(1); i = d.whole(0, s[0]); j = d.whole(i, s[0]); inputs, numbers = [d.values(s)], [i, j]",
                 .torch = "x[i:j]"});
  add({.form = "[1, 3)",
       .f = [](const Tensors& in) { return capstan::rows(in[0], 1, 3); },
       .at = {d({{1, 2}, {3, 4}, {5, 6}, {7, 8}})},
       .is = d({{3, 4}, {5, 6}}),
       .shapes = {{{3}}, {{4}}, {{4, 2}}, {{3, 2, 2}}, {{5, 0}}},
       .same_as = by_xtensor([](const auto& x) { return xt::view(x, xt::range(1, 3)); })});
  add({.form = "all and none",
       .f = [](const Tensors& in) { return sum(capstan::rows(in[0], 0, in[0].size(0))) + sum(capstan::rows(in[0], 1, 1)); },
       .at = {d({{1, 2}, {3, 4}})},
       .is = d(10),
       .shapes = {{{1}}, {{2, 3}}}});
}

}  // namespace operations
