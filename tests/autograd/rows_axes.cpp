// Reductions over one, several and all axes.
#include "xtensor_support.h"

using namespace capstan;

namespace {

using Array = xt::xarray<double>;
using AxisList = std::vector<std::size_t>;
const double ln = std::log(1.0 + std::exp(-2.0) + std::exp(-4.0));

/// The axes, from 0 on; empty when x has not all of them or one is named twice.
AxisList axes_in(const Axes& axes, int dim) {
  AxisList list;
  for (const int a : axes) {
    const int axis = a < 0 ? a + dim : a;
    if (axis < 0 || axis >= dim || std::count(list.begin(), list.end(), static_cast<std::size_t>(axis))) return {};
    list.push_back(static_cast<std::size_t>(axis));
  }
  if (axes.all())
    for (int i = 0; i < dim; ++i) list.push_back(static_cast<std::size_t>(i));
  std::sort(list.begin(), list.end());
  return list;
}

/// The shapes on which those axes exist and hold at least that many elements.
std::vector<std::vector<Shape>> shapes_for(const Axes& axes, std::int64_t least) {
  const Shape any[] = {{},     {1},    {3},       {2, 3},    {3, 1},       {1, 4},    {2, 3, 2},         {2, 1, 3},
                       {0, 3}, {3, 0}, {2, 0, 3}, {4, 2, 1}, {2, 3, 2, 2}, {3, 1, 2}, {1, 2, 1, 2, 1, 2}};
  std::vector<std::vector<Shape>> shapes;
  for (const Shape& s : any) {
    std::int64_t n = 1;
    const AxisList list = axes_in(axes, s.dim());
    if (list.empty() && !axes.all()) continue;
    for (const std::size_t a : list) n *= s.begin()[a];
    if (n >= least) shapes.push_back({s});
  }
  return shapes;
}

struct Case {
  const char* form;
  Axes axes;
  bool keepdim;
  NestedList at, is;
};

/// Rows of one reduction; the xtensor form takes an array and the axes to reduce.
template <class F, class X>
void add(std::vector<OpRow>& rows, const std::string& declaration, F f, X by_axes, std::int64_t least, const std::vector<Case>& cases,
         double low = -2) {
  for (const Case& c : cases) {
    const Axes axes = c.axes;
    const bool keepdim = c.keepdim;
    rows.push_back({.declaration = declaration,
                    .form = c.form,
                    .f = [=](const Args& in) { return f(in[0], axes, keepdim); },
                    .at = {d(c.at)},
                    .is = d(c.is),
                    .shapes = shapes_for(axes, least),
                    .same_as =
                        [=](const Args& in) {
                          const Tensor x = in[0].dim() == 0 ? in[0].reshape({1}) : in[0];
                          const Array y = by_axes(Array(x_of(x)), axes_in(axes, x.dim()));
                          return from_xtensor(y).reshape(f(in[0], axes, keepdim).shape());
                        },
                    .low = low});
  }
}

/// The cases that every reduction has, with its results for all of m, its rows, its columns, and the middle axis of c.
std::vector<Case> cases(double all, double row0, double row1, double column0, double column1, double column2, double middle0,
                        double middle1) {
  const NestedList m = {{1, 5, 3}, {4, 2, 6}}, c = {{{1, 5}, {3, 2}}, {{4, 2}, {6, 1}}};
  return {{"all", {}, false, m, all},
          {"all, keepdim", {}, true, m, {{all}}},
          {"-1", -1, false, m, {row0, row1}},
          {"-1, keepdim", -1, true, m, {{row0}, {row1}}},
          {"0", 0, false, m, {column0, column1, column2}},
          {"-2, keepdim", -2, true, m, {{column0, column1, column2}}},
          {"both", {-1, 0}, false, m, all},
          {"first and last", {0, -1}, false, c, {middle0, middle1}},
          {"last and first, keepdim", {2, 0}, true, c, {{{middle0}, {middle1}}}}};
}

/// The sum of squared distances from the mean over n - correction.
Array variance_of(const Array& x, const AxisList& axes, double correction) {
  const Array mean = xt::mean(x, axes, xt::keep_dims), squares = xt::square(x - mean), total = xt::sum(squares, axes);
  const double n = static_cast<double>(x.size()) / static_cast<double>(total.size());
  return total / (n - correction);
}

OpRow boolean_row(const char* declaration, const char* form, std::function<Tensor(const Args&)> f, const Tensor& is, const Axes& axes) {
  return {.declaration = declaration,
          .form = form,
          .f = std::move(f),
          .at = {d({{1, -1, -1}, {1, 1, 1}})},
          .is = is,
          .shapes = shapes_for(axes, 0),
          .has_gradient = false};
}

OpRow cumsum_row(const char* form, int axis, const NestedList& is) {
  return {.declaration = "cumsum(const Tensor& x, int axis)",
          .form = form,
          .f = [axis](const Args& in) { return cumsum(in[0], axis); },
          .at = {d({{1, 5, 3}, {4, 2, 6}})},
          .is = d(is),
          .shapes = shapes_for(axis, 0),
          .same_as = by_xtensor(
              [axis](const auto& x) { return xt::cumsum(x, axis < 0 ? axis + static_cast<std::ptrdiff_t>(x.dimension()) : axis); })};
}

OpRow index_row(const char* declaration, const char* form, std::function<Tensor(const Args&)> f, const NestedList& is, const Axes& axes) {
  return {.declaration = declaration,
          .form = form,
          .f = std::move(f),
          .at = {d({{1, 5, 3}, {4, 2, 6}})},
          .is = tensor(is, DType::i64),
          .shapes = shapes_for(axes, 1),
          .has_gradient = false};
}

/// A power of two whose square x's dtype does not hold.
double far(const Tensor& x) { return x.dtype() == DType::f32 ? 0x1p100 : 0x1p1000; }

// Inputs at the ends of the range: rows of functions of degree 1, and of the variance, whose value has to be held. Along the last axis.
void add_extreme_rows(std::vector<OpRow>& rows) {
  const Tensor at = d({{1, 5, 3}, {4, 2, 6}}), signs = d({{1, -5, 3}, {4, 2, -6}});
  const std::vector<std::vector<Shape>> shapes = {{{3}}, {{2, 3}}, {{2, 2, 4}}};
  const auto row = [&](const char* declaration, const char* form, std::function<Tensor(const Args&)> f, const Tensor& x, const Tensor& is) {
    rows.push_back({.declaration = declaration, .form = form, .f = std::move(f), .at = {x}, .is = is, .shapes = shapes});
  };
  const char* std_of = "std(const Tensor& x, Axes axes = {}, bool keepdim = false, double correction = 1)";
  row(
      std_of, "huge", [](const Args& in) { return capstan::std(in[0] * far(in[0]), -1) * (1 / far(in[0])); }, at, d({2, 2}));
  row(
      std_of, "tiny", [](const Args& in) { return capstan::std(in[0] * (1 / far(in[0])), -1) * far(in[0]); }, at, d({2, 2}));
  const char* norm_of = "norm(const Tensor& x, double p = 2, Axes axes = {}, bool keepdim = false)";
  row(
      norm_of, "huge", [](const Args& in) { return norm(in[0] * far(in[0]), 2, -1) * (1 / far(in[0])); }, at,
      d({std::sqrt(35.), std::sqrt(56.)}));
  row(
      norm_of, "tiny", [](const Args& in) { return norm(in[0] * (1 / far(in[0])), 2, -1) * far(in[0]); }, at,
      d({std::sqrt(35.), std::sqrt(56.)}));
  row(
      norm_of, "p = 3, huge", [](const Args& in) { return norm(in[0] * far(in[0]), 3, -1) * (1 / far(in[0])); }, signs,
      d({std::cbrt(153.), std::cbrt(288.)}));
  const char* var_of = "var(const Tensor& x, Axes axes = {}, bool keepdim = false, double correction = 1)";
  row(
      var_of, "a sum of squares that overflows",
      [](const Args& in) {
        const double c = in[0].dtype() == DType::f32 ? 0x1p62 : 0x1p509;
        return var(in[0] * c, -1) * (1 / c) * (1 / c);
      },
      at, d({4, 4}));
  row(
      var_of, "tiny",
      [](const Args& in) {
        const double c = in[0].dtype() == DType::f32 ? 0x1p-58 : 0x1p-500;
        return var(in[0] * c, -1) * (1 / c) * (1 / c);
      },
      at, d({4, 4}));
}

}  // namespace

