#include "over_axes.h"
#include "xsort.h"

using namespace capstan;

namespace operations {

namespace {

Tensor whole(const NestedList& list) { return tensor(list, DType::i64); }

/// argmax or argmin, of all elements and along an axis.
void add_index(std::vector<Operation>& all, const std::string& name, Tensor (*of_all)(const Tensor&), Tensor (*f)(const Tensor&, int, bool),
               std::vector<Checked> of_all_table, std::vector<Checked> table) {
  all.push_back({.name = name,
                 .declaration = name + "(const Tensor& x)",
                 .f = of_all,
                 .kinds = "a",
                 .asked = "inputs = [d.values(d.shape(empty=False), huge=False)]; constant = 0,",
                 .torch = "torch." + name + "(x)",
                 .table = std::move(of_all_table)});
  all.push_back({.name = name + ", axis",
                 .declaration = name + "(const Tensor& x, int axis, bool keepdim = false)",
                 .f = f,
                 .kinds = "a",
                 .asked = one_axis + x_of_s + "; constant = 0,",
                 .torch = "torch." + name + "(x, a, k)",
                 .table = std::move(table)});
}

}  // namespace

void add_extremes(std::vector<Operation>& all) {
  add(
      all, "max", "a", max, max, [](const Array& x, const AxisList& a) { return Array(xt::amax(x, a)); }, 1,
      "torch.amax(x, every(s, a), keepdim=k)", results(6, 5, 6, 4, 5, 6, 5, 6));
  add(
      all, "min", "a", min, nullptr, [](const Array& x, const AxisList& a) { return Array(xt::amin(x, a)); }, 1,
      "torch.amin(x, every(s, a), keepdim=k)", results(1, 1, 2, 1, 2, 3, 1, 1));

  // A vector goes as one row: xt::argmax of a vector along its axis finds the smallest element (xtensor 0.24).
  const auto largest = [](int axis, const NestedList& is) {
    Checked c = plain(
        axis == 0 ? "0" : "-1", [axis](const Tensors& in) { return argmax(in[0], axis); }, whole(is), axis);
    c.same_as = [axis](const Tensors& in) {
      const Tensor x = in[0].dim() == 1 ? in[0].reshape({1, -1}) : in[0];
      const int a = in[0].dim() == 1 ? 1 : axis < 0 ? axis + x.dim() : axis;
      return from_xtensor(xt::cast<std::int64_t>(xt::argmax(x_of(x), static_cast<std::size_t>(a)))).reshape(in[0].shape().without(axis));
    };
    return c;
  };
  add_index(all, "argmax", argmax, argmax, {plain("", [](const Tensors& in) { return argmax(in[0]); }, whole(5), {})},
            {largest(-1, {1, 2}), largest(0, {1, 0, 1}),
             plain(
                 "0, keepdim", [](const Tensors& in) { return argmax(in[0], 0, true); }, whole({{1, 0, 1}}), 0)});
  add_index(all, "argmin", argmin, argmin, {plain("", [](const Tensors& in) { return argmin(in[0]); }, whole(0), {})},
            {plain(
                 "-1", [](const Tensors& in) { return argmin(in[0], -1); }, whole({0, 1}), -1),
             plain(
                 "0, keepdim", [](const Tensors& in) { return argmin(in[0], 0, true); }, whole({{0, 1, 0}}), 0)});
}

}  // namespace operations
