#include "by_xtensor.h"

using namespace capstan;

namespace operations {

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();

/// An operator of two tensors, of a tensor and a number, of a number and a tensor; each by hand, and at the edges.
template <class F>
void add_operator(std::vector<Row>& rows, const std::string& op, F f, Case both, Case right, const std::vector<double>& right_edges,
                  Case left, const std::vector<double>& left_edges) {
  const std::string name = "operator" + op, numbers = "[d.whole(-3, 3) + 0.5]";
  const auto same_as = by_xtensor([f](const auto& a, const auto& b) { return f(a, b); });
  rows.push_back({.name = name,
                  .declaration = name + "(const Tensor& a, const Tensor& b)",
                  .f = [f](const Tensor& a, const Tensor& b) { return f(a, b); },
                  .torch = "x " + op + " y",
                  .kinds = "aa",
                  .same_as = same_as,
                  .cases = {std::move(both)}});
  rows.push_back({.name = name + ", number right",
                  .declaration = name + "(const Tensor& a, double b)",
                  .f = [f](const Tensor& a, double b) { return f(a, b); },
                  .torch = "x " + op + " p",
                  .numbers = numbers,
                  .kinds = "a",
                  .same_as = by_xtensor([f](const auto& a, const double& b) { return f(a, b); }),
                  .cases = {std::move(right)},
                  .edges = right_edges});
  rows.push_back({.name = name + ", number left",
                  .declaration = name + "(double a, const Tensor& b)",
                  .f = [f](double a, const Tensor& b) { return f(a, b); },
                  .torch = "p " + op + " x",
                  .numbers = numbers,
                  .kinds = "a",
                  .same_as = by_xtensor([f](const double& a, const auto& b) { return f(a, b); }),
                  .cases = {std::move(left)},
                  .edges = left_edges});
}

}  // namespace

void add_arithmetic(std::vector<Row>& rows) {
  add_operator(rows, "+", [](const auto& a, const auto& b) { return a + b; },
               {.at = {d({{1, 2}, {3, 4}}), d({10, 20})}, .is = d({{11, 22}, {13, 24}})},  //
               {.numbers = {0.5}, .at = {d({1, -2})}, .is = d({1.5, -1.5})}, {-inf, 0.5, 0.5, inf},
               {.numbers = {0.5}, .at = {d({1, -2})}, .is = d({1.5, -1.5})}, {-inf, 0.5, 0.5, inf});
  add_operator(rows, "-", [](const auto& a, const auto& b) { return a - b; },
               {.at = {d({{1, 2}, {3, 4}}), d({{10}, {20}})}, .is = d({{-9, -8}, {-17, -16}})},
               {.numbers = {0.25}, .at = {d({1, -2})}, .is = d({0.75, -2.25})}, {-inf, -0.25, -0.25, inf},
               {.numbers = {0.25}, .at = {d({1, -2})}, .is = d({-0.75, 2.25})}, {inf, 0.25, 0.25, -inf});
  add_operator(rows, "*", [](const auto& a, const auto& b) { return a * b; },
               {.at = {d({{1, 2}, {3, 4}}), d({{5, -6}})}, .is = d({{5, -12}, {15, -24}})},
               {.numbers = {-3}, .at = {d({1, -2})}, .is = d({-3, 6})}, {inf, 0, -0., -inf},
               {.numbers = {-3}, .at = {d({1, -2})}, .is = d({-3, 6})}, {inf, 0, -0., -inf});
  add_operator(rows, "/", [](const auto& a, const auto& b) { return a / b; },
               {.at = {d({{1, 3}, {-5, 7}}), d({2, -4})}, .is = d({{0.5, -0.75}, {-2.5, -1.75}}), .gap = 0.5},
               {.numbers = {4}, .at = {d({1, -2})}, .is = d({0.25, -0.5})}, {-inf, -0., 0, inf},
               {.numbers = {3}, .at = {d({2, -4})}, .is = d({1.5, -0.75}), .gap = 0.5}, {-0., -inf, inf, 0});
  rows.push_back({.name = "operator-, one operand",
                  .declaration = "operator-(const Tensor& x)",
                  .f = [](const Tensor& x) { return -x; },
                  .torch = "-x",
                  .kinds = "a",
                  .exact = [](auto x) { return -x; },
                  .cases = {{.at = {d({1, -2, 0.5})}, .is = d({-1, 2, -0.5})}},
                  .edges = {inf, 0, -0., -inf}});
  rows.push_back({.name = "neg",
                  .f = [](const Tensor& x) { return neg(x); },
                  .torch = "torch.neg(x)",
                  .kinds = "a",
                  .exact = [](auto x) { return -x; },
                  .cases = {{.at = {d({1, -2, 0.5})}, .is = d({-1, 2, -0.5})}},
                  .edges = {inf, 0, -0., -inf}});
}

}  // namespace operations
