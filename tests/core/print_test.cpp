#include "support.h"

#include <cmath>
#include <sstream>

using namespace capstan;

// The expected texts are what NumPy 2.4 prints.

namespace {

struct Case {
  Tensor tensor;
  const char* text;
};

void check(const std::vector<Case>& cases) {
  for (const Case& c : cases) EXPECT_EQ(to_string(c.tensor), c.text) << name(c.tensor.dtype()) << " " << to_string(c.tensor.shape());
}

}  // namespace

TEST(Print, WhatRoundsToAWholeNumberKeepsItsDigits) {
  check({{tensor({2.0000000000000004, 9, 4}, DType::f64), "[2. 9. 4.]"},
         {tensor({{1.9999999999999998, 15}, {-0.9999999999999999, 7}}, DType::f64), "[[ 2. 15.]\n [-1.  7.]]"}});
}

// clang-format off
TEST(Print, Scalars) {
  check({
    {tensor(3), "3.0"},
    {tensor(-2.5), "-2.5"},
    {tensor(0), "0.0"},
    {tensor(-0.0), "-0.0"},
    {tensor(0.1), "0.1"},
    {tensor(0.1, DType::f64), "0.1"},
    {tensor(0.3333333333333333), "0.33333334"},
    {tensor(0.3333333333333333, DType::f64), "0.3333333333333333"},
    {tensor(0.0001), "1e-04"},
    {tensor(1e-05), "1e-05"},
    {tensor(1.5e-07), "1.5e-07"},
    {tensor(999999), "999999.0"},
    {tensor(1234567), "1.234567e+06"},
    {tensor(1234567, DType::f64), "1234567.0"},
    {tensor(1000000000000000, DType::f64), "1000000000000000.0"},
    {tensor(1e+16, DType::f64), "1e+16"},
    {tensor(1.25e+300, DType::f64), "1.25e+300"},
    {tensor(3.4028235e+38), "3.4028235e+38"},
    {tensor(NAN), "nan"},
    {tensor(INFINITY, DType::f64), "inf"},
    {tensor(-INFINITY), "-inf"},
    {tensor(5, DType::i64), "5"},
    {tensor(-7, DType::i64), "-7"},
    {tensor(true, DType::boolean), "True"},
    {tensor(false, DType::boolean), "False"},
  });
}

TEST(Print, Floats) {
  check({
    {tensor({1, 2, 3}), "[1. 2. 3.]"},
    {tensor({1, 2.5, 3.25}), "[1.   2.5  3.25]"},
    {tensor({-1, 2.5}), "[-1.   2.5]"},
    {tensor({10, -200.5, 3}), "[  10.  -200.5    3. ]"},
    {tensor({0, -0.0}), "[ 0. -0.]"},
    {tensor({0.1, 0.2}), "[0.1 0.2]"},
    {tensor({0.1, 0.2}, DType::f64), "[0.1 0.2]"},
    {tensor({0.3333333333333333, 0.6666666666666666}), "[0.33333334 0.6666667 ]"},
    {tensor({0.3333333333333333, 0.6666666666666666}, DType::f64), "[0.33333333 0.66666667]"},
    {tensor({0.30000000000000004, 1}, DType::f64), "[0.3 1. ]"},
    {tensor({3.14159265358979, 2.71828182845905}, DType::f64), "[3.14159265 2.71828183]"},
    {tensor({3.14159265358979, 2.71828182845905}), "[3.1415927 2.7182817]"},
    {tensor({100, 0.1}), "[100.    0.1]"},
    {tensor({1000, 1}), "[1000.    1.]"},
    {tensor({123456.7, 999}), "[123456.7    999. ]"},
    {tensor({123456.789, 123}, DType::f64), "[1.23456789e+05 1.23000000e+02]"},
    {tensor({0.000123456789, 0.01}, DType::f64), "[0.00012346 0.01      ]"},
    {tensor({0.12345678949, 0.5}, DType::f64), "[0.12345679 0.5       ]"},
    {tensor({0.125, 0.0625, 0.03125}), "[0.125   0.0625  0.03125]"},
    {tensor({16777.216, 2}), "[1.6777217e+04 2.0000000e+00]"},
  });
}

