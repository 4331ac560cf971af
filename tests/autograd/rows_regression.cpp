// Losses of single elements, with each reduction.
#include "xtensor_support.h"

using namespace capstan;

namespace {

using Array = xt::xarray<double>;
using Loss = std::function<Tensor(const Tensor&, const Tensor&, Reduction)>;
using Elements = std::function<Array(const Array&, const Array&)>;  // one type for all: expressions take long to compile

/// Rows for the reductions of a loss whose elements at (input, target) are worked out by hand.
void add(std::vector<OpRow>& rows, const std::string& declaration, const std::string& form, Loss loss, const NestedList& input,
         const NestedList& target, const NestedList& elements, const Elements& same_as, double low = -2) {
  const Tensor e = d(elements);
  const std::vector<std::vector<Shape>> any = {{{}, {}}, {{1}, {1}}, {{7}, {7}}, {{2, 3}, {2, 3}}, {{2, 1, 3}, {2, 1, 3}}};
  std::vector<std::vector<Shape>> with_none = any;
  with_none.push_back({{0}, {0}});
  const auto row = [&](const std::string& reduction, Reduction kind, const Tensor& is, Array (*reduce)(const Array&)) {
    rows.push_back({.declaration = declaration,
                    .form = form + (form.empty() ? "" : ", ") + reduction,
                    .f = [=](const Args& in) { return loss(in[0], in[1], kind); },
                    .at = {d(input), d(target)},
                    .is = is,
                    .shapes = kind == Reduction::mean ? any : with_none,
                    .same_as = by_xtensor([=](const auto& a, const auto& b) { return reduce(same_as(a, b)); }),
                    .low = low});
  };
  row("none", Reduction::none, e, [](const Array& a) { return a; });
  row("mean", Reduction::mean, mean(e), [](const Array& a) { return Array(xt::mean(a)); });
  row("sum", Reduction::sum, sum(e), [](const Array& a) { return Array(xt::sum(a)); });
}

/// 1, -1, -1, 1, ... in the shape of x.
Tensor signs(const Tensor& x) {
  const Tensor n = numbers(x.shape(), -1, 1, 7);
  return where(n > 0, ones({}, DType::f64), full({}, -1, DType::f64)).to(x.dtype());
}

}  // namespace

