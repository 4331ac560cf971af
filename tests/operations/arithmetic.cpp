#include "operators.h"

using namespace capstan;

namespace operations {

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();

}  // namespace

void add_arithmetic(std::vector<Row>& rows) {
  add_operator(rows, "+", std::plus<>(), std::plus<>(), {.at = {d({{1, 2}, {3, 4}}), d({10, 20})}, .is = d({{11, 22}, {13, 24}})},  //
               {.numbers = {0.5}, .at = {d({1, -2})}, .is = d({1.5, -1.5})}, {-inf, 0.5, 0.5, inf},
               {.numbers = {0.5}, .at = {d({1, -2})}, .is = d({1.5, -1.5})}, {-inf, 0.5, 0.5, inf});
  add_operator(rows, "-", std::minus<>(), std::minus<>(), {.at = {d({{1, 2}, {3, 4}}), d({{10}, {20}})}, .is = d({{-9, -8}, {-17, -16}})},
               {.numbers = {0.25}, .at = {d({1, -2})}, .is = d({0.75, -2.25})}, {-inf, -0.25, -0.25, inf},
               {.numbers = {0.25}, .at = {d({1, -2})}, .is = d({-0.75, 2.25})}, {inf, 0.25, 0.25, -inf});
  add_operator(rows, "*", std::multiplies<>(), std::multiplies<>(),
               {.at = {d({{1, 2}, {3, 4}}), d({{5, -6}})}, .is = d({{5, -12}, {15, -24}})},
               {.numbers = {-3}, .at = {d({1, -2})}, .is = d({-3, 6})}, {inf, 0, -0., -inf},
               {.numbers = {-3}, .at = {d({1, -2})}, .is = d({-3, 6})}, {inf, 0, -0., -inf});
  add_operator(rows, "/", std::divides<>(), std::divides<>(),
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