TEST(Print, Exponents) {
  check({
    {tensor({1000, 0.5}), "[1.e+03 5.e-01]"},
    {tensor({1001, 1}), "[1.001e+03 1.000e+00]"},
    {tensor({999999}), "[999999.]"},
    {tensor({1000000}), "[1.e+06]"},
    {tensor({1000000}, DType::f64), "[1000000.]"},
    {tensor({99999999}, DType::f64), "[99999999.]"},
    {tensor({100000000}, DType::f64), "[1.e+08]"},
    {tensor({0.0001, 0.01}), "[0.0001 0.01  ]"},
    {tensor({1e-05, 1}), "[1.e-05 1.e+00]"},
    {tensor({0, 1e-07}), "[0.e+00 1.e-07]"},
    {tensor({-1e-07, 1e-08}), "[-1.e-07  1.e-08]"},
    {tensor({10000000000, 1}), "[1.e+10 1.e+00]"},
    {tensor({15000000000, -0.00225}), "[ 1.50e+10 -2.25e-03]"},
    {tensor({0.1, 1e-05}), "[1.e-01 1.e-05]"},
    {tensor({0.1, 1e-05}, DType::f64), "[1.e-01 1.e-05]"},
    {tensor({1e+100, 1}, DType::f64), "[1.e+100 1.e+000]"},
    {tensor({1e-300, 1e+300}, DType::f64), "[1.e-300 1.e+300]"},
    {tensor({3.4028235e+38, 1.1754944e-38}), "[3.4028235e+38 1.1754944e-38]"},
    {tensor({1.4e-45}), "[1.e-45]"},
  });
}

TEST(Print, NotFinite) {
  check({
    {tensor({NAN}), "[nan]"},
    {tensor({INFINITY}), "[inf]"},
    {tensor({-INFINITY}), "[-inf]"},
    {tensor({NAN, 1}), "[nan  1.]"},
    {tensor({1, INFINITY, -INFINITY}), "[  1.  inf -inf]"},
    {tensor({0.5, NAN, -0.25}), "[ 0.5    nan -0.25]"},
    {tensor({1, -INFINITY}), "[  1. -inf]"},
    {tensor({100.125, NAN}), "[100.125     nan]"},
    {tensor({NAN, INFINITY}, DType::f64), "[nan inf]"},
    {tensor({1e-09, NAN, 2}), "[1.e-09    nan 2.e+00]"},
    {tensor({1e-09, -INFINITY, -2}), "[ 1.e-09    -inf -2.e+00]"},
  });
}

TEST(Print, WholeNumbersAndMasks) {
  check({
    {tensor({1, 2, 3}, DType::i64), "[1 2 3]"},
    {tensor({-1, 10, 200}, DType::i64), "[ -1  10 200]"},
    {tensor({4503599627370496, -3}, DType::i64), "[4503599627370496               -3]"},
    {tensor({{1, -2}, {30, 4}}, DType::i64),
        R"([[ 1 -2]
 [30  4]])"},
    {tensor({true, false}, DType::boolean), "[ True False]"},
    {tensor({true}, DType::boolean), "[ True]"},
    {tensor({{true, false}, {false, true}}, DType::boolean),
        R"([[ True False]
 [False  True]])"},
  });
}

TEST(Print, Axes) {
  check({
    {tensor({{1, 2}, {3, 4}}),
        R"([[1. 2.]
 [3. 4.]])"},
    {tensor({{1.5, -20}, {0.25, 4}}),
        R"([[  1.5  -20.  ]
 [  0.25   4.  ]])"},
    {tensor({{1}, {2}}),
        R"([[1.]
 [2.]])"},
    {tensor({{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}}),
        R"([[[1. 2.]
  [3. 4.]]

 [[5. 6.]
  [7. 8.]]])"},
    {tensor({{{{1, 2}}, {{3, 4}}}}, DType::i64),
        R"([[[[1 2]]

  [[3 4]]]])"},
    {tensor({{{{{{7}}}}}}), "[[[[[[7.]]]]]]"},
    {tensor({{{1}, {2}}, {{3}, {4}}}),
        R"([[[1.]
  [2.]]

 [[3.]
  [4.]]])"},
  });
}

TEST(Print, Empty) {
  check({
    {zeros({0}), "[]"},
    {zeros({0, 3}), "[]"},
    {zeros({2, 0}), "[]"},
    {zeros({2, 0, 3}), "[]"},
  });
}

