#include "../numbers.h"
#include "operators.h"

using namespace capstan;

namespace operations {

namespace {

/// A comparison of 1, 2, 3 (3, 2, 1 on the right) with 2.
template <class F, class X>
void add_comparison(std::vector<Row>& rows, const std::string& op, F f, X same_as, const NestedList& is) {
  const Tensor up = d({1, 2, 3}), down = d({3, 2, 1}), result = booleans(is);
  add_operator(rows, op, f, same_as, {.at = {up, d(2)}, .is = result}, {.numbers = {2}, .at = {up}, .is = result}, {},
               {.numbers = {2}, .at = {down}, .is = result}, {});
}

/// Two tensors of booleans joined.
void add_logic(std::vector<Row>& rows, const std::string& name, Tensor (*f)(const Tensor&, const Tensor&), const NestedList& is) {
  rows.push_back({.name = name,
                  .declaration = name + "(const Tensor& a, const Tensor& b)",
                  .f = [f](const Tensor& a, const Tensor& b) { return f(a, b); },
                  .torch = "torch." + name + "(x, y)",
                  .kinds = "bb",
                  .cases = {{.at = {booleans({{1}, {0}}), booleans({1, 0})}, .is = booleans(is)}}});
}

}  // namespace

void add_compare(std::vector<Row>& rows) {
  add_comparison(
      rows, "==", [](const auto& a, const auto& b) { return a == b; },
      [](const auto& a, const auto& b) { return xt::xarray<bool>(xt::equal(a, b)); }, {0, 1, 0});
  add_comparison(
      rows, "!=", [](const auto& a, const auto& b) { return a != b; },
      [](const auto& a, const auto& b) { return xt::xarray<bool>(xt::not_equal(a, b)); }, {1, 0, 1});
  add_comparison(
      rows, "<", [](const auto& a, const auto& b) { return a < b; }, [](const auto& a, const auto& b) { return xt::xarray<bool>(a < b); },
      {1, 0, 0});
  add_comparison(
      rows, "<=", [](const auto& a, const auto& b) { return a <= b; },
      [](const auto& a, const auto& b) { return xt::xarray<bool>(a <= b); }, {1, 1, 0});
  add_comparison(
      rows, ">", [](const auto& a, const auto& b) { return a > b; }, [](const auto& a, const auto& b) { return xt::xarray<bool>(a > b); },
      {0, 0, 1});
  add_comparison(
      rows, ">=", [](const auto& a, const auto& b) { return a >= b; },
      [](const auto& a, const auto& b) { return xt::xarray<bool>(a >= b); }, {0, 1, 1});
  add_logic(rows, "logical_and", logical_and, {{1, 0}, {0, 0}});
  add_logic(rows, "logical_or", logical_or, {{1, 1}, {1, 0}});
  add_logic(rows, "logical_xor", logical_xor, {{0, 1}, {1, 0}});
  rows.push_back({.name = "logical_not",
                  .f = [](const Tensor& x) { return logical_not(x); },
                  .torch = "torch.logical_not(x)",
                  .kinds = "b",
                  .cases = {{.at = {booleans({1, 0})}, .is = booleans({0, 1})}}});
  rows.push_back({.name = "isfinite",
                  .f = [](const Tensor& x) { return isfinite(x); },
                  .torch = "torch.isfinite(x)",
                  .kinds = "a",
                  .cases = {{.at = {d({1, INFINITY, -INFINITY, NAN, -0.0})}, .is = booleans({1, 0, 0, 0, 1})}}});
}

void add_where(std::vector<Operation>& all) {
  const auto add = [&](Checked form) { all.back().table.push_back(std::move(form)); };
  all.push_back({.name = "where",
                 .declaration = "where(const Tensor& condition, const Tensor& a, const Tensor& b)",
                 .f = where,
                 .kinds = "baa",
                 .asked = "s = d.shape(); inputs = [d.booleans(d.beside(s)), d.values(s), d.values(d.beside(s))]",
                 .torch = "torch.where(x, y, z)"});
  add({.form = "a condition of the first one's shape",
       .f = [](const Tensors& in) { return where(numbers(in[0].shape(), -1, 1, 7) > 0, in[0], in[1]); },  // 0.3, -0.5
       .at = {d({1, 2}), d({{10, 20}, {30, 40}})},
       .is = d({{1, 20}, {1, 40}}),
       .shapes = two_shapes(),
       .same_as = by_xtensor([](const auto& a, const auto& b) {
         const Tensor n = numbers({static_cast<std::int64_t>(a.size())}, -1, 1, 7);
         xt::xarray<double> sign = a;
         std::copy(n.data<double>(), n.data<double>() + n.numel(), sign.begin());
         return xt::xarray<double>(xt::where(sign > 0.0, a, b));
       })});
  add({.form = "a condition that is broadcast",
       .f =
           [](const Tensors& in) {
             return where(tensor({{1}, {0}}, DType::boolean), in[0], in[1]);
           },
       .at = {d({1, 2}), d({10, 20})},
       .is = d({{1, 2}, {10, 20}}),
       .shapes = {{{}, {}}, {{3}, {3}}, {{2, 3}, {1}}, {{1}, {2, 3}}, {{4, 1, 3}, {2, 1}}, {{2, 0}, {1}}}});
}

}  // namespace operations
