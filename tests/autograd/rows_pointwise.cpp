#include "xtensor_support.h"

using namespace capstan;

namespace {

OpRow pow_row(const char* form, double p, double low, const NestedList& at, const NestedList& is) {
  return {.declaration = "pow(const Tensor& x, double p)",
          .form = form,
          .f = [p](const Args& in) { return pow(in[0], p); },
          .at = {d(at)},
          .is = d(is),
          .shapes = one_shapes(),
          .same_as = by_xtensor([p](const auto& x) { return xt::pow(x, p); }),
          .low = low,
          .gap = 0.3,
          .flat = p == 0};
}

/// A function of one tensor for which xtensor has a counterpart.
template <class F, class X>
OpRow unary_row(const std::string& name, F f, X same_as, const NestedList& at, const NestedList& is, double low = -2, double gap = 0) {
  return {.declaration = name + "(const Tensor& x)",
          .f = [f](const Args& in) { return f(in[0]); },
          .at = {d(at)},
          .is = d(is),
          .shapes = one_shapes(),
          .same_as = by_xtensor(same_as),
          .low = low,
          .gap = gap};
}

/// A step function, away from its steps.
template <class F, class X>
OpRow step_row(const std::string& name, F f, X same_as, const NestedList& at, const NestedList& is) {
  OpRow row = unary_row(name, f, same_as, at, is, -1.9, 0.01);
  row.flat = true;
  return row;
}

/// The same for two tensors that broadcast.
template <class F, class X>
OpRow binary_row(const std::string& name, F f, X same_as, const Args& at, const Tensor& is, double low = -2) {
  return {.declaration = name + "(const Tensor& a, const Tensor& b)",
          .f = [f](const Args& in) { return f(in[0], in[1]); },
          .at = at,
          .is = is,
          .shapes = two_shapes(),
          .same_as = by_xtensor(same_as),
          .low = low};
}

}  // namespace

