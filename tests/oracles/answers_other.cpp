#include "answers.h"

using namespace capstan;

namespace oracle {

namespace {

int axis(double a) { return static_cast<int>(a); }
std::int64_t whole(double a) { return static_cast<std::int64_t>(a); }
/// All numbers from `first` on.
template <class T>
std::vector<T> rest(const Args& a, std::size_t first) {
  std::vector<T> list;
  for (std::size_t i = first; i < a.size(); ++i) list.push_back(static_cast<T>(a[i]));
  return list;
}
Shape shape_of(const Args& a) {
  const std::vector<std::int64_t> sizes = rest<std::int64_t>(a, 0);
  return {sizes.data(), static_cast<int>(sizes.size())};
}

/// keepdim, then axes.
template <Tensor (*f)(const Tensor&, Axes, bool)>
Tensors over_axes(const Tensors& x, const Args& a) {
  return {f(x[0], rest<int>(a, 1), a[0] != 0)};
}
template <Tensor (*f)(const Tensor&, int, bool)>
Tensors over_axis(const Tensors& x, const Args& a) {
  return {f(x[0], axis(a[1]), a[0] != 0)};
}
template <Tensor (*f)(const Tensor&, int)>
Tensors along(const Tensors& x, const Args& a) {
  return {f(x[0], axis(a[0]))};
}
template <Tensor (*f)(const Tensor&, Axes)>
Tensors with_axes(const Tensors& x, const Args& a) {
  return {f(x[0], rest<int>(a, 0))};
}
template <Tensor (*f)(const Tensor&, std::int64_t)>
Tensors with_whole(const Tensors& x, const Args& a) {
  return {f(x[0], whole(a[0]))};
}
template <Tensor (*f)(const std::vector<Tensor>&, int)>
Tensors join(const Tensors& x, const Args& a) {
  return {f(x, axis(a[0]))};
}

/// The gradient of a weighted sum of f for the first tensor, and the gradient of a weighted sum of that.
template <class F>
Tensors second(const Tensors& x, F f) {
  Tape tape({.higher_order = true});
  tape.watch(x[0]);
  const Tensor g = tape.gradient(weighted_sum({f()}), x[0]);
  return {g, tape.gradient(weighted_sum({g}), x[0])};
}

Tensors call_cross_entropy(const Tensors& x, const Args& a) {
  return {cross_entropy(x[0], x[1],
                        {.weight = x.size() > 2 ? x[2] : Tensor(), .reduction = static_cast<Reduction>(a[0]), .label_smoothing = a[1]})};
}
Tensors call_nll_loss(const Tensors& x, const Args& a) {
  return {nll_loss(x[0], x[1],
                   {.weight = x.size() > 2 ? x[2] : Tensor(), .ignore_index = whole(a[1]), .reduction = static_cast<Reduction>(a[0])})};
}

}  // namespace

const std::vector<Answer>& other_answers() {
  static const std::vector<Answer> table = {
      {"sum", over_axes<sum>},
      {"mean", over_axes<mean>},
      {"max", over_axes<max>},
      {"min", over_axes<min>},
      {"prod", over_axes<prod>},
      {"logsumexp", over_axes<logsumexp>},
      {"any", over_axes<any>},
      {"all", over_axes<all>},
      {"argmax", over_axis<argmax>},
      {"argmin", over_axis<argmin>},
      {"var",
       [](const Tensors& x, [[maybe_unused]] const Args& a) -> Tensors { return {capstan::var(x[0], rest<int>(a, 2), a[0] != 0, a[1])}; }},
      {"std",
       [](const Tensors& x, [[maybe_unused]] const Args& a) -> Tensors { return {capstan::std(x[0], rest<int>(a, 2), a[0] != 0, a[1])}; }},
      {"norm", [](const Tensors& x, [[maybe_unused]] const Args& a) -> Tensors { return {norm(x[0], a[1], rest<int>(a, 2), a[0] != 0)}; }},
      {"cumsum", along<cumsum>},
      {"softmax", along<softmax>},
      {"log_softmax", along<log_softmax>},
      {"unsqueeze", along<unsqueeze>},
      {"matmul",
       [](const Tensors& x, [[maybe_unused]] const Args& a) -> Tensors {
         return {matmul(x[0], x[1], {.transpose_a = a[0] != 0, .transpose_b = a[1] != 0})};
       }},
      {"linear",
       [](const Tensors& x, [[maybe_unused]] const Args& a) -> Tensors {
         return {x.size() > 2 ? linear(x[0], x[1], x[2]) : linear(x[0], x[1])};
       }},
      {"linear_relu", [](const Tensors& x, [[maybe_unused]] const Args& a) -> Tensors { return {linear_relu(x[0], x[1], x[2])}; }},
      {"dot", two<dot>},
      {"outer", two<outer>},
      {"solve", two<solve>},
      {"lstsq",
       [](const Tensors& x, const Args& a) -> Tensors {
         const Lstsq all = lstsq(x[0], x[1], a.empty() ? std::optional<double>() : a[0]);
         return {all.solution, all.rank};
       }},
      {"inverse", one<inverse>},
      {"det", one<det>},
      {"logdet", one<logdet>},
      {"cholesky", one<cholesky>},
      {"qr",
       [](const Tensors& x, [[maybe_unused]] const Args& a) -> Tensors {
         const QR f = qr(x[0]);
         return {f.q, f.r};
       }},
      {"eigh",
       [](const Tensors& x, [[maybe_unused]] const Args& a) -> Tensors {
         const Eigh e = eigh(x[0]);
         return {e.values, abs(e.vectors)};
       }},
      {"reshape", [](const Tensors& x, [[maybe_unused]] const Args& a) -> Tensors { return {reshape(x[0], shape_of(a))}; }},
      {"expand", [](const Tensors& x, [[maybe_unused]] const Args& a) -> Tensors { return {expand(x[0], shape_of(a))}; }},
      {"transpose", [](const Tensors& x, [[maybe_unused]] const Args& a) -> Tensors { return {transpose(x[0], axis(a[0]), axis(a[1]))}; }},
      {"rows", [](const Tensors& x, [[maybe_unused]] const Args& a) -> Tensors { return {rows(x[0], whole(a[0]), whole(a[1]))}; }},
      {"slice",
       [](const Tensors& x, [[maybe_unused]] const Args& a) -> Tensors {
         return {slice(x[0], axis(a[0]), whole(a[1]), whole(a[2]), whole(a[3]))};
       }},
      {"permute", with_axes<permute>},
      {"squeeze", with_axes<squeeze>},
      {"flip", with_axes<flip>},
      {"repeat", [](const Tensors& x, [[maybe_unused]] const Args& a) -> Tensors { return {repeat(x[0], rest<std::int64_t>(a, 0))}; }},
      {"pad", [](const Tensors& x, [[maybe_unused]] const Args& a) -> Tensors { return {pad(x[0], rest<std::int64_t>(a, 1), a[0])}; }},
      {"tril", with_whole<tril>},
      {"triu", with_whole<triu>},
      {"concat", join<concat>},
      {"stack", join<stack>},
      {"split", [](const Tensors& x, [[maybe_unused]] const Args& a) -> Tensors { return split(x[0], whole(a[1]), axis(a[0])); }},
      {"split_sizes",
       [](const Tensors& x, [[maybe_unused]] const Args& a) -> Tensors { return split(x[0], rest<std::int64_t>(a, 1), axis(a[0])); }},
      {"index_select", [](const Tensors& x, [[maybe_unused]] const Args& a) -> Tensors { return {index_select(x[0], axis(a[0]), x[1])}; }},
      {"gather", [](const Tensors& x, [[maybe_unused]] const Args& a) -> Tensors { return {gather(x[0], axis(a[0]), x[1])}; }},
      {"scatter_add",
       [](const Tensors& x, [[maybe_unused]] const Args& a) -> Tensors { return {scatter_add(x[0], axis(a[0]), x[1], x[2])}; }},
      {"one_hot", [](const Tensors& x, [[maybe_unused]] const Args& a) -> Tensors { return {one_hot(x[0], whole(a[0]))}; }},
      {"sort",
       [](const Tensors& x, [[maybe_unused]] const Args& a) -> Tensors {
         const Sorted s = sort(x[0], axis(a[0]), a[1] != 0);
         return {s.values, s.indices};
       }},
      {"argsort", [](const Tensors& x, [[maybe_unused]] const Args& a) -> Tensors { return {argsort(x[0], axis(a[0]), a[1] != 0)}; }},
      {"topk",
       [](const Tensors& x, [[maybe_unused]] const Args& a) -> Tensors {
         const Sorted s = topk(x[0], whole(a[2]), axis(a[0]), a[1] != 0);
         return {s.values, s.indices};
       }},
      {"std, second",
       [](const Tensors& x, [[maybe_unused]] const Args& a) -> Tensors { return second(x, [&] { return capstan::std(x[0], 1); }); }},
      {"var, second",
       [](const Tensors& x, [[maybe_unused]] const Args& a) -> Tensors { return second(x, [&] { return capstan::var(x[0], 1); }); }},
      {"norm, second", [](const Tensors& x, const Args& a) -> Tensors { return second(x, [&] { return norm(x[0], a[0], 1); }); }},
      {"det, second", [](const Tensors& x, [[maybe_unused]] const Args& a) -> Tensors { return second(x, [&] { return det(x[0]); }); }},
      {"lstsq, second",
       [](const Tensors& x, [[maybe_unused]] const Args& a) -> Tensors { return second(x, [&] { return lstsq(x[0], x[1]).solution; }); }},
      {"cross_entropy", call_cross_entropy},
      {"nll_loss", call_nll_loss},
  };
  return table;
}

}  // namespace oracle
