// Losses of single elements, with each reduction.
#include "../numbers.h"
#include "by_xtensor.h"

using namespace capstan;

namespace operations {

namespace {

using Array = xt::xarray<double>;
using Loss = std::function<Tensor(const Tensor&, const Tensor&, Reduction)>;
using Elements = std::function<Array(const Array&, const Array&)>;  // one type for all: expressions take long to compile

/// The reductions of a loss whose elements at (input, target) are worked out by hand.
std::vector<Checked> reduced(const std::string& form, const Loss& loss, const NestedList& input, const NestedList& target,
                             const NestedList& elements, const Elements& same_as, double low = -2) {
  const Tensor e = d(elements);
  const std::vector<std::vector<Shape>> any = {{{}, {}}, {{1}, {1}}, {{7}, {7}}, {{2, 3}, {2, 3}}, {{2, 1, 3}, {2, 1, 3}}};
  std::vector<std::vector<Shape>> with_none = any;
  with_none.push_back({{0}, {0}});
  const auto row = [&](const std::string& reduction, Reduction kind, const Tensor& is, Array (*reduce)(const Array&)) -> Checked {
    return {.form = form + (form.empty() ? "" : ", ") + reduction,
            .f = [=](const Tensors& in) { return loss(in[0], in[1], kind); },
            .at = {d(input), d(target)},
            .is = is,
            .shapes = kind == Reduction::mean ? any : with_none,
            .same_as = by_xtensor([=](const auto& a, const auto& b) { return reduce(same_as(a, b)); }),
            .low = low};
  };
  return {row("none", Reduction::none, e, [](const Array& a) { return a; }),
          row("mean", Reduction::mean, mean(e), [](const Array& a) { return Array(xt::mean(a)); }),
          row("sum", Reduction::sum, sum(e), [](const Array& a) { return Array(xt::sum(a)); })};
}

/// 1, -1, -1, 1, ... in the shape of x.
Tensor signs(const Tensor& x) {
  const Tensor n = numbers(x.shape(), -1, 1, 7);
  return where(n > 0, ones({}, DType::f64), full({}, -1, DType::f64)).to(x.dtype());
}
Array signs_of(const Array& x) {
  Array s = x;
  const Tensor t = signs(empty({static_cast<std::int64_t>(s.size())}, DType::f64));
  std::copy(t.data<double>(), t.data<double>() + t.numel(), s.begin());
  return s;
}

}  // namespace

void add_regression(std::vector<Operation>& all) {
  const std::string two = "(const Tensor& input, const Tensor& target, ";
  const NestedList a = {1, -2, 0.5, 3}, b = {0, 1, 0, 2.75};
  all.push_back({.name = "mse_loss",
                 .declaration = "mse_loss(const Tensor& input, const Tensor& target)",
                 .f = [](const Tensor& x, const Tensor& t) { return mse_loss(x, t); },
                 .kinds = "ff",
                 .asked = "inputs = d.alike((-3, 3), (-3, 3))",
                 .torch = "F.mse_loss(x, y)",
                 .table = {{.f = [](const Tensors& in) { return mse_loss(in[0], in[1]); },
                            .at = {d({{1, 2}, {3, 4}}), d({{0, 4}, {3, 1}})},
                            .is = d(3.5),
                            .shapes = {{{}, {}}, {{1}, {1}}, {{7}, {7}}, {{2, 3}, {2, 3}}, {{2, 1, 3}, {2, 1, 3}}, {{23}, {23}}},
                            .same_as = by_xtensor([](const auto& x, const auto& t) { return xt::mean(xt::square(x - t)); })}}});
  const auto mse = [](const Tensor& x, const Tensor& t, Reduction r) { return mse_loss(x, t, r); };
  all.push_back({.name = "mse_loss, reduction",
                 .declaration = "mse_loss" + two + "Reduction reduction)",
                 .f = mse,
                 .kinds = "ff",
                 .asked = "r = d.whole(0, 2); inputs, numbers = d.alike((-3, 3), (-3, 3)), [r]",
                 .torch = "F.mse_loss(x, y, reduction=REDUCTIONS[r])",
                 .table = reduced("", mse, a, b, {1, 9, 0.25, 0.0625}, [](const auto& x, const auto& t) { return xt::square(x - t); })});
  all.push_back(
      {.name = "l1_loss",
       .declaration = "l1_loss" + two + "Reduction reduction = Reduction::mean)",
       .f = l1_loss,
       .kinds = "ff",
       .asked = "r = d.whole(0, 2); inputs, numbers = d.alike((-3, 3), (-3, 3)), [r]",
       .torch = "F.l1_loss(x, y, reduction=REDUCTIONS[r])",
       .table = reduced(
           "", [](const Tensor& x, const Tensor& t, Reduction r) { return r == Reduction::mean ? l1_loss(x, t) : l1_loss(x, t, r); }, a, b,
           {1, 3, 0.5, 0.25}, [](const auto& x, const auto& t) { return xt::abs(x - t); })});
  all.push_back({.name = "huber_loss",
                 .declaration = "huber_loss" + two + "double delta = 1, Reduction reduction = Reduction::mean)",
                 .f = huber_loss,
                 .kinds = "ff",
                 .asked = "p, r = numbers = d.number(0.3, 2), d.whole(0, 2); inputs = d.alike((-3, 3), (-3, 3))",
                 .torch = "F.huber_loss(x, y, reduction=REDUCTIONS[r], delta=p)",
                 .table = together({reduced(
                                        "",
                                        [](const Tensor& x, const Tensor& t, Reduction r) {
                                          return r == Reduction::mean ? huber_loss(x, t) : huber_loss(x, t, 1, r);
                                        },
                                        a, b, {0.5, 2.5, 0.125, 0.03125},
                                        [](const auto& x, const auto& t) {
                                          return xt::where(xt::abs(x - t) <= 1.0, 0.5 * xt::square(x - t), xt::abs(x - t) - 0.5);
                                        }),
                                    reduced(
                                        "delta 0.3", [](const Tensor& x, const Tensor& t, Reduction r) { return huber_loss(x, t, 0.3, r); },
                                        a, b, {0.255, 0.855, 0.105, 0.03125},
                                        [](const auto& x, const auto& t) {
                                          return xt::where(xt::abs(x - t) <= 0.3, 0.5 * xt::square(x - t), 0.3 * (xt::abs(x - t) - 0.15));
                                        })})});
  all.push_back(
      {.name = "smooth_l1_loss",
       .declaration = "smooth_l1_loss" + two + "double beta = 1, Reduction reduction = Reduction::mean)",
       .f = smooth_l1_loss,
       .kinds = "ff",
       .asked = "p, r = numbers = d.whole(0, 4) and d.number(0.3, 2), d.whole(0, 2); inputs = d.alike((-3, 3), (-3, 3))",
       .torch = "F.smooth_l1_loss(x, y, reduction=REDUCTIONS[r], beta=p)",
       .table = together({reduced(
                              "beta 0.3", [](const Tensor& x, const Tensor& t, Reduction r) { return smooth_l1_loss(x, t, 0.3, r); }, a, b,
                              {0.85, 2.85, 0.35, 0.03125 / 0.3},
                              [](const auto& x, const auto& t) {
                                return xt::where(xt::abs(x - t) <= 0.3, xt::square(x - t) / 0.6, xt::abs(x - t) - 0.15);
                              }),
                          reduced(
                              "beta 0", [](const Tensor& x, const Tensor& t, Reduction r) { return smooth_l1_loss(x, t, 0, r); }, a, b,
                              {1, 3, 0.5, 0.25}, [](const auto& x, const auto& t) { return xt::abs(x - t); })})});
  all.push_back(
      {.name = "poisson_nll_loss",
       .declaration = "poisson_nll_loss" + two + "PoissonNLLOptions options = {})",
       .f = [](const Tensor& x, const Tensor& t, bool log_input, bool full, double eps,
               Reduction r) { return poisson_nll_loss(x, t, {.log_input = log_input, .full = full, .eps = eps, .reduction = r}); },
       .kinds = "ff",
       .asked = "p, q, _, r = numbers = d.flag(), d.flag(), 1e-8, d.whole(0, 2); inputs = d.alike((0.1, 3), (0, 6))",
       .torch = "F.poisson_nll_loss(x, y, log_input=p, full=q, reduction=REDUCTIONS[r])",
       .table = together({reduced(
                              "log_input",
                              [](const Tensor& x, const Tensor& t, Reduction r) {
                                return r == Reduction::mean ? poisson_nll_loss(x, t) : poisson_nll_loss(x, t, {.reduction = r});
                              },
                              {0, 1, -1}, {1, 2, 0}, {1, 0.718281828459045, 0.36787944117144233},
                              [](const auto& x, const auto& t) { return xt::exp(x) - t * x; }),
                          reduced(
                              "the rate itself, in full",
                              [](const Tensor& x, const Tensor& t, Reduction r) {
                                return poisson_nll_loss(x, t, {.log_input = false, .full = true, .eps = 0.5, .reduction = r});
                              },
                              {0.5, 1.5}, {1, 2}, {0.5, 0.7655121234846454},
                              [](const auto& x, const auto& t) {
                                const Array large = xt::maximum(t, 1.0);
                                const Array stirling = large * xt::log(large) - large + 0.5 * xt::log(6.283185307179586 * large);
                                return Array(x - t * xt::log(x + 0.5) + xt::where(t > 1.0, stirling, 0.0));
                              },
                              0.1)})});
  all.push_back({.name = "kl_div",
                 .declaration = "kl_div" + two + "bool log_target = false, Reduction reduction = Reduction::mean)",
                 .f = kl_div,
                 .kinds = "ff",
                 .asked = "p, r = numbers = d.flag(), d.whole(0, 2); inputs = d.alike((-3, 3), (0.05, 1))",
                 .torch = "F.kl_div(x, y, reduction=REDUCTIONS[r], log_target=p)",
                 .table = together(
                     {reduced(
                          "", [](const Tensor& x, const Tensor& t, Reduction r) { return kl_div(x, t, false, r); }, {-1, -2, -1},
                          {0.5, 0, 1}, {0.15342640972002736, 0, 1}, [](const auto& x, const auto& t) { return t * (xt::log(t) - x); }, 0.1),
                      reduced(
                          "log_target", [](const Tensor& x, const Tensor& t, Reduction r) { return kl_div(x, t, true, r); }, {-1, 2},
                          {0, 1}, {1, -2.718281828459045}, [](const auto& x, const auto& t) { return xt::exp(t) * (t - x); })})});
  // Targets of these are signs, which have no gradient: of the second input they take the shape alone.
  all.push_back(
      {.name = "hinge_loss",
       .declaration = "hinge_loss" + two + "double margin = 1, Reduction reduction = Reduction::mean)",
       .f = hinge_loss,
       .kinds = "ff",
       .table = reduced(
           "", [](const Tensor& x, const Tensor& t, Reduction r) { return hinge_loss(x * t, signs(x), 1, r); }, {2, 2, 0.5}, {1, -0.25, 1},
           {0, 0.5, 0.5}, [](const auto& x, const auto& t) { return Array(xt::maximum(1.0 - signs_of(x) * x * t, 0.0)); })});
  all.push_back(
      {.name = "hinge_embedding_loss",
       .declaration = "hinge_embedding_loss" + two + "double margin = 1, Reduction reduction = Reduction::mean)",
       .f = hinge_embedding_loss,
       .kinds = "ff",
       .asked = "p, r = numbers = d.number(0.5, 2), d.whole(0, 2); inputs = d.alike((-3, 3)); inputs += [d.signs(inputs[0].shape)]; "
                "constant = 1,",
       .torch = "F.hinge_embedding_loss(x, y, margin=p, reduction=REDUCTIONS[r])",
       .table = reduced(
           "", [](const Tensor& x, const Tensor& t, Reduction r) { return hinge_embedding_loss(x * t, signs(x), 1.5, r); }, {2, 2, 0.5},
           {1, -0.25, 1}, {2, 2, 0.5},
           [](const auto& x, const auto& t) { return Array(xt::where(signs_of(x) > 0.0, x * t, xt::maximum(1.5 - x * t, 0.0))); })});
  all.push_back({.name = "hinge_loss, target made 1 or -1",
                 .declaration = all.back().declaration,
                 .f =
                     [](const Tensor& x, const Tensor& t, double margin, Reduction r, bool embedding) {
                       const Tensor target = where(t > 0, full({}, 1, t.dtype()), full({}, -1, t.dtype()));
                       return embedding ? hinge_embedding_loss(x, target, margin, r) : hinge_loss(x, target, margin, r);
                     },
                 .kinds = "ff"});
}

}  // namespace operations