TEST(Print, LongAxes) {
  check({
    {arange(1001, DType::i64), "[   0    1    2 ...  998  999 1000]"},
    {arange(1001), "[   0.    1.    2. ...  998.  999. 1000.]"},
    {arange(2000).reshape({2, 1000}),
        R"([[0.000e+00 1.000e+00 2.000e+00 ... 9.970e+02 9.980e+02 9.990e+02]
 [1.000e+03 1.001e+03 1.002e+03 ... 1.997e+03 1.998e+03 1.999e+03]])"},
    {arange(2000).reshape({1000, 2}),
        R"([[0.000e+00 1.000e+00]
 [2.000e+00 3.000e+00]
 [4.000e+00 5.000e+00]
 ...
 [1.994e+03 1.995e+03]
 [1.996e+03 1.997e+03]
 [1.998e+03 1.999e+03]])"},
    {arange(1001).reshape({1, 7, 143}),
        R"([[[   0.    1.    2. ...  140.  141.  142.]
  [ 143.  144.  145. ...  283.  284.  285.]
  [ 286.  287.  288. ...  426.  427.  428.]
  ...
  [ 572.  573.  574. ...  712.  713.  714.]
  [ 715.  716.  717. ...  855.  856.  857.]
  [ 858.  859.  860. ...  998.  999. 1000.]]])"},
    {arange(1001, DType::f64).reshape({1, 1001}), "[[   0.    1.    2. ...  998.  999. 1000.]]"},
    {arange(1800, DType::i64).reshape({9, 200}),
        R"([[   0    1    2 ...  197  198  199]
 [ 200  201  202 ...  397  398  399]
 [ 400  401  402 ...  597  598  599]
 ...
 [1200 1201 1202 ... 1397 1398 1399]
 [1400 1401 1402 ... 1597 1598 1599]
 [1600 1601 1602 ... 1797 1798 1799]])"},
    {arange(1200, DType::i64).reshape({2, 2, 300}),
        R"([[[   0    1    2 ...  297  298  299]
  [ 300  301  302 ...  597  598  599]]

 [[ 600  601  602 ...  897  898  899]
  [ 900  901  902 ... 1197 1198 1199]]])"},
  });
}

TEST(Print, LongLines) {
  check({
    {arange(30, DType::i64),
        R"([ 0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15 16 17 18 19 20 21 22 23
 24 25 26 27 28 29])"},
    {arange(25, DType::i64),
        R"([ 0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15 16 17 18 19 20 21 22 23
 24])"},
    {arange(26, DType::i64),
        R"([ 0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15 16 17 18 19 20 21 22 23
 24 25])"},
    {arange(40).reshape({2, 20}),
        R"([[ 0.  1.  2.  3.  4.  5.  6.  7.  8.  9. 10. 11. 12. 13. 14. 15. 16. 17.
  18. 19.]
 [20. 21. 22. 23. 24. 25. 26. 27. 28. 29. 30. 31. 32. 33. 34. 35. 36. 37.
  38. 39.]])"},
    {arange(36, DType::i64).reshape({2, 18}),
        R"([[ 0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15 16 17]
 [18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35]])"},
    {arange(60, DType::i64).reshape({2, 1, 30}),
        R"([[[ 0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15 16 17 18 19 20 21 22
   23 24 25 26 27 28 29]]

 [[30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52
   53 54 55 56 57 58 59]]])"},
    {full({5}, -1.2345678901234567e-100, DType::f64),
        R"([-1.23456789e-100 -1.23456789e-100 -1.23456789e-100 -1.23456789e-100
 -1.23456789e-100])"},
    {full({20}, 0.125),
        R"([0.125 0.125 0.125 0.125 0.125 0.125 0.125 0.125 0.125 0.125 0.125 0.125
 0.125 0.125 0.125 0.125 0.125 0.125 0.125 0.125])"},
    {ones({30}, DType::boolean),
        R"([ True  True  True  True  True  True  True  True  True  True  True  True
  True  True  True  True  True  True  True  True  True  True  True  True
  True  True  True  True  True  True])"},
  });
}

// clang-format on

TEST(Print, Streams) {
  std::ostringstream out;
  out << tensor({1, 2}) << "; " << Tensor();
  EXPECT_EQ(out.str(), "[1. 2.]; undefined");
}

TEST(Print, TheWholeRangeOfI64) {
  EXPECT_EQ(to_string(tensor(std::vector<std::int64_t>{INT64_MIN, INT64_MAX})), "[-9223372036854775808  9223372036854775807]");
}

TEST(Print, ViewsPrintTheirOwnElements) {
  const Tensor x = arange(6, DType::i64).reshape({3, 2});
  EXPECT_EQ(to_string(x.rows(1, 3)), "[[2 3]\n [4 5]]");
  EXPECT_EQ(to_string(x.rows(2, 2)), "[]");
}

TEST(Print, WhatIsLeftOutDoesNotCount) {
  Tensor x = ones({2000});
  x.data<float>()[1000] = 1e-30f;
  EXPECT_EQ(to_string(x), "[1. 1. 1. ... 1. 1. 1.]");
}
