#include "support.h"

#include <capstan/core/axes.h>
#include <capstan/core/compute.h>

#include <cmath>

using namespace capstan;
using kernels::Binary;
using kernels::Unary;

namespace {

/// Element by element, by indices: what broadcasting means.
Values slow_sub(const Tensor& a, const Tensor& b, const Shape& shape) {
  Values result;
  const Values x = values(a), y = values(b);
  const auto at = [&](const Tensor& t, std::int64_t i) {
    std::int64_t place = 0, stride = 1;
    for (int k = 1; k <= shape.dim(); ++k) {
      const std::int64_t index = i % shape[-k];
      i /= shape[-k];
      if (k > t.dim()) continue;
      if (t.size(-k) != 1) place += index * stride;
      stride *= t.size(-k);
    }
    return static_cast<std::size_t>(place);
  };
  for (std::int64_t i = 0; i < shape.numel(); ++i) result.push_back(x[at(a, i)] - y[at(b, i)]);
  return result;
}

Tensor counted(const Shape& shape, DType dtype) {
  Tensor t = arange(static_cast<double>(shape.numel()), dtype);
  return t.reshape(shape);
}

}  // namespace

TEST(Compute, EveryPairOfShapesBroadcasts) {
  std::vector<Shape> shapes = {{}};
  const std::int64_t full[] = {2, 3, 1, 4, 2, 3};
  for (int dim = 1; dim <= 6; ++dim)
    for (int mask = 0; mask < 1 << dim; ++mask) {
      if (dim > 4 && mask % 3 == 1) continue;
      std::int64_t sizes[6];
      for (int i = 0; i < dim; ++i) sizes[i] = mask >> i & 1 ? full[6 - dim + i] : 1;
      shapes.emplace_back(sizes, dim);
    }
  for (const Shape& a : shapes)
    for (const Shape& b : shapes) {
      const DType dtype = (a.dim() + b.dim()) % 2 ? DType::f32 : b.dim() == 3 ? DType::i64 : DType::f64;
      const Tensor x = counted(a, dtype), y = counted(b, dtype), z = kernels::binary("op", Binary::sub, x, y);
      ASSERT_EQ(z.shape(), broadcast("op", a, b));
      ASSERT_EQ(values(z), slow_sub(x, y, z.shape())) << to_string(a) << " - " << to_string(b);
    }
}

TEST(Compute, EmptyOperands) {
  for (const auto& [a, b] : {std::pair<Shape, Shape>{{0}, {0}}, {{0}, {1}}, {{0}, {}}, {{2, 0}, {1}}, {{0, 3}, {3}}, {{1, 3}, {0, 1}}})
    for (const bool swap : {false, true}) {
      const Tensor z = kernels::binary("op", Binary::add, ones(swap ? b : a), ones(swap ? a : b));
      EXPECT_EQ(z.shape(), broadcast("op", a, b));
    }
  EXPECT_EQ(kernels::unary("op", Unary::exp, zeros({0, 2})).shape(), (Shape{0, 2}));
  EXPECT_EQ(kernels::sum(zeros({0})).item(), 0);
  EXPECT_EQ(values(kernels::sum(zeros({0, 2}), 0, false)), (Values{0, 0}));
  EXPECT_EQ(values(kernels::sum(zeros({2, 0}), 1, true)), (Values{0, 0}));
}

TEST(Compute, NumbersBesideTensors) {
  for (const DType dtype : {DType::f32, DType::f64, DType::i64}) {
    const Tensor x = tensor({1, 2, 3}, dtype);
    EXPECT_EQ(values(kernels::binary("op", Binary::sub, x, 1)), (Values{0, 1, 2}));
    EXPECT_EQ(values(kernels::binary("op", Binary::sub, 1, x)), (Values{0, -1, -2}));
    EXPECT_EQ(kernels::binary("op", Binary::sub, 1, x).dtype(), dtype);
    EXPECT_EQ(values(kernels::unary("op", Unary::neg, x)), (Values{-1, -2, -3}));
    EXPECT_EQ(values(kernels::unary("op", Unary::square, x)), (Values{1, 4, 9}));
  }
}

