#pragma once
#include <capstan/core/tensor.h>

#include <initializer_list>
#include <vector>

namespace capstan {

/// Uninitialised, zero, one or `value` everywhere. Throw ShapeError for an impossible shape; here and below, what an i64 cannot
/// hold (a fraction, NaN, infinity) is a ValueError.
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

/// A tensor with the given elements, to any depth: tensor({{1, 2}, {3, 4}}) has shape [2, 2], tensor(5) has shape [].
/// f32 unless told. Throws ShapeError when the lists are ragged. Braces hold numbers only; for a run-time list of numbers
/// see the overloads for std::vector. An i64 beyond 2^53 needs std::vector<std::int64_t>.
Tensor tensor(const NestedList& values, DType dtype = DType::f32);
/// A 1-d copy of a vector, in its own dtype; T is float, double or std::int64_t.
template <class T>
Tensor tensor(const std::vector<T>& values);

}  // namespace capstan
