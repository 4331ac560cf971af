#include "over_axes.h"

using namespace capstan;

namespace operations {

namespace {

const double ln = std::log(1.0 + std::exp(-2.0) + std::exp(-4.0));

Checked sums(const char* form, int axis, const NestedList& is) {
  return {.form = form,
          .f = [axis](const Tensors& in) { return cumsum(in[0], axis); },
          .at = {d({{1, 5, 3}, {4, 2, 6}})},
          .is = d(is),
          .shapes = shapes_for(axis, 0),
          .same_as = by_xtensor(
              [axis](const auto& x) { return xt::cumsum(x, axis < 0 ? axis + static_cast<std::ptrdiff_t>(x.dimension()) : axis); })};
}

/// any or all.
void add_logical(std::vector<Operation>& all, const std::string& name, Reduce f, std::vector<Checked> table) {
  all.push_back({.name = name,
                 .declaration = name + "(const Tensor& x, Axes axes = {}, bool keepdim = false)",
                 .f = f,
                 .kinds = "b",
                 .asked = "s = d.shape(); " + some_axes + "inputs = [d.booleans(s)]",
                 .torch = "one_by_one(torch." + name + ", x, a, k)",
                 .table = std::move(table),
                 .edges = false});
}

}  // namespace

void add_reduce(std::vector<Operation>& all) {
  const auto by_sum = [](const Array& x, const AxisList& a) { return Array(xt::sum(x, a)); };
  add(all, "sum", "a", sum, sum, by_sum, 0, "x.sum(every(s, a), keepdim=k) if s else x.sum()", results(21, 9, 12, 5, 7, 9, 12, 12));
  add(
      all, "mean", "f", mean, mean, [](const Array& x, const AxisList& a) { return Array(xt::mean(x, a)); }, 1,
      "x.mean(every(s, a), keepdim=k) if s else x.mean()", results(3.5, 3, 4, 2.5, 3.5, 4.5, 3, 3));
  add(
      all, "prod", "a", prod, nullptr, [](const Array& x, const AxisList& a) { return Array(xt::prod(x, a)); }, 0,
      "one_by_one(torch.prod, x, a, k)", results(720, 15, 48, 4, 10, 18, 40, 36));
  add(
      all, "logsumexp", "f", logsumexp, nullptr, [](const Array& x, const AxisList& a) { return Array(xt::log(xt::sum(xt::exp(x), a))); },
      1, "torch.logsumexp(x, every(s, a), keepdim=k) if s else x.reshape(1).logsumexp(0)[()]",
      results(6.456193316018123, 5 + ln, 6 + ln, 4.048587351573742, 5.048587351573742, 6.048587351573742, 5.361849039091965,
              6.072172421993317));

  const auto negative = [](const Axes& a, bool k) { return [=](const Tensors& in) { return any(in[0] < 0, a, k); }; };
  const auto positive = [](const Axes& a, bool k) { return [=](const Tensors& in) { return capstan::all(in[0] > 0, a, k); }; };
  add_logical(all, "any", any,
              {plain("all axes", negative({}, false), booleans(1), {}), plain("-1", negative(-1, false), booleans({1, 0}), -1),
               plain("0, keepdim", negative(0, true), booleans({{0, 1, 1}}), 0),
               plain("first and last", negative({0, -1}, false), booleans(1), {0, -1})});
  add_logical(all, "all", capstan::all,
              {plain("all axes", positive({}, false), booleans(0), {}), plain("-1", positive(-1, false), booleans({0, 1}), -1),
               plain("0, keepdim", positive(0, true), booleans({{1, 0, 0}}), 0),
               plain("first and last", positive({0, -1}, false), booleans(0), {0, -1})});
  all.push_back({.name = "cumsum",
                 .declaration = "cumsum(const Tensor& x, int axis)",
                 .f = cumsum,
                 .kinds = "a",
                 .asked = "s = d.shape(1); a, = numbers = d.axis(s),; " + x_of_s,
                 .torch = "torch.cumsum(x, a)",
                 .table = {sums("-1", -1, {{1, 6, 9}, {4, 6, 12}}), sums("0", 0, {{1, 5, 3}, {5, 7, 9}})}});
}

}  // namespace operations
