#include "support.h"

#include <capstan/core/xtensor.h>

#include <xtensor/xarray.hpp>
#include <xtensor/xtensor.hpp>
#include <xtensor/xview.hpp>

using namespace capstan;

TEST(Xtensor, ReadsAndWritesTheTensorsMemory) {
  const Tensor x = arange(6).reshape({2, 3});
  auto view = as_xtensor<float, 2>(x);
  EXPECT_EQ(view.shape()[0], 2u);
  EXPECT_EQ(view.shape()[1], 3u);
  EXPECT_EQ(view(1, 2), 5.f);
  EXPECT_EQ(&view(0, 0), x.data<float>());
  view(0, 1) = 10;
  view *= 2.f;
  EXPECT_EQ(values(x), (Values{0, 20, 4, 6, 8, 10}));
  x.data<float>()[5] = -1;
  EXPECT_EQ(view(1, 2), -1.f);
}

TEST(Xtensor, ServesEveryTypeAndDimension) {
  EXPECT_EQ((as_xtensor<double, 1>(tensor({1, 2.5}, DType::f64))(1)), 2.5);
  EXPECT_EQ((as_xtensor<std::int64_t, 1>(tensor({1, 2}, DType::i64))(1)), 2);
  EXPECT_EQ((as_xtensor<bool, 1>(tensor({0, 1}, DType::boolean))(1)), true);
  EXPECT_EQ((as_xtensor<const float, 1>(arange(3))(2)), 2.f);
  const Tensor scalar = tensor(7), six = ones({1, 2, 3, 1, 2, 2}), none = zeros({3, 0}), rows = arange(8).reshape({4, 2}).rows(1, 3);
  EXPECT_EQ((as_xtensor<float, 0>(scalar)()), 7.f);
  EXPECT_EQ((as_xtensor<float, 6>(six).size()), 24u);
  EXPECT_EQ((as_xtensor<float, 2>(none).size()), 0u);
  EXPECT_EQ((as_xtensor<float, 2>(rows)(1, 1)), 5.f);
}

TEST(Xtensor, TakesATensorOfAnyDimension) {
  for (const Shape& shape : {Shape{}, Shape{3}, Shape{0, 2}, Shape{2, 3}, Shape{1, 2, 1, 3, 1, 2}}) {
    const Tensor x = ones(shape);
    const auto view = as_xtensor<float>(x);
    ASSERT_EQ(view.dimension(), static_cast<std::size_t>(shape.dim()));
    for (int i = 0; i < shape.dim(); ++i) EXPECT_EQ(view.shape()[static_cast<std::size_t>(i)], static_cast<std::size_t>(shape[i]));
    const Tensor y = from_xtensor(view + as_xtensor<const float>(x));
    EXPECT_EQ(y.shape(), shape);
    EXPECT_EQ(values(y), Values(static_cast<std::size_t>(shape.numel()), 2));
    xt::noalias(as_xtensor<float>(y)) = view * 3.f;
    EXPECT_EQ(values(y), Values(static_cast<std::size_t>(shape.numel()), 3));
  }
  using Read = decltype(as_xtensor<const float>(zeros({1})));
  static_assert(std::is_same_v<decltype(std::declval<Read&>()(0)), const float&>);
  EXPECT_EQ(thrown([] { as_xtensor<double>(zeros({2})); }),
            "ValueError: [data] the element type must be the tensor's own: asked for f64, the tensor is f32 (convert with to())");
}

TEST(Xtensor, RefusesAnotherTypeOrDimension) {
  const Tensor x = zeros({2, 3});
  EXPECT_EQ(thrown([&] { as_xtensor<double, 2>(x); }),
            "ValueError: [data] the element type must be the tensor's own: asked for f64, the tensor is f32 (convert with to())");
  EXPECT_EQ(thrown([&] { as_xtensor<float, 1>(x); }), "ShapeError: [xtensor] the number of axes must be 1: [2, 3]");
  EXPECT_EQ(thrown([&] { as_xtensor<float, 2>(Tensor()); }),
            "ValueError: [tensor] the tensor is undefined: it was default-constructed or moved from");
}

TEST(Xtensor, ATensorOfAnyExpression) {
  const Tensor x = tensor({{1, 4}, {9, 16}});
  const auto view = as_xtensor<float, 2>(x);
  const Tensor y = from_xtensor(xt::sqrt(view) + 1.f);
  EXPECT_EQ(y.dtype(), DType::f32);
  EXPECT_EQ(y.shape(), (Shape{2, 2}));
  EXPECT_EQ(values(y), (Values{2, 3, 4, 5}));
  EXPECT_EQ(values(from_xtensor(xt::sum(view, {0}))), (Values{10, 20}));
  EXPECT_EQ(values(from_xtensor(xt::sum(view))), Values{30});
  EXPECT_EQ(from_xtensor(xt::sum(view)).shape(), Shape{});
  EXPECT_EQ(values(from_xtensor(xt::transpose(view))), (Values{1, 9, 4, 16}));
  EXPECT_EQ(values(from_xtensor(xt::view(view, xt::all(), 1))), (Values{4, 16}));
  const Tensor mask = from_xtensor(view > 5.f);
  EXPECT_EQ(mask.dtype(), DType::boolean);
  EXPECT_EQ(values(mask), (Values{0, 0, 1, 1}));
  const xt::xarray<double> column_major = xt::xarray<double, xt::layout_type::column_major>{{1, 2}, {3, 4}};
  EXPECT_EQ(values(from_xtensor(column_major)), (Values{1, 2, 3, 4}));
  EXPECT_EQ(from_xtensor(xt::xtensor<std::int64_t, 1>{1, 2}).dtype(), DType::i64);
  EXPECT_EQ(from_xtensor(xt::xtensor<float, 2>(std::array<std::size_t, 2>{0, 3})).shape(), (Shape{0, 3}));
}

TEST(Xtensor, AResultIsItsOwnMemory) {
  const Tensor x = ones({3}), y = from_xtensor(as_xtensor<float, 1>(x));
  EXPECT_NE(y.data<float>(), x.data<float>());
  as_xtensor<float, 1>(x) += as_xtensor<float, 1>(y) * 3.f;
  EXPECT_EQ(values(x), (Values{4, 4, 4}));
  EXPECT_EQ(values(y), (Values{1, 1, 1}));
}

TEST(Xtensor, RefusesMoreThanSixAxes) {
  const xt::xarray<float> deep = xt::xarray<float>::from_shape({1, 1, 1, 1, 1, 1, 1});
  EXPECT_EQ(thrown([&] { from_xtensor(deep); }), "ShapeError: [shape] a tensor has at most 6 axes: 7");
}
