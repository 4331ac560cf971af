// Spreads and norms.
#include "over_axes.h"

using namespace capstan;

namespace operations {

namespace {

/// The sum of squared distances from the mean over n - correction.
Array variance_of(const Array& x, const AxisList& axes, double correction) {
  const Array mean = xt::mean(x, axes, xt::keep_dims), squares = xt::square(x - mean), total = xt::sum(squares, axes);
  const double n = static_cast<double>(x.size()) / static_cast<double>(total.size());
  return total / (n - correction);
}

/// A power of two whose square x's dtype does not hold.
double far(const Tensor& x) { return x.dtype() == DType::f32 ? 0x1p100 : 0x1p1000; }

/// Inputs at the ends of the range: of functions of degree 1, and of the variance, whose value has to be held. Along the last axis.
Checked extreme(const char* form, std::function<Tensor(const Tensor&)> f, const NestedList& at, const NestedList& is) {
  return {.form = form,
          .f = [f = std::move(f)](const Tensors& in) { return f(in[0]); },
          .at = {d(at)},
          .is = d(is),
          .shapes = {{{3}}, {{2, 3}}, {{2, 2, 4}}}};
}

/// var or std.
void add_spread(std::vector<Operation>& all, const std::string& name, Tensor (*f)(const Tensor&, Axes, bool, double),
                std::vector<Checked> table) {
  all.push_back({.name = name,
                 .declaration = name + "(const Tensor& x, Axes axes = {}, bool keepdim = false, double correction = 1)",
                 .f = f,
                 .kinds = "f",
                 .asked = "s = d.shape(1, empty=False); a, k, c = numbers = *d.spread(s),; " + x_of_s,
                 .torch = "torch." + name + "(x, every(s, a), correction=c, keepdim=k)",
                 .table = std::move(table)});
}

}  // namespace

void add_moments(std::vector<Operation>& all) {
  const NestedList m = {{1, 5, 3}, {4, 2, 6}}, signs = {{1, -5, 3}, {4, 2, -6}};
  add_spread(all, "var", var,
             together({checked([](const Tensor& x, Axes a, bool k) { return var(x, a, k); },
                               [](const Array& x, const AxisList& a) { return variance_of(x, a, 1); }, 2,
                               results(3.5, 4, 4, 4.5, 4.5, 4.5, 10. / 3, 14. / 3)),
                       checked([](const Tensor& x, Axes a, bool k) { return var(x, a, k, 0); },
                               [](const Array& x, const AxisList& a) { return variance_of(x, a, 0); }, 1,
                               {{"correction 0", -1, false, m, {8. / 3, 8. / 3}}}),
                       {extreme("a sum of squares that overflows",
                                [](const Tensor& x) {
                                  const double c = x.dtype() == DType::f32 ? 0x1p62 : 0x1p509;
                                  return var(x * c, -1) * (1 / c) * (1 / c);
                                },
                                m, {4, 4}),
                        extreme("tiny",
                                [](const Tensor& x) {
                                  const double c = x.dtype() == DType::f32 ? 0x1p-58 : 0x1p-500;
                                  return var(x * c, -1) * (1 / c) * (1 / c);
                                },
                                m, {4, 4})}}));
  const double s = 2.1213203435596424;
  add_spread(all, "std", capstan::std,
             together({checked([](const Tensor& x, Axes a, bool k) { return capstan::std(x, a, k); },
                               [](const Array& x, const AxisList& a) { return Array(xt::sqrt(variance_of(x, a, 1))); }, 2,
                               results(1.8708286933869707, 2, 2, s, s, s, 1.8257418583505538, 2.160246899469287)),
                       {{.form = "correction 0.5",
                         .f = [](const Tensors& in) { return capstan::std(in[0], 0, true, 0.5); },
                         .at = {d({{1, 5}, {4, 2}})},
                         .is = d({{std::sqrt(3.), std::sqrt(3.)}}),
                         .shapes = {{{3}}, {{2, 3}}, {{4, 2, 2}}}},
                        extreme("huge", [](const Tensor& x) { return capstan::std(x * far(x), -1) * (1 / far(x)); }, m, {2, 2}),
                        extreme("tiny", [](const Tensor& x) { return capstan::std(x * (1 / far(x)), -1) * far(x); }, m, {2, 2})}}));

  const auto normed = [](double p) { return [p](const Tensor& x, Axes a, bool k) { return norm(x, p, a, k); }; };
  const NestedList twos = {std::sqrt(35.), std::sqrt(56.)}, threes = {std::cbrt(153.), std::cbrt(288.)};
  all.push_back(
      {.name = "norm",
       .declaration = "norm(const Tensor& x, double p = 2, Axes axes = {}, bool keepdim = false)",
       .f = norm,
       .kinds = "f",
       .asked = "s = d.shape(1); p, a, k = numbers = float(d.rng.choice([1, 1.5, 2, 3])), d.axes(s), d.flag(); " + x_of_s,
       .torch = "torch.linalg.vector_norm(x, p, every(s, a), k)",
       .table = together(
           {checked(
                normed(2), [](const Array& x, const AxisList& a) { return Array(xt::sqrt(xt::sum(xt::square(x), a))); }, 0,
                results(std::sqrt(91), std::sqrt(35), std::sqrt(56), std::sqrt(17), std::sqrt(29), std::sqrt(45), std::sqrt(46),
                        std::sqrt(50))),
            checked(normed(1), [](const Array& x, const AxisList& a) { return Array(xt::sum(xt::abs(x), a)); }, 0,
                    {{"p = 1", -1, false, signs, {9, 12}}}),
            checked(normed(3),
                    [](const Array& x, const AxisList& a) { return Array(xt::pow(xt::sum(xt::pow(xt::abs(x), 3.0), a), 1.0 / 3)); }, 0,
                    {{"p = 3", -1, false, signs, threes}, {"p = 3, first and last", {0, -1}, true, signs, {{std::cbrt(441.)}}}}),
            checked(
                normed(0.5), [](const Array& x, const AxisList& a) { return Array(xt::square(xt::sum(xt::sqrt(xt::abs(x)), a))); }, 0,
                {{"p = 0.5", -1, false, {{1, 4, 9}, {4, 0, 1}}, {36, 9}}}, 0.2),
            checked(normed(INFINITY), [](const Array& x, const AxisList& a) { return Array(xt::amax(xt::abs(x), a)); }, 1,
                    {{"p = infinity", -1, false, signs, {5, 6}}}),
            {extreme(
                 "huge", [](const Tensor& x) { return norm(x * far(x), 2, -1) * (1 / far(x)); }, m, twos),
             extreme(
                 "tiny", [](const Tensor& x) { return norm(x * (1 / far(x)), 2, -1) * far(x); }, m, twos),
             extreme(
                 "p = 3, huge", [](const Tensor& x) { return norm(x * far(x), 3, -1) * (1 / far(x)); }, signs, threes)}})});
}

}  // namespace operations