void add_axes_rows(std::vector<OpRow>& rows) {
  add_extreme_rows(rows);
  add(
      rows, "sum(const Tensor& x, Axes axes, bool keepdim = false)", [](const Tensor& x, Axes a, bool k) { return sum(x, a, k); },
      [](const Array& x, const AxisList& a) { return Array(xt::sum(x, a)); }, 0, cases(21, 9, 12, 5, 7, 9, 12, 12));
  add(
      rows, "mean(const Tensor& x, Axes axes, bool keepdim = false)", [](const Tensor& x, Axes a, bool k) { return mean(x, a, k); },
      [](const Array& x, const AxisList& a) { return Array(xt::mean(x, a)); }, 1, cases(3.5, 3, 4, 2.5, 3.5, 4.5, 3, 3));
  add(
      rows, "max(const Tensor& x, Axes axes, bool keepdim = false)", [](const Tensor& x, Axes a, bool k) { return max(x, a, k); },
      [](const Array& x, const AxisList& a) { return Array(xt::amax(x, a)); }, 1, cases(6, 5, 6, 4, 5, 6, 5, 6));
  add(
      rows, "min(const Tensor& x, Axes axes = {}, bool keepdim = false)", [](const Tensor& x, Axes a, bool k) { return min(x, a, k); },
      [](const Array& x, const AxisList& a) { return Array(xt::amin(x, a)); }, 1, cases(1, 1, 2, 1, 2, 3, 1, 1));
  add(
      rows, "var(const Tensor& x, Axes axes = {}, bool keepdim = false, double correction = 1)",
      [](const Tensor& x, Axes a, bool k) { return var(x, a, k); }, [](const Array& x, const AxisList& a) { return variance_of(x, a, 1); },
      2, cases(3.5, 4, 4, 4.5, 4.5, 4.5, 10. / 3, 14. / 3));
  add(
      rows, "std(const Tensor& x, Axes axes = {}, bool keepdim = false, double correction = 1)",
      [](const Tensor& x, Axes a, bool k) { return capstan::std(x, a, k); },
      [](const Array& x, const AxisList& a) { return Array(xt::sqrt(variance_of(x, a, 1))); }, 2,
      cases(1.8708286933869707, 2, 2, 2.1213203435596424, 2.1213203435596424, 2.1213203435596424, 1.8257418583505538, 2.160246899469287));
  add(
      rows, "prod(const Tensor& x, Axes axes = {}, bool keepdim = false)", [](const Tensor& x, Axes a, bool k) { return prod(x, a, k); },
      [](const Array& x, const AxisList& a) { return Array(xt::prod(x, a)); }, 0, cases(720, 15, 48, 4, 10, 18, 40, 36));
  add(
      rows, "logsumexp(const Tensor& x, Axes axes = {}, bool keepdim = false)",
      [](const Tensor& x, Axes a, bool k) { return logsumexp(x, a, k); },
      [](const Array& x, const AxisList& a) { return Array(xt::log(xt::sum(xt::exp(x), a))); }, 1,
      cases(6.456193316018123, 5 + ln, 6 + ln, 4.048587351573742, 5.048587351573742, 6.048587351573742, 5.361849039091965,
            6.072172421993317));
  const char* norm_of = "norm(const Tensor& x, double p = 2, Axes axes = {}, bool keepdim = false)";
  add(
      rows, norm_of, [](const Tensor& x, Axes a, bool k) { return norm(x, 2, a, k); },
      [](const Array& x, const AxisList& a) { return Array(xt::sqrt(xt::sum(xt::square(x), a))); }, 0,
      cases(std::sqrt(91), std::sqrt(35), std::sqrt(56), std::sqrt(17), std::sqrt(29), std::sqrt(45), std::sqrt(46), std::sqrt(50)));
  const NestedList m = {{1, -5, 3}, {4, 2, -6}};
  add(
      rows, norm_of, [](const Tensor& x, Axes a, bool k) { return norm(x, 1, a, k); },
      [](const Array& x, const AxisList& a) { return Array(xt::sum(xt::abs(x), a)); }, 0, {{"p = 1", -1, false, m, {9, 12}}});
  add(
      rows, norm_of, [](const Tensor& x, Axes a, bool k) { return norm(x, 3, a, k); },
      [](const Array& x, const AxisList& a) { return Array(xt::pow(xt::sum(xt::pow(xt::abs(x), 3.0), a), 1.0 / 3)); }, 0,
      {{"p = 3", -1, false, m, {std::cbrt(153.), std::cbrt(288.)}}, {"p = 3, first and last", {0, -1}, true, m, {{std::cbrt(441.)}}}});
  add(
      rows, norm_of, [](const Tensor& x, Axes a, bool k) { return norm(x, 0.5, a, k); },
      [](const Array& x, const AxisList& a) { return Array(xt::square(xt::sum(xt::sqrt(xt::abs(x)), a))); }, 0,
      {{"p = 0.5", -1, false, {{1, 4, 9}, {4, 0, 1}}, {36, 9}}}, 0.2);
  add(
      rows, norm_of, [](const Tensor& x, Axes a, bool k) { return norm(x, INFINITY, a, k); },
      [](const Array& x, const AxisList& a) { return Array(xt::amax(xt::abs(x), a)); }, 1, {{"p = infinity", -1, false, m, {5, 6}}});
  rows.push_back(
      {.declaration = "var(const Tensor& x, Axes axes = {}, bool keepdim = false, double correction = 1)",
       .form = "correction 0",
       .f = [](const Args& in) { return var(in[0], -1, false, 0); },
       .at = {d({{1, 5, 3}, {4, 2, 6}})},
       .is = d({8. / 3, 8. / 3}),
       .shapes = {{{3}}, {{2, 3}}, {{2, 2, 4}}},
       .same_as =
           [](const Args& in) { return from_xtensor(variance_of(Array(x_of(in[0])), {static_cast<std::size_t>(in[0].dim() - 1)}, 0)); }});
  rows.push_back({.declaration = "std(const Tensor& x, Axes axes = {}, bool keepdim = false, double correction = 1)",
                  .form = "correction 0.5",
                  .f = [](const Args& in) { return capstan::std(in[0], 0, true, 0.5); },
                  .at = {d({{1, 5}, {4, 2}})},
                  .is = d({{std::sqrt(3.), std::sqrt(3.)}}),
                  .shapes = {{{3}}, {{2, 3}}, {{4, 2, 2}}}});

  rows.push_back(index_row("argmax(const Tensor& x)", "", [](const Args& in) { return argmax(in[0]); }, 5, {}));
  rows.push_back(index_row("argmin(const Tensor& x)", "", [](const Args& in) { return argmin(in[0]); }, 0, {}));
  const char *argmax_of = "argmax(const Tensor& x, int axis, bool keepdim = false)",
             *argmin_of = "argmin(const Tensor& x, int axis, bool keepdim = false)";
  rows.push_back(index_row(
      argmax_of, "0, keepdim", [](const Args& in) { return argmax(in[0], 0, true); }, {{1, 0, 1}}, 0));
  rows.push_back(index_row(
      argmin_of, "-1", [](const Args& in) { return argmin(in[0], -1); }, {0, 1}, -1));
  rows.push_back(index_row(
      argmin_of, "0, keepdim", [](const Args& in) { return argmin(in[0], 0, true); }, {{0, 1, 0}}, 0));

  const char *any_of = "any(const Tensor& x, Axes axes = {}, bool keepdim = false)",
             *all_of = "all(const Tensor& x, Axes axes = {}, bool keepdim = false)";
  const auto yes = [](const NestedList& list) { return tensor(list, DType::boolean); };
  rows.push_back(boolean_row(any_of, "all axes", [](const Args& in) { return any(in[0] < 0); }, yes(1), {}));
  rows.push_back(boolean_row(
      any_of, "-1", [](const Args& in) { return any(in[0] < 0, -1); }, yes({1, 0}), -1));
  rows.push_back(boolean_row(
      any_of, "0, keepdim", [](const Args& in) { return any(in[0] < 0, 0, true); }, yes({{0, 1, 1}}), 0));
  rows.push_back(boolean_row(any_of, "first and last", [](const Args& in) { return any(in[0] < 0, {0, -1}); }, yes(1), {0, -1}));
  rows.push_back(boolean_row(all_of, "all axes", [](const Args& in) { return all(in[0] > 0); }, yes(0), {}));
  rows.push_back(boolean_row(
      all_of, "-1", [](const Args& in) { return all(in[0] > 0, -1); }, yes({0, 1}), -1));
  rows.push_back(boolean_row(
      all_of, "0, keepdim", [](const Args& in) { return all(in[0] > 0, 0, true); }, yes({{1, 0, 0}}), 0));
  rows.push_back(boolean_row(all_of, "first and last", [](const Args& in) { return all(in[0] > 0, {0, -1}); }, yes(0), {0, -1}));

  rows.push_back(cumsum_row("-1", -1, {{1, 6, 9}, {4, 6, 12}}));
  rows.push_back(cumsum_row("0", 0, {{1, 5, 3}, {5, 7, 9}}));
}
