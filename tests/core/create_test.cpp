#include "support.h"

#include <array>
#include <cmath>
#include <limits>
#include <new>
#include <regex>

using namespace capstan;

// A sanitizer's malloc says no as any other does, and does not end the program.
extern "C" {
const char* __asan_default_options() { return "allocator_may_return_null=1"; }
const char* __tsan_default_options() { return "allocator_may_return_null=1"; }
}

TEST(Create, FilledTensors) {
  for (const DType dtype : all_dtypes) {
    EXPECT_EQ(values(zeros({2, 3}, dtype)), Values(6, 0));
    EXPECT_EQ(values(ones({2, 3}, dtype)), Values(6, 1));
    EXPECT_EQ(values(full({5}, 3, dtype)), Values(5, dtype == DType::boolean ? 1 : 3));
    EXPECT_EQ(full({}, 0, dtype).item(), 0);
    EXPECT_EQ(empty({4, 2}, dtype).shape(), (Shape{4, 2}));
    const Tensor like = ones({2, 1}, dtype);
    EXPECT_EQ(empty_like(like).shape(), (Shape{2, 1}));
    EXPECT_EQ(empty_like(like).dtype(), dtype);
    EXPECT_EQ(values(zeros_like(like)), Values(2, 0));
    EXPECT_EQ(zeros_like(like).dtype(), dtype);
  }
  EXPECT_EQ(zeros({2}).dtype(), DType::f32);
  EXPECT_EQ(full({2}, 0.1).data<float>()[1], 0.1f);
  EXPECT_EQ(full({2}, 0.1, DType::f64).data<double>()[1], 0.1);
  EXPECT_EQ(values(zeros({100000})), Values(100000, 0));
}

TEST(Create, RefusesImpossibleShapesAndElements) {
  EXPECT_EQ(thrown([] { zeros({2, -3}); }), "ShapeError: [shape] a size must not be negative: [2, -3]");
  EXPECT_EQ(thrown([] { full({2}, 2.5, DType::i64); }),
            "ValueError: [full] an i64 element must be a whole number: 2.5 (choose DType::f32 or DType::f64)");
  EXPECT_EQ(thrown([] { full({2}, NAN, DType::i64); }),
            "ValueError: [full] an i64 element must be a whole number: nan (choose DType::f32 or DType::f64)");
  EXPECT_EQ(thrown([] { full({2}, 0x1p63, DType::i64); }),
            "ValueError: [full] an i64 element must be a whole number: 9223372036854775808 (choose DType::f32 or DType::f64)");
  EXPECT_EQ(full({}, -0x1p63, DType::i64).data<std::int64_t>()[0], INT64_MIN);
  try {
    empty({std::int64_t{1} << 48}, DType::f64);
    ADD_FAILURE() << "there was room for 2 PiB";
  } catch (const std::bad_alloc& error) {
    const std::regex text(R"(\[memory\] the system must have room for a tensor: (\d+) bytes \(smaller tensors, or fewer at a time\))");
    std::cmatch found;
    ASSERT_TRUE(std::regex_match(error.what(), found, text)) << error.what();
    EXPECT_GE(std::stoull(found[1]), std::uint64_t{1} << 51);
    EXPECT_LT(std::stoull(found[1]), std::uint64_t{1} << 52);  // sizes of blocks are rounded up
  }
}

TEST(Create, Arange) {
  EXPECT_EQ(values(arange(4)), (Values{0, 1, 2, 3}));
  EXPECT_EQ(arange(4).dtype(), DType::f32);
  EXPECT_EQ(values(arange(3, DType::i64)), (Values{0, 1, 2}));
  EXPECT_EQ(arange(3, DType::i64).dtype(), DType::i64);
  EXPECT_EQ(values(arange(2.5)), (Values{0, 1, 2}));
  EXPECT_EQ(values(arange(1, 2, 0.25)), (Values{1, 1.25, 1.5, 1.75}));
  EXPECT_EQ(values(arange(5, 0, -2)), (Values{5, 3, 1}));
  EXPECT_EQ(values(arange(0, 1, 0.3, DType::f64)), (Values{0, 0.3, 0.6, 3 * 0.3}));
  EXPECT_EQ(arange(0).shape(), Shape{0});
  EXPECT_EQ(arange(3, 3, -1).shape(), Shape{0});
  EXPECT_EQ(values(arange(0, 2, 1, DType::boolean)), (Values{0, 1}));
  EXPECT_EQ(arange(0, 1, 1e-5).numel(), 100000);
}

