#include <capstan/core/create.h>

#include <capstan/core/compute.h>
#include <capstan/core/pool.h>
#include <capstan/core/text.h>

#include <cmath>
#include <cstring>

// New tensors from sizes, ranges and lists. The lists are measured first, so that a ragged one is refused before anything is made.

namespace capstan {

using detail::fail;

namespace {

template <class F>
void with_type(DType dtype, F f) {
  switch (dtype) {
    case DType::f32: f(float{}); break;
    case DType::f64: f(double{}); break;
    case DType::i64: f(std::int64_t{}); break;
    case DType::boolean: f(bool{}); break;
  }
}

template <class T>
T element(const char* op, double value) {
  if constexpr (std::is_same_v<T, std::int64_t>) {
    return detail::whole_element(op, value);
  } else if constexpr (std::is_same_v<T, bool>) {
    return value != 0;
  } else {
    return static_cast<T>(value);
  }
}

void shape_of(const NestedList& list, std::vector<std::int64_t>& sizes) {
  if (list.is_leaf()) return;
  sizes.push_back(static_cast<std::int64_t>(list.items().size()));
  if (!list.items().empty()) shape_of(list.items().front(), sizes);
}

template <class T>
void copy_values(const NestedList& list, const std::vector<std::int64_t>& sizes, std::size_t depth, T*& out) {
  if (list.is_leaf() != (depth == sizes.size()))
    fail<ShapeError>("tensor", "nested lists must have one depth: numbers stand beside lists at depth ", depth);
  if (list.is_leaf()) {
    *out++ = element<T>("tensor", list.value());
    return;
  }
  if (static_cast<std::int64_t>(list.items().size()) != sizes[depth]) detail::ragged_list(list.items().size(), sizes[depth], depth);
  for (const NestedList& item : list.items()) copy_values(item, sizes, depth + 1, out);
}

}  // namespace

Tensor empty(const Shape& shape, DType dtype) { return Tensor::adopt(detail::new_block(dtype, shape)); }

Tensor zeros(const Shape& shape, DType dtype) {
  Tensor t = empty(shape, dtype);
  std::memset(t.header()->data, 0, static_cast<std::size_t>(t.numel()) * size_of(dtype));
  return t;
}

Tensor ones(const Shape& shape, DType dtype) { return full(shape, 1, dtype); }

Tensor full(const Shape& shape, double value, DType dtype) {
  kernels::require_fit("full", "the value", value, dtype);
  Tensor t = empty(shape, dtype);
  with_type(dtype, [&](auto type) {
    using T = decltype(type);
    const T v = element<T>("full", value);
    T* data = t.data<T>();
    for (std::int64_t i = 0; i < t.numel(); ++i) data[i] = v;
  });
  return t;
}

Tensor empty_like(const Tensor& like) { return Tensor::adopt(detail::new_block_like(like.header())); }
Tensor zeros_like(const Tensor& like) { return zeros(like.shape(), like.dtype()); }

Tensor arange(double begin, double end, double step, DType dtype) {
  if (!std::isfinite(begin) || !std::isfinite(end) || !std::isfinite(step))
    fail<ValueError>("arange", "begin, end and step must be finite: ", begin, ", ", end, ", ", step);
  if (step == 0 || (end - begin) / step < 0) fail<ValueError>("arange", "step must lead from begin to end: ", begin, ", ", end, ", ", step);
  const double count = std::ceil((end - begin) / step);
  if (count > 0x1p48) fail<ShapeError>("arange", "a tensor has at most 2^48 elements: ", count);
  kernels::require_fit("arange", "begin", begin, dtype);
  kernels::require_fit("arange", "end", end, dtype);
  kernels::require_fit("arange", "step", step, dtype);
  Tensor t = empty({static_cast<std::int64_t>(count)}, dtype);
  with_type(dtype, [&](auto type) {
    using T = decltype(type);
    T* data = t.data<T>();
    for (std::int64_t i = 0; i < t.numel(); ++i) data[i] = element<T>("arange", begin + static_cast<double>(i) * step);
  });
  return t;
}

Tensor arange(double end, DType dtype) { return arange(0, end, 1, dtype); }

Tensor eye(std::int64_t n, DType dtype) {
  Tensor t = zeros({n, n}, dtype);
  with_type(dtype, [&](auto type) {
    using T = decltype(type);
    for (std::int64_t i = 0; i < n; ++i) t.data<T>()[i * n + i] = T(1);
  });
  return t;
}

Tensor tensor(const NestedList& values, DType dtype) {
  std::vector<std::int64_t> sizes;
  shape_of(values, sizes);
  Tensor t = empty(Shape(sizes.data(), static_cast<int>(sizes.size())), dtype);
  with_type(dtype, [&](auto type) {
    auto* out = t.data<decltype(type)>();
    copy_values(values, sizes, 0, out);
  });
  return t;
}

namespace detail {

void ragged_list(std::size_t length, std::int64_t first, std::size_t depth) {
  fail<ShapeError>("tensor", "nested lists of one depth must have one length: ", length, " beside ", first, " at depth ", depth);
}

void beyond_i64(std::uint64_t value) {
  fail<ValueError>("tensor", "an i64 element must be less than 2^63: ", value, " (choose double, which rounds it)");
}

std::int64_t whole_element(const char* op, double value) {
  if (!(value >= -0x1p63 && value < 0x1p63) || value != std::trunc(value))
    fail<ValueError>(op, "an i64 element must be a whole number: ", value, " (choose DType::f32 or DType::f64)");
  return static_cast<std::int64_t>(value);
}

}  // namespace detail

}  // namespace capstan
