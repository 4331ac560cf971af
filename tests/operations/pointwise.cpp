#include "by_xtensor.h"

using namespace capstan;

namespace operations {

namespace {

constexpr double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();

/// x^p by hand.
Case power(double p, const NestedList& at, const NestedList& is, double low = -2) {
  return {.numbers = {p}, .at = {d(at)}, .is = d(is), .low = low, .gap = 0.3, .flat = p == 0};
}

}  // namespace

void add_pointwise(std::vector<Row>& rows) {
  rows.push_back({.name = "exp",
                  .f = [](const Tensor& x) { return exp(x); },
                  .torch = "torch.exp(x)",
                  .exact = [](auto x) { return std::exp(x); },
                  .ulps = 2,
                  .cases = {{.at = {d({0, 1, -1})}, .is = d({1, 2.718281828459045, 0.36787944117144233})}},
                  .edges = {0, 1, 1, inf}});
  rows.push_back({.name = "log",
                  .f = [](const Tensor& x) { return log(x); },
                  .torch = "torch.log(x)",
                  .exact = [](auto x) { return std::log(x); },
                  .ulps = 2,
                  .cases = {{.at = {d({1, 2, 0.5})}, .is = d({0, 0.6931471805599453, -0.6931471805599453}), .low = 0.3}},
                  .edges = {nan, -inf, -inf, inf}});
  rows.push_back({.name = "log2",
                  .f = [](const Tensor& x) { return log2(x); },
                  .torch = "torch.log2(x)",
                  .exact = [](auto x) { return std::log2(x); },
                  .ulps = 1,
                  .cases = {{.at = {d({1, 2, 0.5})}, .is = d({0, 1, -1}), .low = 0.3}},
                  .edges = {nan, -inf, -inf, inf}});
  rows.push_back({.name = "log10",
                  .f = [](const Tensor& x) { return log10(x); },
                  .torch = "torch.log10(x)",
                  .exact = [](auto x) { return std::log10(x); },
                  .ulps = 2.5,  // glibc 2.36's log10f: 2.0642 at 0.98225, the worst of all floats
                  .cases = {{.at = {d({1, 10, 0.1})}, .is = d({0, 1, -1}), .low = 0.3}},
                  .edges = {nan, -inf, -inf, inf}});
  rows.push_back({.name = "sqrt",
                  .f = [](const Tensor& x) { return sqrt(x); },
                  .torch = "torch.sqrt(x)",
                  .exact = [](auto x) { return std::sqrt(x); },
                  .ulps = 0.5,
                  .cases = {{.at = {d({0, 4, 2.25})}, .is = d({0, 2, 1.5}), .low = 0.3}},
                  .edges = {nan, -0., 0, inf}});
  rows.push_back({.name = "square",
                  .f = [](const Tensor& x) { return square(x); },
                  .torch = "torch.square(x)",
                  .exact = [](auto x) { return x * x; },
                  .ulps = 0.5,
                  .cases = {{.at = {d({0, -3, 0.5})}, .is = d({0, 9, 0.25})}},
                  .edges = {inf, 0, 0, inf}});
  rows.push_back({.name = "pow, number",
                  .declaration = "pow(const Tensor& x, double p)",
                  .f = [](const Tensor& x, double p) { return pow(x, p); },
                  .torch = "x ** p",
                  .numbers = "[float(d.rng.choice([-2, -1, -0.5, 0, 0.5, 1, 1.7, 2, 3]))]",
                  .same_as = by_xtensor([](const auto& x, const double& p) { return xt::pow(x, p); }),
                  .cases = {power(1.5, {4, 1, 0}, {8, 1, 0}, 0.3), power(3, {2, -2, 0}, {8, -8, 0}), power(2, {2, -2, 0}, {4, 4, 0}),
                            power(1, {2, -2, 0}, {2, -2, 0}), power(0, {2, -2, 0}, {1, 1, 1}), power(-1, {4, -2, 1}, {0.25, -0.5, 1})},
                  .edges = {inf, 0, 0, inf}});
  rows.push_back({.name = "pow",
                  .declaration = "pow(const Tensor& a, const Tensor& b)",
                  .f = [](const Tensor& a, const Tensor& b) { return pow(a, b); },
                  .torch = "torch.pow(x, y)",
                  .kinds = "ff",
                  .same_as = by_xtensor([](const auto& a, const auto& b) { return xt::pow(a, b); }),
                  .cases = {{.at = {d({{1, 2}, {3, 4}}), d({2, 0.5})}, .is = d({{1, 1.4142135623730951}, {9, 2}}), .low = 0.3}}});
  rows.push_back({.name = "abs",
                  .f = [](const Tensor& x) { return abs(x); },
                  .torch = "torch.abs(x)",
                  .exact = [](auto x) { return std::abs(x); },
                  .ulps = 0,
                  .cases = {{.at = {d({0, -3, 0.5})}, .is = d({0, 3, 0.5}), .gap = 0.1}},
                  .edges = {inf, 0, 0, inf}});
  rows.push_back({.name = "tanh",
                  .f = [](const Tensor& x) { return tanh(x); },
                  .torch = "torch.tanh(x)",
                  .exact = [](auto x) { return std::tanh(x); },
                  .ulps = 3,
                  .cases = {{.at = {d({0, 1, -1})}, .is = d({0, 0.7615941559557649, -0.7615941559557649})}},
                  .edges = {-1, -0., 0, 1}});
  rows.push_back({.name = "sinh",
                  .f = [](const Tensor& x) { return sinh(x); },
                  .torch = "torch.sinh(x)",
                  .exact = [](auto x) { return std::sinh(x); },
                  .ulps = 2,
                  .cases = {{.at = {d({0, 1, -1})}, .is = d({0, 1.1752011936438014, -1.1752011936438014})}},
                  .edges = {-inf, -0., 0, inf}});
  rows.push_back({.name = "cosh",
                  .f = [](const Tensor& x) { return cosh(x); },
                  .torch = "torch.cosh(x)",
                  .exact = [](auto x) { return std::cosh(x); },
                  .ulps = 2,
                  .cases = {{.at = {d({0, 1, -1})}, .is = d({1, 1.5430806348152437, 1.5430806348152437})}},
                  .edges = {inf, 1, 1, inf}});
  rows.push_back({.name = "expm1",
                  .f = [](const Tensor& x) { return expm1(x); },
                  .torch = "torch.expm1(x)",
                  .exact = [](auto x) { return std::expm1(x); },
                  .ulps = 2,
                  .cases = {{.at = {d({0, 1, -1})}, .is = d({0, 1.718281828459045, -0.6321205588285577})}},
                  .edges = {-1, -0., 0, inf}});
  rows.push_back({.name = "log1p",
                  .f = [](const Tensor& x) { return log1p(x); },
                  .torch = "torch.log1p(x)",
                  .exact = [](auto x) { return std::log1p(x); },
                  .ulps = 3,
                  .cases = {{.at = {d({0, 1, -0.5})}, .is = d({0, 0.6931471805599453, -0.6931471805599453}), .low = -0.7}},
                  .edges = {nan, -0., 0, inf}});
  rows.push_back({.name = "rsqrt",
                  .f = [](const Tensor& x) { return rsqrt(x); },
                  .torch = "torch.rsqrt(x)",
                  .exact = [](auto x) { return 1 / std::sqrt(x); },
                  .ulps = 1.5,
                  .cases = {{.at = {d({1, 4, 0.25})}, .is = d({1, 0.5, 2}), .low = 0.3}},
                  .edges = {nan, -inf, inf, 0}});
  rows.push_back({.name = "reciprocal",
                  .f = [](const Tensor& x) { return reciprocal(x); },
                  .torch = "torch.reciprocal(x)",
                  .exact = [](auto x) { return 1 / x; },
                  .ulps = 0.5,
                  .cases = {{.at = {d({1, -4, 0.5})}, .is = d({1, -0.25, 2}), .gap = 0.5}},
                  .edges = {-0., -inf, inf, 0}});
  rows.push_back({.name = "sin",
                  .f = [](const Tensor& x) { return sin(x); },
                  .torch = "torch.sin(x)",
                  .exact = [](auto x) { return std::sin(x); },
                  .ulps = 1,
                  .cases = {{.at = {d({0, 1, -1})}, .is = d({0, 0.8414709848078965, -0.8414709848078965})}},
                  .edges = {nan, -0., 0, nan}});
  rows.push_back({.name = "cos",
                  .f = [](const Tensor& x) { return cos(x); },
                  .torch = "torch.cos(x)",
                  .exact = [](auto x) { return std::cos(x); },
                  .ulps = 1,
                  .cases = {{.at = {d({0, 1, -1})}, .is = d({1, 0.5403023058681398, 0.5403023058681398})}},
                  .edges = {nan, 1, 1, nan}});
  rows.push_back({.name = "tan",
                  .f = [](const Tensor& x) { return tan(x); },
                  .torch = "torch.tan(x)",
                  .exact = [](auto x) { return std::tan(x); },
                  .ulps = 2,
                  .cases = {{.at = {d({0, 1, -1})}, .is = d({0, 1.5574077246549023, -1.5574077246549023}), .low = -1.4, .high = 1.4}},
                  .edges = {nan, -0., 0, nan}});
  rows.push_back({.name = "atan",
                  .f = [](const Tensor& x) { return atan(x); },
                  .torch = "torch.atan(x)",
                  .exact = [](auto x) { return std::atan(x); },
                  .ulps = 1,
                  .cases = {{.at = {d({0, 1, -1})}, .is = d({0, 0.7853981633974483, -0.7853981633974483})}},
                  .edges = {-1.5707963267948966, -0., 0, 1.5707963267948966}});
  rows.push_back({.name = "erf",
                  .f = [](const Tensor& x) { return erf(x); },
                  .torch = "torch.erf(x)",
                  .exact = [](auto x) { return std::erf(x); },
                  .ulps = 2,
                  .cases = {{.at = {d({0, 1, -1})}, .is = d({0, 0.8427007929497149, -0.8427007929497149})}},
                  .edges = {-1, -0., 0, 1}});
  rows.push_back({.name = "sign",
                  .f = [](const Tensor& x) { return sign(x); },
                  .torch = "torch.sign(x)",
                  .exact = [](auto x) { return x > 0    ? decltype(x)(1)
                                               : x < 0  ? decltype(x)(-1)
                                               : x == 0 ? decltype(x)(0)
                                                        : x; },
                  .ulps = 0,
                  .cases = {{.at = {d({0, -3, 0.5})}, .is = d({0, -1, 1}), .low = -1.9, .gap = 0.01, .flat = true}},
                  .edges = {-1, 0, 0, 1}});
  rows.push_back({.name = "floor",
                  .f = [](const Tensor& x) { return floor(x); },
                  .torch = "torch.floor(x)",
                  .exact = [](auto x) { return std::floor(x); },
                  .ulps = 0,
                  .cases = {{.at = {d({0.5, -1.5, 2})}, .is = d({0, -2, 2}), .low = -1.9, .gap = 0.01, .flat = true}},
                  .edges = {-inf, -0., 0, inf}});
  rows.push_back({.name = "ceil",
                  .f = [](const Tensor& x) { return ceil(x); },
                  .torch = "torch.ceil(x)",
                  .exact = [](auto x) { return std::ceil(x); },
                  .ulps = 0,
                  .cases = {{.at = {d({0.5, -1.5, 2})}, .is = d({1, -1, 2}), .low = -1.9, .gap = 0.01, .flat = true}},
                  .edges = {-inf, -0., 0, inf}});
  rows.push_back({.name = "round",
                  .f = [](const Tensor& x) { return round(x); },
                  .torch = "torch.round(x)",
                  .exact = [](auto x) { return std::rint(x); },
                  .ulps = 0,
                  .cases = {{.at = {d({0.5, -1.5, 2.5, 2.6})}, .is = d({0, -2, 2, 3}), .low = -1.9, .gap = 0.01, .flat = true}},
                  .edges = {-inf, -0., 0, inf}});
  rows.push_back({.name = "maximum",
                  .declaration = "maximum(const Tensor& a, const Tensor& b)",
                  .f = [](const Tensor& a, const Tensor& b) { return maximum(a, b); },
                  .torch = "torch.maximum(x, y)",
                  .kinds = "ff",
                  .same_as = by_xtensor([](const auto& a, const auto& b) { return xt::maximum(a, b); }),
                  .cases = {{.at = {d({{1, 2}, {3, 4}}), d({2, 3})}, .is = d({{2, 3}, {3, 4}})}}});
  rows.push_back({.name = "minimum",
                  .declaration = "minimum(const Tensor& a, const Tensor& b)",
                  .f = [](const Tensor& a, const Tensor& b) { return minimum(a, b); },
                  .torch = "torch.minimum(x, y)",
                  .kinds = "ff",
                  .same_as = by_xtensor([](const auto& a, const auto& b) { return xt::minimum(a, b); }),
                  .cases = {{.at = {d({{1, 2}, {3, 4}}), d({2, 3})}, .is = d({{1, 2}, {2, 3}})}}});
  rows.push_back({.name = "clamp",
                  .declaration = "clamp(const Tensor& x, double low, double high)",
                  .f = [](const Tensor& x, double low, double high) { return clamp(x, low, high); },
                  .torch = "torch.clamp(x, p, q)",
                  .numbers = "sorted([d.number(-2, 2), d.number(-2, 2)])",
                  .same_as = by_xtensor([](const auto& x, const double& low, const double& high) { return xt::clip(x, low, high); }),
                  .cases = {{.numbers = {-0.777, 1.234}, .at = {d({-3, 0.5, 2})}, .is = d({-0.777, 0.5, 1.234})}},
                  .edges = {-0.777, -0., 0, 1.234}});
}

}  // namespace operations