TEST(Create, ArangeRefuses) {
  EXPECT_EQ(thrown([] { arange(0, NAN); }), "ValueError: [arange] begin, end and step must be finite: 0, nan, 1");
  EXPECT_EQ(thrown([] { arange(-INFINITY, 0); }), "ValueError: [arange] begin, end and step must be finite: -inf, 0, 1");
  EXPECT_EQ(thrown([] { arange(0, 1, INFINITY); }), "ValueError: [arange] begin, end and step must be finite: 0, 1, inf");
  EXPECT_EQ(thrown([] { arange(0, 5, 0); }), "ValueError: [arange] step must lead from begin to end: 0, 5, 0");
  EXPECT_EQ(thrown([] { arange(0, 5, -1); }), "ValueError: [arange] step must lead from begin to end: 0, 5, -1");
  EXPECT_EQ(thrown([] { arange(-3); }), "ValueError: [arange] step must lead from begin to end: 0, -3, 1");
  EXPECT_EQ(thrown([] { arange(0, 1e20); }), "ShapeError: [arange] a tensor has at most 2^48 elements: 1e+20");
  EXPECT_EQ(thrown([] { arange(-1e308, 1e308); }), "ShapeError: [arange] a tensor has at most 2^48 elements: inf");
  EXPECT_EQ(thrown([] { arange(0, 2, 0.5, DType::i64); }),
            "ValueError: [arange] an i64 element must be a whole number: 0.5 (choose DType::f32 or DType::f64)");
}

TEST(Create, Eye) {
  for (const DType dtype : all_dtypes) {
    EXPECT_EQ(values(eye(3, dtype)), (Values{1, 0, 0, 0, 1, 0, 0, 0, 1}));
    EXPECT_EQ(eye(0, dtype).shape(), (Shape{0, 0}));
  }
  EXPECT_EQ(thrown([] { eye(-1); }), "ShapeError: [shape] a size must not be negative: [-1, -1]");
  EXPECT_EQ(thrown([] { eye(1 << 25); }), "ShapeError: [shape] a tensor has at most 2^48 elements: [33554432, 33554432]");
}

TEST(Create, NestedListsOfAnyDepth) {
  EXPECT_EQ(tensor(5).shape(), Shape{});
  EXPECT_EQ(tensor({5}).shape(), Shape{1});
  EXPECT_EQ(tensor({{5}}).shape(), (Shape{1, 1}));
  EXPECT_EQ(tensor({{{5}}}).shape(), (Shape{1, 1, 1}));
  EXPECT_EQ(tensor({1, 2, 3}).shape(), Shape{3});
  EXPECT_EQ(tensor({{1, 2, 3}}).shape(), (Shape{1, 3}));
  EXPECT_EQ(tensor({{1}, {2}, {3}}).shape(), (Shape{3, 1}));
  EXPECT_EQ(tensor({{{1, 2}}}).shape(), (Shape{1, 1, 2}));
  const Tensor x = tensor({{{1, 2}, {3, 4}, {5, 6}}, {{7, 8}, {9, 10}, {11, 12}}}, DType::f64);
  EXPECT_EQ(x.shape(), (Shape{2, 3, 2}));
  EXPECT_EQ(values(x), (Values{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}));
  EXPECT_EQ(tensor({{{{{{1, 2}}}}}}).shape(), (Shape{1, 1, 1, 1, 1, 2}));
  EXPECT_EQ(values(tensor({{{{{{1}, {2}}}}}})), (Values{1, 2}));
}

TEST(Create, NestedListsMayBeEmpty) {
  EXPECT_EQ(tensor({}).shape(), Shape{0});
  EXPECT_EQ(tensor({{}}).shape(), (Shape{1, 0}));
  EXPECT_EQ(tensor({{}, {}}).shape(), (Shape{2, 0}));
  EXPECT_EQ(tensor({{{}, {}}, {{}, {}}, {{}, {}}}).shape(), (Shape{3, 2, 0}));
}

