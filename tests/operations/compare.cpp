#include "by_xtensor.h"

using namespace capstan;

namespace operations {

namespace {

/// A comparison of two tensors, of a tensor and a number, of a number and a tensor; of 1, 2, 3 (3, 2, 1 on the right) with 2.
template <class F, class X>
void add_comparison(std::vector<Row>& rows, const std::string& op, F f, X same_as, const NestedList& is) {
  const std::string name = "operator" + op, numbers = "[d.whole(-3, 3) + 0.5]";
  const Tensor right = d({1, 2, 3}), left = d({3, 2, 1});
  rows.push_back({.name = name,
                  .declaration = name + "(const Tensor& a, const Tensor& b)",
                  .f = [f](const Tensor& a, const Tensor& b) { return f(a, b); },
                  .torch = "x " + op + " y",
                  .kinds = "aa",
                  .same_as = by_xtensor([same_as](const auto& a, const auto& b) { return same_as(a, b); }),
                  .cases = {{.at = {right, d(2)}, .is = booleans(is)}}});
  rows.push_back({.name = name + ", number right",
                  .declaration = name + "(const Tensor& a, double b)",
                  .f = [f](const Tensor& a, double b) { return f(a, b); },
                  .torch = "x " + op + " p",
                  .numbers = numbers,
                  .kinds = "a",
                  .same_as = by_xtensor([same_as](const auto& a, const double& b) { return same_as(a, b); }),
                  .cases = {{.numbers = {2}, .at = {right}, .is = booleans(is)}}});
  rows.push_back({.name = name + ", number left",
                  .declaration = name + "(double a, const Tensor& b)",
                  .f = [f](double a, const Tensor& b) { return f(a, b); },
                  .torch = "p " + op + " x",
                  .numbers = numbers,
                  .kinds = "a",
                  .same_as = by_xtensor([same_as](const double& a, const auto& b) { return same_as(a, b); }),
                  .cases = {{.numbers = {2}, .at = {left}, .is = booleans(is)}}});
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
