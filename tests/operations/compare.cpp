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

}  // namespace operations