TEST(Create, NestedListsTakeAnyArithmeticType) {
  EXPECT_EQ(tensor({1, 2.5, 3.5f, 4u, 5l, true, '\7', std::int64_t{-8}}).dtype(), DType::f32);
  EXPECT_EQ(values(tensor({1, 2.5, 3.5f, 4u, 5l, true, '\7', std::int64_t{-8}})), (Values{1, 2.5, 3.5, 4, 5, 1, 7, -8}));
  EXPECT_EQ(values(tensor({{true, false}}, DType::boolean)), (Values{1, 0}));
  EXPECT_EQ(values(tensor({-1, 3}, DType::i64)), (Values{-1, 3}));
  const double a = 0.5;
  EXPECT_EQ(values(tensor({a, a + 1})), (Values{0.5, 1.5}));
}

TEST(Create, RaggedListsAreRefused) {
  const auto depth = [](int d) {
    return "ShapeError: [tensor] nested lists must have one depth: numbers stand beside lists at depth " + std::to_string(d);
  };
  const std::string length = "ShapeError: [tensor] nested lists of one depth must have one length: ";
  EXPECT_EQ(thrown([] { tensor({{1, 2}, {3}}); }), length + "1 beside 2 at depth 1");
  EXPECT_EQ(thrown([] { tensor({{1}, {2, 3}}); }), length + "2 beside 1 at depth 1");
  EXPECT_EQ(thrown([] { tensor({{}, {1}}); }), length + "1 beside 0 at depth 1");
  EXPECT_EQ(thrown([] { tensor({{1}, {}}); }), length + "0 beside 1 at depth 1");
  EXPECT_EQ(thrown([] { tensor({{{1}, {2}}, {{3}, {4, 5}}}); }), length + "2 beside 1 at depth 2");
  EXPECT_EQ(thrown([] { tensor({1, {2}}); }), depth(1));
  EXPECT_EQ(thrown([] { tensor({{1}, 2}); }), depth(1));
  EXPECT_EQ(thrown([] { tensor({{}, 1}); }), depth(1));
  EXPECT_EQ(thrown([] { tensor({{{1}}, {2}}); }), depth(2));
  EXPECT_EQ(thrown([] { tensor({{1, 2}, {3, {4}}}); }), depth(2));
}

TEST(Create, NestedListsRefuse) {
  EXPECT_EQ(thrown([] { tensor({1.5}, DType::i64); }),
            "ValueError: [tensor] an i64 element must be a whole number: 1.5 (choose DType::f32 or DType::f64)");
  EXPECT_EQ(thrown([] { tensor({{{{{{{1}}}}}}}); }), "ShapeError: [shape] a tensor has at most 6 axes: 7");
}

TEST(Create, VectorsKeepTheirType) {
  EXPECT_EQ(tensor(std::vector<float>{1, 2.5f}).dtype(), DType::f32);
  EXPECT_EQ(values(tensor(std::vector<float>{1, 2.5f})), (Values{1, 2.5}));
  EXPECT_EQ(tensor(std::vector<double>{0.1}).dtype(), DType::f64);
  EXPECT_EQ(tensor(std::vector<double>{0.1}).item(), 0.1);
  const std::int64_t odd = 9007199254740993;  // 2^53 + 1
  EXPECT_EQ(tensor(std::vector<std::int64_t>{odd}).data<std::int64_t>()[0], odd);
  EXPECT_EQ(tensor(std::vector<double>{}).shape(), Shape{0});
  std::vector<float> source = {1, 2};
  const Tensor copy = tensor(source);
  source[0] = 9;
  EXPECT_EQ(values(copy), (Values{1, 2}));
}

template <class T>
void expect_integers_become_i64() {
  const Tensor t = tensor(std::vector<T>{1, 0, std::numeric_limits<T>::max()});
  EXPECT_EQ(t.dtype(), DType::i64);
  EXPECT_EQ(t.shape(), Shape{3});
  EXPECT_EQ(t.data<std::int64_t>()[0], 1);
  EXPECT_EQ(t.data<std::int64_t>()[2], static_cast<std::int64_t>(std::numeric_limits<T>::max()));
}

