#include "xtensor_support.h"

using namespace capstan;

// Each number below was worked out by hand. Divisors are kept away from 0.
void add_arithmetic_rows(std::vector<OpRow>& rows) {
  rows.push_back({.declaration = "operator+(const Tensor& a, const Tensor& b)",
                  .f = [](const Args& in) { return in[0] + in[1]; },
                  .at = {d({{1, 2}, {3, 4}}), d({10, 20})},
                  .is = d({{11, 22}, {13, 24}}),
                  .shapes = two_shapes(),
                  .same_as = by_xtensor([](const auto& a, const auto& b) { return a + b; })});
  rows.push_back({.declaration = "operator+(const Tensor& a, double b)",
                  .f = [](const Args& in) { return in[0] + 0.5; },
                  .at = {d({1, -2})},
                  .is = d({1.5, -1.5}),
                  .shapes = one_shapes(),
                  .same_as = by_xtensor([](const auto& a) { return a + 0.5; })});
  rows.push_back({.declaration = "operator+(double a, const Tensor& b)",
                  .f = [](const Args& in) { return 0.5 + in[0]; },
                  .at = {d({1, -2})},
                  .is = d({1.5, -1.5}),
                  .shapes = one_shapes(),
                  .same_as = by_xtensor([](const auto& b) { return 0.5 + b; })});

  rows.push_back({.declaration = "operator-(const Tensor& a, const Tensor& b)",
                  .f = [](const Args& in) { return in[0] - in[1]; },
                  .at = {d({{1, 2}, {3, 4}}), d({{10}, {20}})},
                  .is = d({{-9, -8}, {-17, -16}}),
                  .shapes = two_shapes(),
                  .same_as = by_xtensor([](const auto& a, const auto& b) { return a - b; })});
  rows.push_back({.declaration = "operator-(const Tensor& a, double b)",
                  .f = [](const Args& in) { return in[0] - 0.25; },
                  .at = {d({1, -2})},
                  .is = d({0.75, -2.25}),
                  .shapes = one_shapes(),
                  .same_as = by_xtensor([](const auto& a) { return a - 0.25; })});
  rows.push_back({.declaration = "operator-(double a, const Tensor& b)",
                  .f = [](const Args& in) { return 0.25 - in[0]; },
                  .at = {d({1, -2})},
                  .is = d({-0.75, 2.25}),
                  .shapes = one_shapes(),
                  .same_as = by_xtensor([](const auto& b) { return 0.25 - b; })});

  rows.push_back({.declaration = "operator*(const Tensor& a, const Tensor& b)",
                  .f = [](const Args& in) { return in[0] * in[1]; },
                  .at = {d({{1, 2}, {3, 4}}), d({{5, -6}})},
                  .is = d({{5, -12}, {15, -24}}),
                  .shapes = two_shapes(),
                  .same_as = by_xtensor([](const auto& a, const auto& b) { return a * b; })});
  rows.push_back({.declaration = "operator*(const Tensor& a, double b)",
                  .f = [](const Args& in) { return in[0] * -3; },
                  .at = {d({1, -2})},
                  .is = d({-3, 6}),
                  .shapes = one_shapes(),
                  .same_as = by_xtensor([](const auto& a) { return a * -3.0; })});
  rows.push_back({.declaration = "operator*(double a, const Tensor& b)",
                  .f = [](const Args& in) { return -3 * in[0]; },
                  .at = {d({1, -2})},
                  .is = d({-3, 6}),
                  .shapes = one_shapes(),
                  .same_as = by_xtensor([](const auto& b) { return -3.0 * b; })});

  rows.push_back({.declaration = "operator/(const Tensor& a, const Tensor& b)",
                  .f = [](const Args& in) { return in[0] / in[1]; },
                  .at = {d({{1, 3}, {-5, 7}}), d({2, -4})},
                  .is = d({{0.5, -0.75}, {-2.5, -1.75}}),
                  .shapes = two_shapes(),
                  .same_as = by_xtensor([](const auto& a, const auto& b) { return a / b; }),
                  .gap = 0.5});
  rows.push_back({.declaration = "operator/(const Tensor& a, double b)",
                  .f = [](const Args& in) { return in[0] / 4; },
                  .at = {d({1, -2})},
                  .is = d({0.25, -0.5}),
                  .shapes = one_shapes(),
                  .same_as = by_xtensor([](const auto& a) { return a / 4.0; })});
  rows.push_back({.declaration = "operator/(double a, const Tensor& b)",
                  .f = [](const Args& in) { return 3 / in[0]; },
                  .at = {d({2, -4})},
                  .is = d({1.5, -0.75}),
                  .shapes = one_shapes(),
                  .same_as = by_xtensor([](const auto& b) { return 3.0 / b; }),
                  .gap = 0.5});

  rows.push_back({.declaration = "operator-(const Tensor& x)",
                  .f = [](const Args& in) { return -in[0]; },
                  .at = {d({1, -2, 0.5})},
                  .is = d({-1, 2, -0.5}),
                  .shapes = one_shapes(),
                  .same_as = by_xtensor([](const auto& x) { return -x; })});
  rows.push_back({.declaration = "neg(const Tensor& x)",
                  .f = [](const Args& in) { return neg(in[0]); },
                  .at = {d({1, -2, 0.5})},
                  .is = d({-1, 2, -0.5}),
                  .shapes = one_shapes(),
                  .same_as = by_xtensor([](const auto& x) { return -x; })});
}
