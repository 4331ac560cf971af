#pragma once
#include <capstan/core/tensor.h>

#include <array>
#include <initializer_list>
#include <type_traits>
#include <vector>

namespace capstan {

/// Uninitialised, zero, one or `value` everywhere.
/// Throws:
///   - ShapeError for an impossible shape.
///   - ValueError, here and below, for an element that the dtype cannot hold: a fraction, NaN or infinity in i64, a number of
///     full() or arange() of which f32 would make infinity or 0.
Tensor empty(const Shape& shape, DType dtype = DType::f32);
Tensor zeros(const Shape& shape, DType dtype = DType::f32);
Tensor ones(const Shape& shape, DType dtype = DType::f32);
Tensor full(const Shape& shape, double value, DType dtype = DType::f32);
/// The same shape and dtype as `like`.
Tensor empty_like(const Tensor& like);
Tensor zeros_like(const Tensor& like);

/// begin, begin + step, ... up to but without `end`; ceil((end - begin) / step) elements. Throws ValueError for step 0,
/// for a range that step leads away from, and for non-finite arguments.
Tensor arange(double begin, double end, double step = 1, DType dtype = DType::f32);
/// 0, 1, ... end - 1.
Tensor arange(double end, DType dtype = DType::f32);
/// The n x n identity.
Tensor eye(std::int64_t n, DType dtype = DType::f32);

/// One recursive list of numbers, what tensor() takes: `{{1, 2}, {3, 4}}`. Not for use by name.
class NestedList {
 public:
  template <class T>
  requires std::is_arithmetic_v<T> NestedList(T value) : value_(static_cast<double>(value)) {}
  NestedList(std::initializer_list<NestedList> items) : items_(items), leaf_(false) {}

  bool is_leaf() const noexcept { return leaf_; }
  double value() const noexcept { return value_; }
  const std::vector<NestedList>& items() const noexcept { return items_; }

 private:
  std::vector<NestedList> items_;
  double value_ = 0;
  bool leaf_ = true;
};

namespace detail {
template <class T>
inline constexpr bool is_list = false;
template <class T, class Allocator>
inline constexpr bool is_list<std::vector<T, Allocator>> = true;
template <class T, std::size_t n>
inline constexpr bool is_list<std::array<T, n>> = true;
template <class T>
inline constexpr bool is_list<std::initializer_list<T>> = !std::is_same_v<T, NestedList>;
}  // namespace detail

/// A tensor with the given elements, to any depth: tensor({{1, 2}, {3, 4}}) has shape [2, 2], tensor(5) has shape [].
/// f32 unless told. Throws ShapeError when the lists are ragged. Braces hold numbers only; for a run-time list of numbers
/// see the overloads for std::vector. An i64 beyond 2^53 needs std::vector<std::int64_t>.
Tensor tensor(const NestedList& values, DType dtype = DType::f32);
/// A copy of the elements of a std::vector, std::array or named std::initializer_list, which may hold such lists in their turn.
/// A std::vector<std::vector<float>> gives shape [outer length, inner length], 0 where there is no inner list.
/// float stays f32, double f64, bool boolean; integers become i64.
///
///     std::vector<float> x = read();
///     const Tensor column = tensor(x).reshape({-1, 1});
///
/// Throws:
///   - ShapeError when inner lengths differ, and for more than six axes.
///   - ValueError for an integer of 2^63 or more.
template <class List>
requires detail::is_list<List> Tensor tensor(const List& values);
/// The same with elements of the given dtype, each converted once. f32 and f64 round to nearest; boolean is x != 0.
/// Throws ValueError for an element of i64 that is no whole number below 2^63.
template <class List>
requires detail::is_list<List> Tensor tensor(const List& values, DType dtype);

namespace detail {

/// What the innermost elements become in a tensor.
template <class T>
struct ElementOf {
  static_assert(std::is_same_v<T, float> || std::is_same_v<T, double> || (std::is_integral_v<T> && sizeof(T) <= 8),
                "tensor() takes float, double, bool and integers, in vectors and arrays to any depth: convert other elements first");
  using Type = std::conditional_t<std::is_integral_v<T> && !std::is_same_v<T, bool>, std::int64_t, T>;
};
template <class T>
requires is_list<T>
struct ElementOf<T> : ElementOf<typename T::value_type> {
};

[[noreturn]] void ragged_list(std::size_t length, std::int64_t first, std::size_t depth);
[[noreturn]] void beyond_i64(std::uint64_t value);
/// An element of i64; ValueError unless it is a whole number that i64 holds.
std::int64_t whole_element(const char* op, double value);

/// An item of a list as an element of type T.
template <class T, class Item>
T element_of(Item item) {
  if constexpr (std::is_same_v<T, bool>) {
    return item != Item(0);
  } else if constexpr (std::is_same_v<T, std::int64_t> && std::is_floating_point_v<Item>) {
    return whole_element("tensor", static_cast<double>(item));
  } else {
    if constexpr (std::is_same_v<T, std::int64_t> && std::is_unsigned_v<Item> && sizeof(Item) >= 8)
      if (static_cast<std::uint64_t>(item) >> 63 != 0) beyond_i64(item);
    return static_cast<T>(item);
  }
}

template <class List>
void list_sizes(const List* list, std::vector<std::int64_t>& sizes) {
  sizes.push_back(list ? static_cast<std::int64_t>(list->size()) : 0);
  if constexpr (is_list<typename List::value_type>) list_sizes(list && list->size() != 0 ? &*list->begin() : nullptr, sizes);
}

/// Copies to `out`, which it leaves behind the last element.
template <class List, class T>
void copy_list(const List& list, const std::int64_t* size, std::size_t depth, T*& out) {
  if (static_cast<std::int64_t>(list.size()) != *size) ragged_list(list.size(), *size, depth);
  for (const auto& item : list) {
    using Item = typename List::value_type;
    if constexpr (is_list<Item>)
      copy_list(item, size + 1, depth + 1, out);
    else
      *out++ = element_of<T, Item>(item);
  }
}

template <class T, class List>
Tensor tensor_of(const List& values) {
  std::vector<std::int64_t> sizes;
  list_sizes(&values, sizes);
  Tensor t = empty(Shape(sizes.data(), static_cast<int>(sizes.size())), dtype_of<T>);
  T* out = t.data<T>();
  copy_list(values, sizes.data(), 0, out);
  return t;
}

}  // namespace detail

template <class List>
requires detail::is_list<List> Tensor tensor(const List& values) {
  return detail::tensor_of<typename detail::ElementOf<List>::Type>(values);
}

template <class List>
requires detail::is_list<List> Tensor tensor(const List& values, DType dtype) {
  static_assert(sizeof(typename detail::ElementOf<List>::Type) > 0);
  switch (dtype) {
    case DType::f32: return detail::tensor_of<float>(values);
    case DType::f64: return detail::tensor_of<double>(values);
    case DType::i64: return detail::tensor_of<std::int64_t>(values);
    case DType::boolean: break;
  }
  return detail::tensor_of<bool>(values);
}

}  // namespace capstan
