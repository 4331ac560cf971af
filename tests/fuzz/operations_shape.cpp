#include <new>

#include "operations.h"

using namespace capstan;

namespace fuzz {

namespace {

using Sizes = std::vector<std::int64_t>;

/// A call of x[0] with one argument that `draw` takes from the bytes.
template <class Draw, class F>
Call with(Bytes& in, Draw draw, F f) {
  return [argument = draw(in), f](const Tensors& x) -> Tensors { return {f(x[0], argument)}; };
}

Call call_reshape(Bytes& in) {
  return with(
      in, [](Bytes& b) { return b.sizes(); }, [](const Tensor& x, const Shape& s) { return reshape(x, s); });
}
Call call_reshape_list(Bytes& in) {
  const std::int64_t a = in.whole(), b = in.whole(), c = in.whole();
  return [a, b, c, three = in.flag()](const Tensors& x) -> Tensors { return {three ? reshape(x[0], {a, b, c}) : reshape(x[0], {a, b})}; };
}
Call call_transpose(Bytes& in) {
  const int a = in.axis(), b = in.axis();
  return [a, b](const Tensors& x) -> Tensors { return {transpose(x[0], a, b)}; };
}
Call call_rows(Bytes& in) {
  const std::int64_t begin = in.whole(), end = in.whole();
  return [begin, end](const Tensors& x) -> Tensors { return {rows(x[0], begin, end)}; };
}
Call call_slice(Bytes& in) {
  const int axis = in.axis();
  const std::int64_t begin = in.whole(), end = in.whole(), step = in.whole();
  return [axis, begin, end, step](const Tensors& x) -> Tensors { return {slice(x[0], axis, begin, end, step)}; };
}
template <Tensor (*f)(const Tensor&, Axes)>
Call with_axes(Bytes& in) {
  return [axes = in.axes()](const Tensors& x) -> Tensors { return {f(x[0], axes)}; };
}
Call call_unsqueeze(Bytes& in) {
  return with(
      in, [](Bytes& b) { return b.axis(); }, [](const Tensor& x, int axis) { return unsqueeze(x, axis); });
}
Call call_expand(Bytes& in) {
  return with(
      in, [](Bytes& b) { return b.sizes(); }, [](const Tensor& x, const Shape& s) { return expand(x, s); });
}
Call call_repeat(Bytes& in) {
  return with(
      in, [](Bytes& b) { return b.wholes(); }, [](const Tensor& x, const Sizes& counts) { return repeat(x, counts); });
}
Call call_pad(Bytes& in) {
  Sizes widths = in.wholes();
  const double value = in.number();
  return [widths, value](const Tensors& x) -> Tensors { return {pad(x[0], widths, value)}; };
}
template <Tensor (*f)(const Tensor&, std::int64_t)>
Call triangle(Bytes& in) {
  return with(
      in, [](Bytes& b) { return b.whole(); }, [](const Tensor& x, std::int64_t k) { return f(x, k); });
}
template <Tensor (*f)(const std::vector<Tensor>&, int)>
Call join(Bytes& in) {
  return [axis = in.axis()](const Tensors& x) -> Tensors { return {f(x, axis)}; };
}
Call call_split(Bytes& in) {
  const std::int64_t size = in.whole();
  const int axis = in.axis();
  return [size, axis](const Tensors& x) -> Tensors {
    if (x[0].dim() > 0 && axis >= -x[0].dim() && axis < x[0].dim() && size > 0 && x[0].size(axis) / size > 1000)
      throw std::bad_alloc();  // a list of so many parts, for which a sanitizer would end the program
    return split(x[0], size, axis);
  };
}
Call call_split_sizes(Bytes& in) {
  Sizes sizes = in.wholes();
  const int axis = in.axis();
  return [sizes, axis](const Tensors& x) -> Tensors { return split(x[0], sizes, axis); };
}
Call call_index_select(Bytes& in) {
  return [axis = in.axis()](const Tensors& x) -> Tensors { return {index_select(x[0], axis, x[1])}; };
}
Call call_gather(Bytes& in) {
  return [axis = in.axis()](const Tensors& x) -> Tensors { return {gather(x[0], axis, x[1])}; };
}
Call call_scatter_add(Bytes& in) {
  return [axis = in.axis()](const Tensors& x) -> Tensors { return {scatter_add(x[0], axis, x[1], x[2])}; };
}
Call call_one_hot(Bytes& in) {
  const std::int64_t classes = in.whole();
  const DType dtype = in.dtype();
  return [classes, dtype](const Tensors& x) -> Tensors { return {one_hot(x[0], classes, dtype)}; };
}
Call call_sort(Bytes& in) {
  const int axis = in.axis();
  const bool descending = in.flag();
  return [axis, descending](const Tensors& x) -> Tensors {
    const Sorted s = sort(x[0], axis, descending);
    return {s.values, s.indices};
  };
}
Call call_argsort(Bytes& in) {
  const int axis = in.axis();
  const bool descending = in.flag();
  return [axis, descending](const Tensors& x) -> Tensors { return {argsort(x[0], axis, descending)}; };
}
Call call_topk(Bytes& in) {
  const std::int64_t k = in.whole();
  const int axis = in.axis();
  const bool largest = in.flag();
  return [k, axis, largest](const Tensors& x) -> Tensors {
    const Sorted s = topk(x[0], k, axis, largest);
    return {s.values, s.indices};
  };
}

const Operation table[] = {
    {"reshape", "a", call_reshape},
    {"reshape, list", "a", call_reshape_list},
    {"transpose", "a", call_transpose},
    {"rows", "a", call_rows},
    {"slice", "a", call_slice},
    {"permute", "a", with_axes<permute>},
    {"squeeze", "a", with_axes<squeeze>},
    {"unsqueeze", "a", call_unsqueeze},
    {"expand", "a", call_expand},
    {"repeat", "a", call_repeat},
    {"flip", "a", with_axes<flip>},
    {"pad", "a", call_pad},
    {"tril", "a", triangle<tril>},
    {"triu", "a", triangle<triu>},
    {"concat", "*", join<concat>},
    {"stack", "*", join<stack>},
    {"split", "a", call_split},
    {"split, sizes", "a", call_split_sizes},
    {"index_select", "fi", call_index_select},
    {"gather", "fi", call_gather},
    {"scatter_add", "fif", call_scatter_add},
    {"one_hot", "i", call_one_hot},
    {"sort", "a", call_sort},
    {"argsort", "a", call_argsort},
    {"topk", "a", call_topk},
};

}  // namespace

std::span<const Operation> shape_operations() { return table; }

}  // namespace fuzz
