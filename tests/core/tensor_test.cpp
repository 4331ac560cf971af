#include "support.h"

#include <type_traits>

using namespace capstan;

namespace {
const char* const undefined = "ValueError: [tensor] the tensor is undefined: it was default-constructed or moved from";
}

TEST(Tensor, KnowsItsShapeAndType) {
  const Tensor x = zeros({2, 3, 4, 5, 6, 7}, DType::f64);
  EXPECT_EQ(x.shape(), (Shape{2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(x.dim(), 6);
  EXPECT_EQ(x.numel(), 5040);
  EXPECT_EQ(x.dtype(), DType::f64);
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(x.size(i), i + 2);
    EXPECT_EQ(x.size(i - 6), i + 2);
  }
  EXPECT_EQ(thrown([&] { x.size(6); }), "ShapeError: [size] there is no such axis: 6 of 6 (from -6 to 5)");
  EXPECT_EQ(thrown([&] { x.size(-7); }), "ShapeError: [size] there is no such axis: -7 of 6 (from -6 to 5)");
}

TEST(Tensor, MayBeAScalarOrEmpty) {
  for (const DType dtype : all_dtypes) {
    const Tensor scalar = ones({}, dtype);
    EXPECT_EQ(scalar.dim(), 0);
    EXPECT_EQ(scalar.numel(), 1);
    EXPECT_EQ(scalar.item(), 1);
    for (const Shape& shape : {Shape{0}, Shape{0, 3}, Shape{3, 0, 2}}) {
      const Tensor none = ones(shape, dtype);
      EXPECT_EQ(none.numel(), 0);
      EXPECT_EQ(none.shape(), shape);
      EXPECT_EQ(values(none.clone()), Values{});
    }
  }
  EXPECT_EQ(thrown([] { zeros({}).size(0); }), "ShapeError: [size] a scalar has no axes: axis 0");
}

TEST(Tensor, DTypesHaveNamesAndSizes) {
  EXPECT_STREQ(name(DType::f32), "f32");
  EXPECT_STREQ(name(DType::f64), "f64");
  EXPECT_STREQ(name(DType::i64), "i64");
  EXPECT_STREQ(name(DType::boolean), "boolean");
  EXPECT_EQ(size_of(DType::f32), sizeof(float));
  EXPECT_EQ(size_of(DType::f64), sizeof(double));
  EXPECT_EQ(size_of(DType::i64), sizeof(std::int64_t));
  EXPECT_EQ(size_of(DType::boolean), sizeof(bool));
  EXPECT_TRUE(is_floating(DType::f32) && is_floating(DType::f64));
  EXPECT_FALSE(is_floating(DType::i64) || is_floating(DType::boolean));
}

TEST(Tensor, ItemIsTheOneElement) {
  EXPECT_EQ(tensor(2.5).item(), 2.5);
  EXPECT_EQ(tensor({{{-1e300}}}, DType::f64).item(), -1e300);
  EXPECT_EQ(tensor({7}, DType::i64).item(), 7);
  EXPECT_EQ(tensor({true}, DType::boolean).item(), 1);
  EXPECT_EQ(arange(5).rows(3, 4).item(), 3);
  EXPECT_EQ(thrown([] { arange(2).item(); }), "ShapeError: [item] the tensor must have one element: [2]");
  EXPECT_EQ(thrown([] { zeros({1, 0}).item(); }), "ShapeError: [item] the tensor must have one element: [1, 0]");
}

TEST(Tensor, DataIsOfTheTensorsOwnType) {
  EXPECT_EQ(tensor({1, 2.5}).data<float>()[1], 2.5f);
  EXPECT_EQ(tensor({1, 2.5}).data<const float>()[1], 2.5f);
  EXPECT_EQ(tensor({1, 2.5}, DType::f64).data<double>()[1], 2.5);
  EXPECT_EQ(tensor({1, 2}, DType::i64).data<std::int64_t>()[1], 2);
  EXPECT_TRUE(tensor({0, 2}, DType::boolean).data<bool>()[1]);
  const Tensor x = zeros({2}), y = zeros({2}, DType::boolean);
  EXPECT_EQ(thrown([&] { x.data<double>(); }),
            "ValueError: [data] the element type must be the tensor's own: asked for f64, the tensor is f32 (convert with to())");
  EXPECT_EQ(thrown([&] { x.data<const std::int64_t>(); }),
            "ValueError: [data] the element type must be the tensor's own: asked for i64, the tensor is f32 (convert with to())");
  EXPECT_EQ(thrown([&] { y.data<float>(); }),
            "ValueError: [data] the element type must be the tensor's own: asked for f32, the tensor is boolean (convert with to())");
}

TEST(Tensor, AnUndefinedOneRefusesEverything) {
  Tensor none;
  const Tensor x = ones({2});
  EXPECT_FALSE(none.defined());
  EXPECT_EQ(none.version(), 0u);
  EXPECT_EQ(thrown([&] { none.shape(); }), undefined);
  EXPECT_EQ(thrown([&] { none.size(0); }), undefined);
  EXPECT_EQ(thrown([&] { none.dim(); }), undefined);
  EXPECT_EQ(thrown([&] { none.numel(); }), undefined);
  EXPECT_EQ(thrown([&] { none.dtype(); }), undefined);
  EXPECT_EQ(thrown([&] { none.item(); }), undefined);
  EXPECT_EQ(thrown([&] { none.data<float>(); }), undefined);
  EXPECT_EQ(thrown([&] { none.clone(); }), undefined);
  EXPECT_EQ(thrown([&] { none.detach(); }), undefined);
  EXPECT_EQ(thrown([&] { none.to(DType::f64); }), undefined);
  EXPECT_EQ(thrown([&] { none.rows(0, 0); }), undefined);
  EXPECT_EQ(thrown([&] { none.reshape({1}); }), undefined);
  EXPECT_EQ(thrown([&] { none.assign(x); }), undefined);
  EXPECT_EQ(thrown([&] { none += x; }), undefined);
  EXPECT_EQ(thrown([&] { none *= 2; }), undefined);
  EXPECT_EQ(thrown([&] {
              Tensor y = x;
              y.assign(none);
            }),
            undefined);
  EXPECT_EQ(thrown([&] {
              Tensor y = x;
              y -= none;
            }),
            undefined);
  EXPECT_EQ(thrown([&] { none.requires_grad(); }), undefined);
  EXPECT_EQ(thrown([&] { empty_like(none); }), undefined);
  EXPECT_EQ(thrown([&] { zeros_like(none); }), undefined);
  EXPECT_EQ(values(x), (Values{1, 1}));
}

TEST(Tensor, CopiesOfAHandleNameTheSameElements) {
  static_assert(std::is_nothrow_move_constructible_v<Tensor> && std::is_nothrow_copy_constructible_v<Tensor>);
  Tensor a = tensor({1, 2, 3}), b = a;
  b.data<float>()[0] = 9;
  EXPECT_EQ(values(a), (Values{9, 2, 3}));
  Tensor c = std::move(a);
  EXPECT_FALSE(a.defined());
  EXPECT_EQ(c.data<float>(), b.data<float>());
  a = c;
  EXPECT_EQ(a.data<float>(), b.data<float>());
  a = std::move(a);
  EXPECT_EQ(values(a), (Values{9, 2, 3}));
  c = b = Tensor();
  EXPECT_EQ(values(a), (Values{9, 2, 3}));
}

TEST(Tensor, ClonesAreDeep) {
  for (const DType dtype : all_dtypes) {
    const Tensor x = tensor({{0, 1}, {1, 0}}, dtype), y = x.clone();
    EXPECT_TRUE(same_bits(x, y));
    EXPECT_NE(x.header()->data, y.header()->data);
  }
  Tensor x = tensor({1, 2});
  x += 1;
  x.set_requires_grad(true);
  const Tensor y = x.clone();
  EXPECT_EQ(y.version(), 0u);
  EXPECT_FALSE(y.requires_grad());
  EXPECT_EQ(values(arange(6).reshape({3, 2}).rows(1, 2).clone()), (Values{2, 3}));
}

TEST(Tensor, DetachSharesTheElements) {
  Tensor x = tensor({1, 2});
  x.set_requires_grad(true);
  Tensor y = x.detach();
  EXPECT_FALSE(y.requires_grad());
  EXPECT_EQ(y.data<float>(), x.data<float>());
  EXPECT_EQ(y.shape(), x.shape());
  y += 1;
  EXPECT_EQ(values(x), (Values{2, 3}));
  EXPECT_EQ(x.version(), 1u);
  x = Tensor();
  EXPECT_EQ(values(y), (Values{2, 3}));  // a view keeps its owner's memory
}

TEST(Tensor, RowsShareTheElements) {
  for (const DType dtype : all_dtypes) {
    const Tensor x = tensor({{0, 1}, {1, 1}, {1, 0}, {0, 0}}, dtype);
    const Tensor y = x.rows(1, 3);
    EXPECT_EQ(y.shape(), (Shape{2, 2}));
    EXPECT_EQ(y.dtype(), dtype);
    EXPECT_EQ(values(y), (Values{1, 1, 1, 0}));
    EXPECT_EQ(static_cast<char*>(y.header()->data), static_cast<char*>(x.header()->data) + 2 * size_of(dtype));
  }
  Tensor x = arange(24).reshape({4, 2, 3}), y = x.rows(1, 4).rows(1, 2);
  EXPECT_EQ(y.shape(), (Shape{1, 2, 3}));
  y += 100;
  EXPECT_EQ(values(x.rows(2, 3)), (Values{112, 113, 114, 115, 116, 117}));
  EXPECT_EQ(values(x.rows(0, 2)), values(arange(12)));
  x = Tensor();
  EXPECT_EQ(y.size(0), 1);
  EXPECT_EQ(values(y).front(), 112);
  EXPECT_EQ(arange(3).rows(3, 3).shape(), Shape{0});
  EXPECT_EQ(zeros({0, 2}).rows(0, 0).shape(), (Shape{0, 2}));
}

TEST(Tensor, RowsRefuseWhatIsNotThere) {
  const Tensor x = zeros({3, 2});
  EXPECT_EQ(thrown([&] { x.rows(-1, 2); }), "ShapeError: [rows] the range must lie in the first axis: [-1, 2) of [3, 2]");
  EXPECT_EQ(thrown([&] { x.rows(2, 1); }), "ShapeError: [rows] the range must lie in the first axis: [2, 1) of [3, 2]");
  EXPECT_EQ(thrown([&] { x.rows(0, 4); }), "ShapeError: [rows] the range must lie in the first axis: [0, 4) of [3, 2]");
  EXPECT_EQ(thrown([&] { zeros({}).rows(0, 1); }), "ShapeError: [rows] a scalar has no rows");
}

TEST(Tensor, ReshapeSharesTheElements) {
  for (const DType dtype : all_dtypes) {
    const Tensor x = ones({2, 6}, dtype), y = x.reshape({3, -1});
    EXPECT_EQ(y.shape(), (Shape{3, 4}));
    EXPECT_EQ(y.header()->data, x.header()->data);
    EXPECT_EQ(y.dtype(), dtype);
  }
  Tensor x = arange(6);
  Tensor y = x.reshape({3, 2});
  y *= 2;
  EXPECT_EQ(values(x), (Values{0, 2, 4, 6, 8, 10}));
  EXPECT_EQ(x.reshape({-1}).shape(), Shape{6});
  EXPECT_EQ(x.reshape({1, -1, 1, 2, 1, 1}).shape(), (Shape{1, 3, 1, 2, 1, 1}));
  EXPECT_EQ(x.reshape({6, -1}).shape(), (Shape{6, 1}));
  EXPECT_EQ(x.reshape(Shape{2, 3}).shape(), (Shape{2, 3}));
  EXPECT_EQ(tensor(3).reshape({1, 1}).shape(), (Shape{1, 1}));
  EXPECT_EQ(tensor({3}).reshape({}).shape(), Shape{});
  EXPECT_EQ(zeros({0, 3}).reshape({-1, 5}).shape(), (Shape{0, 5}));
  EXPECT_EQ(x.rows(2, 6).reshape({2, 2}).rows(1, 2).reshape({2, 1}).data<float>(), x.data<float>() + 4);
}

TEST(Tensor, ReshapeRefusesOtherNumbersOfElements) {
  const Tensor x = zeros({2, 3});
  EXPECT_EQ(thrown([&] { x.reshape({4, 2}); }), "ShapeError: [reshape] the number of elements must stay: [2, 3] has 6, [4, 2] has 8");
  EXPECT_EQ(thrown([&] { x.reshape({}); }), "ShapeError: [reshape] the number of elements must stay: [2, 3] has 6, [] has 1");
  EXPECT_EQ(thrown([&] { x.reshape({-1, 4}); }), "ShapeError: [reshape] the size for -1 must be whole: 6 elements of [2, 3] by 4");
  EXPECT_EQ(thrown([&] { x.reshape({0, -1}); }), "ShapeError: [reshape] the size for -1 must be whole: 6 elements of [2, 3] by 0");
  EXPECT_EQ(thrown([&] { x.reshape({-1, 3, -1}); }), "ShapeError: [reshape] only one size may be -1: those at 0 and 2 of 3 are");
  EXPECT_EQ(thrown([&] { x.reshape({-2, -1}); }), "ShapeError: [shape] a size must not be negative: [-2, 1]");
  EXPECT_EQ(thrown([&] { x.reshape({1, 1, 1, 1, 1, 1, 6}); }), "ShapeError: [shape] a tensor has at most 6 axes: 7");
  EXPECT_EQ(thrown([&] {
              x.reshape({-1, std::int64_t{1} << 40, std::int64_t{1} << 40});
            }),
            "ShapeError: [shape] a tensor has at most 2^48 elements: [1, 1099511627776, 1099511627776]");
}

TEST(Tensor, OnlyFloatingOwnersWantGradients) {
  Tensor x = ones({2}, DType::f64);
  EXPECT_TRUE(x.set_requires_grad(true).requires_grad());
  EXPECT_FALSE(x.set_requires_grad(false).requires_grad());
  EXPECT_EQ(thrown([] { zeros({2}, DType::i64).set_requires_grad(true); }),
            "ValueError: [set_requires_grad] only f32 and f64 carry gradients: i64 [2]");
  EXPECT_EQ(thrown([&] { x.rows(0, 1).set_requires_grad(true); }),
            "ValueError: [set_requires_grad] a view cannot be a parameter: [1] (take a clone())");
}
