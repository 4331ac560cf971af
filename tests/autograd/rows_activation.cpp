#include "xtensor_support.h"

using namespace capstan;

void add_activation_rows(std::vector<OpRow>& rows) {
  rows.push_back({.declaration = "relu(const Tensor& x)",
                  .f = [](const Args& in) { return relu(in[0]); },
                  .at = {d({0, -3, 0.5})},
                  .is = d({0, 0, 0.5}),
                  .shapes = one_shapes(),
                  .same_as = by_xtensor([](const auto& x) { return xt::maximum(x, 0.0); }),
                  .gap = 0.1});
  rows.push_back({.declaration = "sigmoid(const Tensor& x)",
                  .f = [](const Args& in) { return sigmoid(in[0]); },
                  .at = {d({0, 1, -1})},
                  .is = d({0.5, 0.7310585786300049, 0.2689414213699951}),
                  .shapes = one_shapes(),
                  .same_as = by_xtensor([](const auto& x) { return 1.0 / (1.0 + xt::exp(-x)); })});
  rows.push_back({.declaration = "leaky_relu(const Tensor& x, double slope = 0.01)",
                  .form = "slope 0.01",
                  .f = [](const Args& in) { return leaky_relu(in[0]); },
                  .at = {d({0, -3, 0.5})},
                  .is = d({0, -0.03, 0.5}),
                  .shapes = one_shapes(),
                  .same_as = by_xtensor([](const auto& x) { return xt::where(x > 0.0, x, 0.01 * x); }),
                  .gap = 0.1});
  rows.push_back({.declaration = "leaky_relu(const Tensor& x, double slope = 0.01)",
                  .form = "slope 0.3",
                  .f = [](const Args& in) { return leaky_relu(in[0], 0.3); },
                  .at = {d({0, -3, 0.5})},
                  .is = d({0, -0.9, 0.5}),
                  .shapes = one_shapes(),
                  .same_as = by_xtensor([](const auto& x) { return xt::where(x > 0.0, x, 0.3 * x); }),
                  .gap = 0.1});
  rows.push_back({.declaration = "elu(const Tensor& x, double alpha = 1)",
                  .form = "alpha 1",
                  .f = [](const Args& in) { return elu(in[0]); },
                  .at = {d({0, -1, 0.5})},
                  .is = d({0, -0.6321205588285577, 0.5}),
                  .shapes = one_shapes(),
                  .same_as = by_xtensor([](const auto& x) { return xt::where(x > 0.0, x, xt::expm1(x)); })});
  rows.push_back({.declaration = "elu(const Tensor& x, double alpha = 1)",
                  .form = "alpha 0.5",
                  .f = [](const Args& in) { return elu(in[0], 0.5); },
                  .at = {d({0, -1, 0.5})},
                  .is = d({0, -0.31606027941427883, 0.5}),
                  .shapes = one_shapes(),
                  .same_as = by_xtensor([](const auto& x) { return xt::where(x > 0.0, x, 0.5 * xt::expm1(x)); }),
                  .gap = 0.1});
  rows.push_back({.declaration = "softplus(const Tensor& x, double beta = 1)",
                  .form = "beta 1",
                  .f = [](const Args& in) { return softplus(in[0]); },
                  .at = {d({0, 1, -1})},
                  .is = d({0.6931471805599453, 1.3132616875182228, 0.31326168751822286}),
                  .shapes = one_shapes(),
                  .same_as = by_xtensor([](const auto& x) { return xt::log1p(xt::exp(x)); })});
  rows.push_back({.declaration = "softplus(const Tensor& x, double beta = 1)",
                  .form = "beta 2",
                  .f = [](const Args& in) { return softplus(in[0], 2); },
                  .at = {d({0, 0.5, -0.5})},
                  .is = d({0.34657359027997264, 0.6566308437591114, 0.15663084375911143}),
                  .shapes = one_shapes(),
                  .same_as = by_xtensor([](const auto& x) { return 0.5 * xt::log1p(xt::exp(2.0 * x)); })});
  rows.push_back({.declaration = "silu(const Tensor& x)",
                  .f = [](const Args& in) { return silu(in[0]); },
                  .at = {d({0, 1, -1})},
                  .is = d({0, 0.7310585786300049, -0.2689414213699951}),
                  .shapes = one_shapes(),
                  .same_as = by_xtensor([](const auto& x) { return x / (1.0 + xt::exp(-x)); })});
  rows.push_back({.declaration = "gelu(const Tensor& x, Gelu form = Gelu::erf)",
                  .form = "erf",
                  .f = [](const Args& in) { return gelu(in[0]); },
                  .at = {d({0, 1, -1})},
                  .is = d({0, 0.8413447460685429, -0.15865525393145707}),
                  .shapes = one_shapes(),
                  .same_as = by_xtensor([](const auto& x) { return 0.5 * x * (1.0 + xt::erf(x / std::sqrt(2.0))); })});
  rows.push_back({.declaration = "gelu(const Tensor& x, Gelu form = Gelu::erf)",
                  .form = "tanh",
                  .f = [](const Args& in) { return gelu(in[0], Gelu::tanh); },
                  .at = {d({0, 1, -1})},
                  .is = d({0, 0.841191990608277, -0.158808009391723}),
                  .shapes = one_shapes(),
                  .same_as = by_xtensor([](const auto& x) {
                    return 0.5 * x * (1.0 + xt::tanh(std::sqrt(2 / 3.14159265358979323846) * (x + 0.044715 * x * x * x)));
                  })});
  rows.push_back({.declaration = "hardtanh(const Tensor& x, double low = -1, double high = 1)",
                  .form = "-1 to 1",
                  .f = [](const Args& in) { return hardtanh(in[0]); },
                  .at = {d({-3, 0.5, 2})},
                  .is = d({-1, 0.5, 1}),
                  .shapes = one_shapes(),
                  .same_as = by_xtensor([](const auto& x) { return xt::clip(x, -1.0, 1.0); })});
  rows.push_back({.declaration = "hardtanh(const Tensor& x, double low = -1, double high = 1)",
                  .form = "-0.777 to 1.234",
                  .f = [](const Args& in) { return hardtanh(in[0], -0.777, 1.234); },
                  .at = {d({-3, 0.5, 2})},
                  .is = d({-0.777, 0.5, 1.234}),
                  .shapes = one_shapes(),
                  .same_as = by_xtensor([](const auto& x) { return xt::clip(x, -0.777, 1.234); })});
}
