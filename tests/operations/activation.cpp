#include "by_xtensor.h"

using namespace capstan;

namespace operations {

namespace {

constexpr double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();

xt::xarray<double> gelu_of(const xt::xarray<double>& x, double tanh_form) {
  if (tanh_form == 0) return 0.5 * x * (1.0 + xt::erf(x / std::sqrt(2.0)));
  return 0.5 * x * (1.0 + xt::tanh(std::sqrt(2 / 3.14159265358979323846) * (x + 0.044715 * x * x * x)));
}

}  // namespace

void add_activation(std::vector<Row>& rows) {
  rows.push_back({.name = "relu",
                  .f = [](const Tensor& x) { return relu(x); },
                  .torch = "torch.relu(x)",
                  .exact = [](auto x) { return x < 0 ? decltype(x)(0) : x; },
                  .ulps = 0,
                  .cases = {{.at = {d({0, -3, 0.5})}, .is = d({0, 0, 0.5}), .gap = 0.1}},
                  .edges = {0, -0., 0, inf}});
  rows.push_back({.name = "sigmoid",
                  .f = [](const Tensor& x) { return sigmoid(x); },
                  .torch = "torch.sigmoid(x)",
                  .exact = [](auto x) { return 1 / (1 + std::exp(-x)); },
                  .ulps = 4,
                  .cases = {{.at = {d({0, 1, -1})}, .is = d({0.5, 0.7310585786300049, 0.2689414213699951})}},
                  .edges = {0, 0.5, 0.5, 1}});
  rows.push_back({.name = "leaky_relu",
                  .declaration = "leaky_relu(const Tensor& x, double slope = 0.01)",
                  .f = [](const Tensor& x, double slope) { return leaky_relu(x, slope); },
                  .torch = "F.leaky_relu(x, p)",
                  .numbers = "[d.number(0.01, 0.5)]",
                  .same_as = by_xtensor([](const auto& x, const double& p) { return xt::where(x > 0.0, x, p * x); }),
                  .cases = {{.numbers = {0.01}, .at = {d({0, -3, 0.5})}, .is = d({0, -0.03, 0.5}), .gap = 0.1},
                            {.numbers = {0.3}, .at = {d({0, -3, 0.5})}, .is = d({0, -0.9, 0.5}), .gap = 0.1}},
                  .edges = {-inf, -0., 0, inf}});
  rows.push_back({.name = "elu",
                  .declaration = "elu(const Tensor& x, double alpha = 1)",
                  .f = [](const Tensor& x, double alpha) { return elu(x, alpha); },
                  .torch = "F.elu(x, p)",
                  .numbers = "[d.number(0.1, 2)]",
                  .same_as = by_xtensor([](const auto& x, const double& p) { return xt::where(x > 0.0, x, p * xt::expm1(x)); }),
                  .cases = {{.numbers = {1}, .at = {d({0, -1, 0.5})}, .is = d({0, -0.6321205588285577, 0.5})},
                            {.numbers = {0.5}, .at = {d({0, -1, 0.5})}, .is = d({0, -0.31606027941427883, 0.5}), .gap = 0.1}},
                  .edges = {-1, -0., 0, inf}});
  // A threshold above which ln(1 + e^x) is x in double precision: this library has none.
  rows.push_back(
      {.name = "softplus",
       .declaration = "softplus(const Tensor& x, double beta = 1)",
       .f = [](const Tensor& x, double beta) { return softplus(x, beta); },
       .torch = "F.softplus(x, p, threshold=50)",
       .numbers = "[d.number(0.2, 3)]",
       .same_as = by_xtensor([](const auto& x, const double& p) { return xt::log1p(xt::exp(p * x)) / p; }),
       .cases = {{.numbers = {1}, .at = {d({0, 1, -1})}, .is = d({0.6931471805599453, 1.3132616875182228, 0.31326168751822286})},
                 {.numbers = {2}, .at = {d({0, 0.5, -0.5})}, .is = d({0.34657359027997264, 0.6566308437591114, 0.15663084375911143})}},
       .edges = {0, 0.6931471805599453, 0.6931471805599453, inf}});
  rows.push_back({.name = "silu",
                  .f = [](const Tensor& x) { return silu(x); },
                  .torch = "F.silu(x)",
                  .same_as = by_xtensor([](const auto& x) { return x / (1.0 + xt::exp(-x)); }),
                  .cases = {{.at = {d({0, 1, -1})}, .is = d({0, 0.7310585786300049, -0.2689414213699951})}},
                  .edges = {nan, -0., 0, inf}});
  rows.push_back({.name = "gelu",
                  .declaration = "gelu(const Tensor& x, Gelu form = Gelu::erf)",
                  .f = [](const Tensor& x, bool tanh_form) { return gelu(x, tanh_form ? Gelu::tanh : Gelu::erf); },
                  .torch = "F.gelu(x, approximate='tanh' if p else 'none')",
                  .numbers = "[float(d.flag())]",
                  .same_as = by_xtensor([](const auto& x, const double& p) { return gelu_of(x, p); }),
                  .cases = {{.numbers = {0}, .at = {d({0, 1, -1})}, .is = d({0, 0.8413447460685429, -0.15865525393145707})},
                            {.numbers = {1}, .at = {d({0, 1, -1})}, .is = d({0, 0.841191990608277, -0.158808009391723})}},
                  .edges = {nan, -0., 0, inf}});
  rows.push_back({.name = "hardtanh",
                  .declaration = "hardtanh(const Tensor& x, double low = -1, double high = 1)",
                  .f = [](const Tensor& x, double low, double high) { return hardtanh(x, low, high); },
                  .torch = "F.hardtanh(x, p, q)",
                  .numbers = "sorted([d.number(-2, 2), d.number(-2, 2)])",
                  .same_as = by_xtensor([](const auto& x, const double& low, const double& high) { return xt::clip(x, low, high); }),
                  .cases = {{.numbers = {-1, 1}, .at = {d({-3, 0.5, 2})}, .is = d({-1, 0.5, 1})},
                            {.numbers = {-0.777, 1.234}, .at = {d({-3, 0.5, 2})}, .is = d({-0.777, 0.5, 1.234})}},
                  .edges = {-1, -0., 0, 1}});
}

}  // namespace operations