TEST(Create, VectorsOfIntegersAndBooleans) {
  expect_integers_become_i64<int>();
  expect_integers_become_i64<short>();
  expect_integers_become_i64<unsigned char>();
  expect_integers_become_i64<unsigned>();
  expect_integers_become_i64<long long>();
  EXPECT_EQ(values(tensor(std::vector<int>{-3, 4})), (Values{-3, 4}));
  EXPECT_EQ(tensor(std::vector<std::size_t>{7, INT64_MAX}).data<std::int64_t>()[1], INT64_MAX);
  EXPECT_EQ(thrown([] {
              tensor(std::vector<unsigned long long>{1, std::uint64_t{1} << 63});
            }),
            "ValueError: [tensor] an i64 element must be less than 2^63: 9223372036854775808 (choose double, which rounds it)");
  const Tensor mask = tensor(std::vector<bool>{true, false, true});
  EXPECT_EQ(mask.dtype(), DType::boolean);
  EXPECT_EQ(values(mask), (Values{1, 0, 1}));
}

TEST(Create, VectorsInVectors) {
  const Tensor rows = tensor(std::vector<std::vector<float>>{{1, 2, 3}, {4, 5, 6.5f}});
  EXPECT_EQ(rows.dtype(), DType::f32);
  EXPECT_EQ(rows.shape(), (Shape{2, 3}));
  EXPECT_EQ(values(rows), (Values{1, 2, 3, 4, 5, 6.5}));
  const Tensor deep = tensor(std::vector<std::vector<std::vector<int>>>{{{1, 2}}, {{3, 4}}, {{5, 6}}});
  EXPECT_EQ(deep.dtype(), DType::i64);
  EXPECT_EQ(deep.shape(), (Shape{3, 1, 2}));
  EXPECT_EQ(values(deep), (Values{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(values(tensor(std::vector<std::array<double, 2>>{{0.1, 2}, {3, 4}})), (Values{0.1, 2, 3, 4}));
  EXPECT_EQ(tensor(std::array<float, 3>{1, 2, 3}).shape(), Shape{3});
  EXPECT_EQ(values(tensor(std::vector<std::vector<bool>>{{true}, {false}})), (Values{1, 0}));
  EXPECT_EQ(tensor(std::vector<std::vector<float>>{}).shape(), (Shape{0, 0}));
  EXPECT_EQ(tensor(std::vector<std::vector<float>>{{}, {}}).shape(), (Shape{2, 0}));
}

TEST(Create, VectorsTakeADType) {
  const std::vector<double> numbers{0.1, -2, 3e300};
  EXPECT_EQ(tensor(numbers, DType::f32).dtype(), DType::f32);
  EXPECT_EQ(values(tensor(numbers, DType::f32)), (Values{0.1f, -2, INFINITY}));  // as to() and the lists of numbers round
  EXPECT_EQ(values(tensor(numbers, DType::f64)), (Values{0.1, -2, 3e300}));
  EXPECT_EQ(tensor(std::vector<float>{0.5f}, DType::f64).dtype(), DType::f64);
  EXPECT_EQ(values(tensor(std::vector<double>{0, -0.0, 0.5, NAN}, DType::boolean)), (Values{0, 0, 1, 1}));
  EXPECT_EQ(tensor(std::vector<double>{-3, 0x1p62}, DType::i64).data<std::int64_t>()[1], std::int64_t{1} << 62);
  EXPECT_EQ(values(tensor(std::vector<int>{-3, 4}, DType::f32)), (Values{-3, 4}));
  EXPECT_EQ(tensor(std::vector<int>{-3, 4}, DType::f32).dtype(), DType::f32);
  EXPECT_EQ(values(tensor(std::vector<int>{-3, 0}, DType::boolean)), (Values{1, 0}));
  EXPECT_EQ(values(tensor(std::vector<bool>{true, false}, DType::f64)), (Values{1, 0}));
  EXPECT_EQ(values(tensor(std::vector<bool>{true, false}, DType::i64)), (Values{1, 0}));
  const std::uint64_t large = (std::uint64_t{1} << 63) + 1;
  EXPECT_EQ(tensor(std::vector<std::uint64_t>{large}, DType::f64).item(), 0x1p63);
  EXPECT_EQ(tensor(std::vector<std::uint64_t>{large}, DType::f32).item(), 0x1p63);
  const Tensor once = tensor(std::vector<std::int64_t>{(std::int64_t{1} << 60) + (std::int64_t{1} << 36) + 1}, DType::f32);
  EXPECT_EQ(once.item(), 0x1p60 + 0x1p37);  // rounded once: by way of f64 it would be 2^60
  EXPECT_EQ(tensor(std::vector<double>{}, DType::i64).shape(), Shape{0});
  EXPECT_EQ(tensor(std::vector<double>{}, DType::i64).dtype(), DType::i64);
  const Tensor rows = tensor(std::vector<std::vector<double>>{{1, 2, 3}, {4, 5, 6.5}}, DType::f32);
  EXPECT_EQ(rows.dtype(), DType::f32);
  EXPECT_EQ(rows.shape(), (Shape{2, 3}));
  EXPECT_EQ(values(rows), (Values{1, 2, 3, 4, 5, 6.5}));
  EXPECT_EQ(values(tensor(std::array<int, 3>{1, 2, 3}, DType::f64)), (Values{1, 2, 3}));
  const DType chosen = tensor(std::vector<std::array<float, 2>>{{1, 2}}, DType::f64).dtype();
  EXPECT_EQ(chosen, DType::f64);
}

TEST(Create, VectorsWithADTypeRefuse) {
  const auto text = [](const char* value) {
    return "ValueError: [tensor] an i64 element must be a whole number: " + std::string(value) + " (choose DType::f32 or DType::f64)";
  };
  const auto refused = [](double value) { return thrown([=] { tensor(std::vector<double>{1, value}, DType::i64); }); };
  EXPECT_EQ(refused(2.5), text("2.5"));
  EXPECT_EQ(refused(NAN), text("nan"));
  EXPECT_EQ(refused(-INFINITY), text("-inf"));
  EXPECT_EQ(refused(0x1p63), text("9223372036854775808"));
  EXPECT_EQ(thrown([] { tensor(std::vector<float>{0.5f}, DType::i64); }), text("0.5"));
  EXPECT_EQ(thrown([] { tensor(std::vector<std::uint64_t>{std::uint64_t{1} << 63}, DType::i64); }),
            "ValueError: [tensor] an i64 element must be less than 2^63: 9223372036854775808 (choose double, which rounds it)");
  EXPECT_EQ(thrown([] {
              tensor(std::vector<std::vector<float>>{{1, 2}, {3}}, DType::f64);
            }),
            "ShapeError: [tensor] nested lists of one depth must have one length: 1 beside 2 at depth 1");
}

TEST(Create, NamedInitializerLists) {
  const std::initializer_list<double> numbers = {0.1, 2};
  EXPECT_EQ(tensor(numbers).dtype(), DType::f64);
  EXPECT_EQ(values(tensor(numbers)), (Values{0.1, 2}));
  EXPECT_EQ(tensor(numbers, DType::f32).dtype(), DType::f32);
  const std::initializer_list<std::initializer_list<int>> rows = {{1, 2}, {3, 4}};
  EXPECT_EQ(tensor(rows).dtype(), DType::i64);
  EXPECT_EQ(tensor(rows).shape(), (Shape{2, 2}));
  EXPECT_EQ(tensor({0.1, 2}).dtype(), DType::f32);  // braces are what they were
  EXPECT_EQ(tensor({1, 2}, DType::f64).dtype(), DType::f64);
  EXPECT_EQ(tensor(std::initializer_list<std::initializer_list<int>>{}).shape(), (Shape{0, 0}));
}

TEST(Create, RaggedVectorsRefuse) {
  EXPECT_EQ(thrown([] {
              tensor(std::vector<std::vector<float>>{{1, 2}, {3}});
            }),
            "ShapeError: [tensor] nested lists of one depth must have one length: 1 beside 2 at depth 1");
  EXPECT_EQ(thrown([] {
              tensor(std::vector<std::vector<float>>{{}, {3}});
            }),
            "ShapeError: [tensor] nested lists of one depth must have one length: 1 beside 0 at depth 1");
  EXPECT_EQ(thrown([] {
              tensor(std::vector<std::vector<std::vector<int>>>{{{1, 2}}, {{3, 4, 5}}});
            }),
            "ShapeError: [tensor] nested lists of one depth must have one length: 3 beside 2 at depth 2");
  using One = std::vector<int>;
  using Four = std::vector<std::vector<std::vector<One>>>;
  EXPECT_EQ(thrown([] { tensor(std::vector<std::vector<std::vector<Four>>>(1)); }), "ShapeError: [shape] a tensor has at most 6 axes: 7");
}