void add_pointwise_rows(std::vector<OpRow>& rows) {
  rows.push_back({.declaration = "exp(const Tensor& x)",
                  .f = [](const Args& in) { return exp(in[0]); },
                  .at = {d({0, 1, -1})},
                  .is = d({1, 2.718281828459045, 0.36787944117144233}),
                  .shapes = one_shapes(),
                  .same_as = by_xtensor([](const auto& x) { return xt::exp(x); })});
  rows.push_back({.declaration = "log(const Tensor& x)",
                  .f = [](const Args& in) { return log(in[0]); },
                  .at = {d({1, 2, 0.5})},
                  .is = d({0, 0.6931471805599453, -0.6931471805599453}),
                  .shapes = one_shapes(),
                  .same_as = by_xtensor([](const auto& x) { return xt::log(x); }),
                  .low = 0.3});
  rows.push_back({.declaration = "sqrt(const Tensor& x)",
                  .f = [](const Args& in) { return sqrt(in[0]); },
                  .at = {d({0, 4, 2.25})},
                  .is = d({0, 2, 1.5}),
                  .shapes = one_shapes(),
                  .same_as = by_xtensor([](const auto& x) { return xt::sqrt(x); }),
                  .low = 0.3});
  rows.push_back({.declaration = "square(const Tensor& x)",
                  .f = [](const Args& in) { return square(in[0]); },
                  .at = {d({0, -3, 0.5})},
                  .is = d({0, 9, 0.25}),
                  .shapes = one_shapes(),
                  .same_as = by_xtensor([](const auto& x) { return xt::square(x); })});
  rows.push_back(pow_row("p = 3", 3, -2, {2, -2, 0}, {8, -8, 0}));
  rows.push_back(pow_row("p = 2", 2, -2, {2, -2, 0}, {4, 4, 0}));
  rows.push_back(pow_row("p = 1", 1, -2, {2, -2, 0}, {2, -2, 0}));
  rows.push_back(pow_row("p = 0", 0, -2, {2, -2, 0}, {1, 1, 1}));
  rows.push_back(pow_row("p = 1.5", 1.5, 0.3, {4, 1, 0}, {8, 1, 0}));
  rows.push_back(pow_row("p = -1", -1, -2, {4, -2, 1}, {0.25, -0.5, 1}));
  rows.push_back({.declaration = "abs(const Tensor& x)",
                  .f = [](const Args& in) { return abs(in[0]); },
                  .at = {d({0, -3, 0.5})},
                  .is = d({0, 3, 0.5}),
                  .shapes = one_shapes(),
                  .same_as = by_xtensor([](const auto& x) { return xt::abs(x); }),
                  .gap = 0.1});
  rows.push_back({.declaration = "tanh(const Tensor& x)",
                  .f = [](const Args& in) { return tanh(in[0]); },
                  .at = {d({0, 1, -1})},
                  .is = d({0, 0.7615941559557649, -0.7615941559557649}),
                  .shapes = one_shapes(),
                  .same_as = by_xtensor([](const auto& x) { return xt::tanh(x); })});
  rows.push_back(unary_row(
      "expm1", [](const Tensor& x) { return expm1(x); }, [](const auto& x) { return xt::expm1(x); }, {0, 1, -1},
      {0, 1.718281828459045, -0.6321205588285577}));
  rows.push_back(unary_row(
      "log1p", [](const Tensor& x) { return log1p(x); }, [](const auto& x) { return xt::log1p(x); }, {0, 1, -0.5},
      {0, 0.6931471805599453, -0.6931471805599453}, -0.7));
  rows.push_back(unary_row(
      "rsqrt", [](const Tensor& x) { return rsqrt(x); }, [](const auto& x) { return 1.0 / xt::sqrt(x); }, {1, 4, 0.25}, {1, 0.5, 2}, 0.3));
  rows.push_back(unary_row(
      "reciprocal", [](const Tensor& x) { return reciprocal(x); }, [](const auto& x) { return 1.0 / x; }, {1, -4, 0.5}, {1, -0.25, 2}, -2,
      0.5));
  rows.push_back(unary_row(
      "sin", [](const Tensor& x) { return sin(x); }, [](const auto& x) { return xt::sin(x); }, {0, 1, -1},
      {0, 0.8414709848078965, -0.8414709848078965}));
  rows.push_back(unary_row(
      "cos", [](const Tensor& x) { return cos(x); }, [](const auto& x) { return xt::cos(x); }, {0, 1, -1},
      {1, 0.5403023058681398, 0.5403023058681398}));
  rows.push_back(unary_row(
      "erf", [](const Tensor& x) { return erf(x); }, [](const auto& x) { return xt::erf(x); }, {0, 1, -1},
      {0, 0.8427007929497149, -0.8427007929497149}));
  rows.push_back(step_row(
      "sign", [](const Tensor& x) { return sign(x); }, [](const auto& x) { return xt::sign(x); }, {0, -3, 0.5}, {0, -1, 1}));
  rows.push_back(step_row(
      "floor", [](const Tensor& x) { return floor(x); }, [](const auto& x) { return xt::floor(x); }, {0.5, -1.5, 2}, {0, -2, 2}));
  rows.push_back(step_row(
      "ceil", [](const Tensor& x) { return ceil(x); }, [](const auto& x) { return xt::ceil(x); }, {0.5, -1.5, 2}, {1, -1, 2}));
  rows.push_back(step_row(
      "round", [](const Tensor& x) { return round(x); }, [](const auto& x) { return xt::rint(x); }, {0.5, -1.5, 2.5, 2.6}, {0, -2, 2, 3}));
  rows.push_back(binary_row(
      "maximum", [](const Tensor& a, const Tensor& b) { return maximum(a, b); },
      [](const auto& a, const auto& b) { return xt::maximum(a, b); }, {d({{1, 2}, {3, 4}}), d({2, 3})}, d({{2, 3}, {3, 4}})));
  rows.push_back(binary_row(
      "minimum", [](const Tensor& a, const Tensor& b) { return minimum(a, b); },
      [](const auto& a, const auto& b) { return xt::minimum(a, b); }, {d({{1, 2}, {3, 4}}), d({2, 3})}, d({{1, 2}, {2, 3}})));
  rows.push_back(binary_row(
      "pow", [](const Tensor& a, const Tensor& b) { return pow(a, b); }, [](const auto& a, const auto& b) { return xt::pow(a, b); },
      {d({{1, 2}, {3, 4}}), d({2, 0.5})}, d({{1, 1.4142135623730951}, {9, 2}}), 0.3));
  rows.push_back({.declaration = "clamp(const Tensor& x, double low, double high)",
                  .f = [](const Args& in) { return clamp(in[0], -0.777, 1.234); },
                  .at = {d({-3, 0.5, 2})},
                  .is = d({-0.777, 0.5, 1.234}),
                  .shapes = one_shapes(),
                  .same_as = by_xtensor([](const auto& x) { return xt::clip(x, -0.777, 1.234); })});
}
