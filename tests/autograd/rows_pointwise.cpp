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
          .gap = 0.3};
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
  rows.push_back({.declaration = "relu(const Tensor& x)",
                  .f = [](const Args& in) { return relu(in[0]); },
                  .at = {d({0, -3, 0.5})},
                  .is = d({0, 0, 0.5}),
                  .shapes = one_shapes(),
                  .same_as = by_xtensor([](const auto& x) { return xt::maximum(x, 0.0); }),
                  .gap = 0.1});
  rows.push_back({.declaration = "tanh(const Tensor& x)",
                  .f = [](const Args& in) { return tanh(in[0]); },
                  .at = {d({0, 1, -1})},
                  .is = d({0, 0.7615941559557649, -0.7615941559557649}),
                  .shapes = one_shapes(),
                  .same_as = by_xtensor([](const auto& x) { return xt::tanh(x); })});
  rows.push_back({.declaration = "sigmoid(const Tensor& x)",
                  .f = [](const Args& in) { return sigmoid(in[0]); },
                  .at = {d({0, 1, -1})},
                  .is = d({0.5, 0.7310585786300049, 0.2689414213699951}),
                  .shapes = one_shapes(),
                  .same_as = by_xtensor([](const auto& x) { return 1.0 / (1.0 + xt::exp(-x)); })});
}
