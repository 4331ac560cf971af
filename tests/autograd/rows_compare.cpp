#include "xtensor_support.h"

using namespace capstan;

namespace {

Tensor booleans(const NestedList& list) { return tensor(list, DType::boolean); }

/// A comparison of f64 tensors; the xtensor form gives an array of bool.
template <class F, class X>
void add_comparison(std::vector<OpRow>& rows, const std::string& op, F f, X same_as, const NestedList& is) {
  const auto row = [&](const std::string& arguments, const std::string& form, std::function<Tensor(const Args&)> call, const Args& at,
                       const NestedList& result, const std::vector<std::vector<Shape>>& shapes, std::function<Tensor(const Args&)> same) {
    rows.push_back({.declaration = "operator" + op + "(" + arguments + ")",
                    .form = form,
                    .f = std::move(call),
                    .at = at,
                    .is = booleans(result),
                    .shapes = shapes,
                    .same_as = std::move(same),
                    .has_gradient = false});
  };
  const NestedList one_to_three = {1, 2, 3}, three_to_one = {3, 2, 1};
  row(
      "const Tensor& a, const Tensor& b", "", [f](const Args& in) { return f(in[0], in[1]); }, {d(one_to_three), d(2)}, is, two_shapes(),
      by_xtensor([same_as](const auto& a, const auto& b) { return same_as(a, b); }));
  row(
      "const Tensor& a, double b", "", [f](const Args& in) { return f(in[0], 2.0); }, {d(one_to_three)}, is, one_shapes(),
      by_xtensor([same_as](const auto& a) { return same_as(a, 2.0); }));
  row(
      "double a, const Tensor& b", "", [f](const Args& in) { return f(2.0, in[0]); }, {d(three_to_one)}, is, one_shapes(),
      by_xtensor([same_as](const auto& b) { return same_as(2.0, b); }));
}

/// Two tensors of numbers made booleans, joined.
template <class F>
OpRow logic_row(const std::string& name, F f, const NestedList& is) {
  return {.declaration = name + "(const Tensor& a, const Tensor& b)",
          .f = [f](const Args& in) { return f(in[0] > 0, in[1] > 0); },
          .at = {d({{1}, {-1}}), d({1, -1})},
          .is = booleans(is),
          .shapes = two_shapes(),
          .has_gradient = false};
}

}  // namespace

void add_compare_rows(std::vector<OpRow>& rows) {
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
  rows.push_back(logic_row("logical_and", [](const Tensor& a, const Tensor& b) { return logical_and(a, b); }, {{1, 0}, {0, 0}}));
  rows.push_back(logic_row("logical_or", [](const Tensor& a, const Tensor& b) { return logical_or(a, b); }, {{1, 1}, {1, 0}}));
  rows.push_back(logic_row("logical_xor", [](const Tensor& a, const Tensor& b) { return logical_xor(a, b); }, {{0, 1}, {1, 0}}));
  rows.push_back({.declaration = "logical_not(const Tensor& x)",
                  .f = [](const Args& in) { return logical_not(in[0] > 0); },
                  .at = {d({1, -1})},
                  .is = booleans({0, 1}),
                  .shapes = one_shapes(),
                  .has_gradient = false});
  rows.push_back({.declaration = "isfinite(const Tensor& x)",
                  .f = [](const Args& in) { return isfinite(in[0]); },
                  .at = {d({1, INFINITY, -INFINITY, NAN, -0.0})},
                  .is = booleans({1, 0, 0, 0, 1}),
                  .shapes = one_shapes(),
                  .has_gradient = false});
  const char* where_of = "where(const Tensor& condition, const Tensor& a, const Tensor& b)";
  rows.push_back({.declaration = where_of,
                  .form = "a condition of the first one's shape",
                  .f = [](const Args& in) { return where(numbers(in[0].shape(), -1, 1, 7) > 0, in[0], in[1]); },  // 0.3, -0.5
                  .at = {d({1, 2}), d({{10, 20}, {30, 40}})},
                  .is = d({{1, 20}, {1, 40}}),
                  .shapes = two_shapes(),
                  .same_as = by_xtensor([](const auto& a, const auto& b) {
                    const Tensor n = numbers({static_cast<std::int64_t>(a.size())}, -1, 1, 7);
                    xt::xarray<double> sign = a;
                    std::copy(n.data<double>(), n.data<double>() + n.numel(), sign.begin());
                    return xt::xarray<double>(xt::where(sign > 0.0, a, b));
                  })});
  rows.push_back({.declaration = where_of,
                  .form = "a condition that is broadcast",
                  .f =
                      [](const Args& in) {
                        return where(booleans({{1}, {0}}), in[0], in[1]);
                      },
                  .at = {d({1, 2}), d({10, 20})},
                  .is = d({{1, 2}, {10, 20}}),
                  .shapes = {{{}, {}}, {{3}, {3}}, {{2, 3}, {1}}, {{1}, {2, 3}}, {{4, 1, 3}, {2, 1}}, {{2, 0}, {1}}}});
}
