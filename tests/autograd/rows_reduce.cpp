#include "xtensor_support.h"

using namespace capstan;

namespace {

// An axis is given from the end, so that one row serves every shape with enough axes.
std::vector<std::vector<Shape>> shapes_from(int dims) {
  std::vector<std::vector<Shape>> of;
  for (const auto& shapes : one_shapes())
    if (shapes[0].dim() >= dims) of.push_back(shapes);
  return of;
}

std::vector<std::vector<Shape>> without_empty(std::vector<std::vector<Shape>> of) {
  std::erase_if(of, [](const std::vector<Shape>& shapes) { return shapes[0].numel() == 0; });
  return of;
}

std::size_t axis_of(const Tensor& x, int axis) { return static_cast<std::size_t>(axis < 0 ? axis + x.dim() : axis); }

// xt reduces over one axis to a lazy expression, which from_xtensor evaluates. A vector goes as one row: xt::argmax of a
// vector along its axis finds the smallest element (xtensor 0.24).
template <class Reduce>
std::function<Tensor(const Args&)> along(int axis, bool keepdim, Reduce reduce) {
  return [=](const Args& in) {
    const Shape shape = in[0].shape();
    const Tensor x = shape.dim() == 1 ? in[0].reshape({1, -1}) : in[0];
    const Tensor y = from_xtensor(reduce(x_of(x), shape.dim() == 1 ? 1 : axis_of(x, axis)));
    return y.reshape(keepdim ? shape.with(axis, 1) : shape.without(axis));
  };
}

std::string form(int axis, bool keepdim) { return "axis " + std::to_string(axis) + (keepdim ? ", keepdim" : ""); }

}  // namespace

void add_reduce_rows(std::vector<OpRow>& rows) {
  const NestedList m = {{1, 5, 3}, {4, 2, 6}};
  rows.push_back({.declaration = "sum(const Tensor& x)",
                  .f = [](const Args& in) { return sum(in[0]); },
                  .at = {d(m)},
                  .is = d(21),
                  .shapes = one_shapes(),
                  .same_as = by_xtensor([](const auto& x) { return xt::sum(x); })});
  rows.push_back({.declaration = "mean(const Tensor& x)",
                  .f = [](const Args& in) { return mean(in[0]); },
                  .at = {d(m)},
                  .is = d(3.5),
                  .shapes = without_empty(one_shapes()),
                  .same_as = by_xtensor([](const auto& x) { return xt::mean(x); })});
  rows.push_back({.declaration = "max(const Tensor& x)",
                  .f = [](const Args& in) { return max(in[0]); },
                  .at = {d(m)},
                  .is = d(6),
                  .shapes = without_empty(one_shapes()),
                  .same_as = by_xtensor([](const auto& x) { return xt::amax(x); })});
  // axis, keepdim and f(m) for sum, mean and max
  struct Case {
    int axis;
    bool keepdim;
    NestedList sum, mean, max;
  };
  const Case cases[] = {
      {-1, false, {9, 12}, {3, 4}, {5, 6}},
      {-1, true, {{9}, {12}}, {{3}, {4}}, {{5}, {6}}},
      {-2, false, {5, 7, 9}, {2.5, 3.5, 4.5}, {4, 5, 6}},
      {-2, true, {{5, 7, 9}}, {{2.5, 3.5, 4.5}}, {{4, 5, 6}}},
      {0, false, {5, 7, 9}, {2.5, 3.5, 4.5}, {4, 5, 6}},
      {0, true, {{5, 7, 9}}, {{2.5, 3.5, 4.5}}, {{4, 5, 6}}},
  };
  for (const Case& c : cases) {
    const int a = c.axis, dims = a < 0 ? -a : 1;
    const bool k = c.keepdim;
    // Along an axis of size 0 there is a sum, but no mean and no maximum; of no lines there are all three.
    std::vector<std::vector<Shape>> nonempty = shapes_from(dims);
    std::erase_if(nonempty, [&](const std::vector<Shape>& shapes) { return shapes[0][a] == 0; });
    rows.push_back({.declaration = "sum(const Tensor& x, Axes axes, bool keepdim = false)",
                    .form = form(a, k),
                    .f = [=](const Args& in) { return sum(in[0], a, k); },
                    .at = {d(m)},
                    .is = d(c.sum),
                    .shapes = shapes_from(dims),
                    .same_as = along(a, k, [](const auto& x, std::size_t axis) { return xt::sum(x, {axis}); })});
    rows.push_back({.declaration = "mean(const Tensor& x, Axes axes, bool keepdim = false)",
                    .form = form(a, k),
                    .f = [=](const Args& in) { return mean(in[0], a, k); },
                    .at = {d(m)},
                    .is = d(c.mean),
                    .shapes = nonempty,
                    .same_as = along(a, k, [](const auto& x, std::size_t axis) { return xt::mean(x, {axis}); })});
    rows.push_back({.declaration = "max(const Tensor& x, Axes axes, bool keepdim = false)",
                    .form = form(a, k),
                    .f = [=](const Args& in) { return max(in[0], a, k); },
                    .at = {d(m)},
                    .is = d(c.max),
                    .shapes = nonempty,
                    .same_as = along(a, k, [](const auto& x, std::size_t axis) { return xt::amax(x, {axis}); })});
  }
  for (const int axis : {-1, 0}) {
    std::vector<std::vector<Shape>> nonempty = shapes_from(1);
    std::erase_if(nonempty, [&](const std::vector<Shape>& shapes) { return shapes[0][axis] == 0; });
    rows.push_back({.declaration = "argmax(const Tensor& x, int axis, bool keepdim = false)",
                    .form = form(axis, false),
                    .f = [axis](const Args& in) { return argmax(in[0], axis); },
                    .at = {d(m)},
                    .is = axis == 0 ? tensor({1, 0, 1}, DType::i64) : tensor({1, 2}, DType::i64),
                    .shapes = nonempty,
                    .same_as = along(axis, false, [](const auto& x, std::size_t a) { return xt::cast<std::int64_t>(xt::argmax(x, a)); }),
                    .has_gradient = false});
  }
}