void add_regression_rows(std::vector<OpRow>& rows) {
  const std::string two = "(const Tensor& input, const Tensor& target, ";
  const NestedList a = {1, -2, 0.5, 3}, b = {0, 1, 0, 2.75};
  add(
      rows, "mse_loss" + two + "Reduction reduction)", "", [](const Tensor& x, const Tensor& t, Reduction r) { return mse_loss(x, t, r); },
      a, b, {1, 9, 0.25, 0.0625}, [](const auto& x, const auto& t) { return xt::square(x - t); });
  add(
      rows, "l1_loss" + two + "Reduction reduction = Reduction::mean)", "",
      [](const Tensor& x, const Tensor& t, Reduction r) { return r == Reduction::mean ? l1_loss(x, t) : l1_loss(x, t, r); }, a, b,
      {1, 3, 0.5, 0.25}, [](const auto& x, const auto& t) { return xt::abs(x - t); });
  add(
      rows, "huber_loss" + two + "double delta = 1, Reduction reduction = Reduction::mean)", "",
      [](const Tensor& x, const Tensor& t, Reduction r) { return r == Reduction::mean ? huber_loss(x, t) : huber_loss(x, t, 1, r); }, a, b,
      {0.5, 2.5, 0.125, 0.03125},
      [](const auto& x, const auto& t) { return xt::where(xt::abs(x - t) <= 1.0, 0.5 * xt::square(x - t), xt::abs(x - t) - 0.5); });
  add(
      rows, "huber_loss" + two + "double delta = 1, Reduction reduction = Reduction::mean)", "delta 0.3",
      [](const Tensor& x, const Tensor& t, Reduction r) { return huber_loss(x, t, 0.3, r); }, a, b, {0.255, 0.855, 0.105, 0.03125},
      [](const auto& x, const auto& t) {
        return xt::where(xt::abs(x - t) <= 0.3, 0.5 * xt::square(x - t), 0.3 * (xt::abs(x - t) - 0.15));
      });
  add(
      rows, "smooth_l1_loss" + two + "double beta = 1, Reduction reduction = Reduction::mean)", "beta 0.3",
      [](const Tensor& x, const Tensor& t, Reduction r) { return smooth_l1_loss(x, t, 0.3, r); }, a, b, {0.85, 2.85, 0.35, 0.03125 / 0.3},
      [](const auto& x, const auto& t) { return xt::where(xt::abs(x - t) <= 0.3, xt::square(x - t) / 0.6, xt::abs(x - t) - 0.15); });
  add(
      rows, "smooth_l1_loss" + two + "double beta = 1, Reduction reduction = Reduction::mean)", "beta 0",
      [](const Tensor& x, const Tensor& t, Reduction r) { return smooth_l1_loss(x, t, 0, r); }, a, b, {1, 3, 0.5, 0.25},
      [](const auto& x, const auto& t) { return xt::abs(x - t); });
  const std::string poisson = "poisson_nll_loss" + two + "PoissonNLLOptions options = {})";
  add(
      rows, poisson, "log_input",
      [](const Tensor& x, const Tensor& t, Reduction r) {
        return r == Reduction::mean ? poisson_nll_loss(x, t) : poisson_nll_loss(x, t, {.reduction = r});
      },
      {0, 1, -1}, {1, 2, 0}, {1, 0.718281828459045, 0.36787944117144233}, [](const auto& x, const auto& t) { return xt::exp(x) - t * x; });
  add(
      rows, poisson, "the rate itself, in full",
      [](const Tensor& x, const Tensor& t, Reduction r) {
        return poisson_nll_loss(x, t, {.log_input = false, .full = true, .eps = 0.5, .reduction = r});
      },
      {0.5, 1.5}, {1, 2}, {0.5, 0.7655121234846454},
      [](const auto& x, const auto& t) {
        const Array large = xt::maximum(t, 1.0);
        const Array stirling = large * xt::log(large) - large + 0.5 * xt::log(6.283185307179586 * large);
        return Array(x - t * xt::log(x + 0.5) + xt::where(t > 1.0, stirling, 0.0));
      },
      0.1);
  add(
      rows, "kl_div" + two + "bool log_target = false, Reduction reduction = Reduction::mean)", "",
      [](const Tensor& x, const Tensor& t, Reduction r) { return kl_div(x, t, false, r); }, {-1, -2, -1}, {0.5, 0, 1},
      {0.15342640972002736, 0, 1}, [](const auto& x, const auto& t) { return t * (xt::log(t) - x); }, 0.1);
  add(
      rows, "kl_div" + two + "bool log_target = false, Reduction reduction = Reduction::mean)", "log_target",
      [](const Tensor& x, const Tensor& t, Reduction r) { return kl_div(x, t, true, r); }, {-1, 2}, {0, 1}, {1, -2.718281828459045},
      [](const auto& x, const auto& t) { return xt::exp(t) * (t - x); });
  // Targets of these are signs, which have no gradient: of the second input they take the shape alone.
  const auto numbers_of = [](const auto& x) {
    Array s = x;
    const Tensor t = signs(empty({static_cast<std::int64_t>(s.size())}, DType::f64));
    std::copy(t.data<double>(), t.data<double>() + t.numel(), s.begin());
    return s;
  };
  add(
      rows, "hinge_loss" + two + "double margin = 1, Reduction reduction = Reduction::mean)", "",
      [](const Tensor& x, const Tensor& t, Reduction r) { return hinge_loss(x * t, signs(x), 1, r); }, {2, 2, 0.5}, {1, -0.25, 1},
      {0, 0.5, 0.5}, [=](const auto& x, const auto& t) { return Array(xt::maximum(1.0 - numbers_of(x) * x * t, 0.0)); });
  add(
      rows, "hinge_embedding_loss" + two + "double margin = 1, Reduction reduction = Reduction::mean)", "",
      [](const Tensor& x, const Tensor& t, Reduction r) { return hinge_embedding_loss(x * t, signs(x), 1.5, r); }, {2, 2, 0.5},
      {1, -0.25, 1}, {2, 2, 0.5},
      [=](const auto& x, const auto& t) { return Array(xt::where(numbers_of(x) > 0.0, x * t, xt::maximum(1.5 - x * t, 0.0))); });
}