TEST(Compute, RefusesTypes) {
  const Tensor f = ones({2}), d = ones({2, 1}, DType::f64), i = ones({2}, DType::i64), b = ones({2}, DType::boolean);
  EXPECT_EQ(thrown([&] { kernels::binary("add", Binary::add, f, d); }),
            "ValueError: [add] dtypes must agree: f32 [2] and f64 [2, 1] (convert one with to())");
  EXPECT_EQ(thrown([&] { kernels::binary("div", Binary::div, i, i); }), "ValueError: [div] does not take i64 (convert with to())");
  EXPECT_EQ(thrown([&] { kernels::binary("add", Binary::add, b, b); }), "ValueError: [add] does not take boolean (convert with to())");
  EXPECT_EQ(thrown([&] { kernels::binary("add", Binary::add, b, 1); }), "ValueError: [add] does not take boolean (convert with to())");
  EXPECT_EQ(thrown([&] { kernels::binary("div", Binary::div, 1, i); }), "ValueError: [div] does not take i64 (convert with to())");
  EXPECT_EQ(thrown([&] { kernels::binary("mul", Binary::mul, 1.5, i); }),
            "ValueError: [mul] a number beside an i64 tensor must be whole: 1.5");
  EXPECT_EQ(thrown([&] { kernels::unary("exp", Unary::exp, i); }), "ValueError: [exp] takes f32 or f64: i64 [2] (convert with to())");
  EXPECT_EQ(thrown([&] { kernels::unary("neg", Unary::neg, b); }), "ValueError: [neg] takes f32 or f64: boolean [2] (convert with to())");
  EXPECT_EQ(thrown([&] { kernels::binary("add", Binary::add, f, Tensor()); }),
            "ValueError: [tensor] the tensor is undefined: it was default-constructed or moved from");
}

TEST(Compute, SumsAlongEachAxis) {
  const Shape shape{2, 3, 1, 4, 5};
  for (const DType dtype : {DType::f32, DType::f64}) {
    const Tensor x = counted(shape, dtype);
    const Values all = values(x);
    for (int axis = 0; axis < 5; ++axis) {
      Values expected(static_cast<std::size_t>(shape.numel() / shape[axis]), 0);
      std::int64_t inner = 1;
      for (int k = axis + 1; k < 5; ++k) inner *= shape[k];
      for (std::int64_t i = 0; i < shape.numel(); ++i)
        expected[static_cast<std::size_t>(i / (inner * shape[axis]) * inner + i % inner)] += all[static_cast<std::size_t>(i)];
      EXPECT_EQ(values(kernels::sum(x, axis, false)), expected) << axis;
      EXPECT_EQ(values(kernels::sum(x, axis, true)), expected) << axis;
      EXPECT_EQ(kernels::sum(x, axis, true).shape(), shape.with(axis, 1));
      EXPECT_EQ(kernels::sum(x, axis, false).shape(), shape.without(axis));
    }
    EXPECT_EQ(kernels::sum(x).item(), 120 * 119 / 2);
  }
}

TEST(Compute, SumToUndoesExpand) {
  const Shape full{2, 3, 4};
  const Tensor x = counted(full, DType::f64);
  for (const Shape& shape : {Shape{}, Shape{1}, Shape{4}, Shape{1, 1}, Shape{3, 1}, Shape{3, 4}, Shape{1, 4}, Shape{2, 1, 1},
                             Shape{2, 3, 1}, Shape{1, 3, 4}, Shape{2, 1, 4}, Shape{1, 1, 1}, full}) {
    const Tensor small = counted(shape, DType::f64), wide = kernels::expand(small, full), back = kernels::sum_to(x, shape);
    EXPECT_EQ(wide.shape(), full);
    EXPECT_EQ(back.shape(), shape);
    double left = 0, right = 0;  // <expand(s), x> = <s, sum_to(x)>
    for (std::size_t i = 0; i < 24; ++i) left += values(wide)[i] * values(x)[i];
    for (std::size_t i = 0; i < static_cast<std::size_t>(shape.numel()); ++i) right += values(small)[i] * values(back)[i];
    EXPECT_EQ(left, right) << to_string(shape);
    EXPECT_EQ(values(wide), slow_sub(small, zeros(full, DType::f64), full)) << to_string(shape);
  }
}

TEST(Compute, TransposesEveryPairOfAxes) {
  const Shape shape{2, 3, 1, 4, 2, 3};
  for (const DType dtype : all_dtypes) {
    Tensor x = empty(shape, dtype);
    Numbers numbers(1);
    const Tensor filled = tensor([&] {
      std::vector<double> v;
      for (std::int64_t i = 0; i < shape.numel(); ++i) v.push_back(static_cast<double>(numbers.whole(0, 100)));
      return v;
    }());
    x.assign(filled.to(dtype).reshape(shape));
    const Values from = values(x);
    for (int a = 0; a < 6; ++a)
      for (int b = 0; b < 6; ++b) {
        const Tensor y = kernels::transpose(x, a, b);
        ASSERT_EQ(y.shape(), shape.with(a, shape[b]).with(b, shape[a]));
        ASSERT_NE(y.header()->data, x.header()->data);
        const Values to = values(y);
        for (std::int64_t i = 0; i < shape.numel(); ++i) {
          std::int64_t index[6], rest = i, place = 0;
          for (int k = 5; k >= 0; --k) {
            index[k] = rest % shape[k];
            rest /= shape[k];
          }
          std::swap(index[a], index[b]);
          for (int k = 0; k < 6; ++k) place = place * y.size(k) + index[k];
          ASSERT_EQ(to[static_cast<std::size_t>(place)], from[static_cast<std::size_t>(i)]) << a << " " << b << " " << i;
        }
      }
  }
  EXPECT_EQ(kernels::transpose(zeros({0, 3}), 0, 1).shape(), (Shape{3, 0}));
}
