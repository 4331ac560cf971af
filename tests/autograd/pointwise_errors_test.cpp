// Every throw of the element-wise operations but for those that follow from their rows (operations_test.cpp), by its full text.
#include "refusals.h"

using namespace capstan;

namespace {

const double no_number = std::numeric_limits<double>::quiet_NaN();

const Refusal refusals[] = {
    {"ValueError: [isfinite] takes f32 or f64: i64 [2] (convert with to())", [] { return isfinite(i({2})); }},
    {"ValueError: [clamp] takes f32 or f64: boolean [2] (convert with to())", [] { return clamp(b({2}), 0, 1); }},
    {"ValueError: [clamp] low must not be above high: 1, 0", [] { return clamp(f({2}), 1, 0); }},
    {"ValueError: [clamp] low must not be above high: nan, 0", [] { return clamp(f({2}), no_number, 0); }},
    {"ValueError: [hardtanh] low must not be above high: 1, -1", [] { return hardtanh(f({2}), 1, -1); }},
    {"ValueError: [softplus] beta must be positive and finite: 0", [] { return softplus(f({2}), 0); }},
    {"ValueError: [softplus] beta must be positive and finite: inf",
     [] { return softplus(f({2}), std::numeric_limits<double>::infinity()); }},
    // comparisons and choices
    {"ValueError: [==] dtypes must agree: f32 [2] and i64 [2] (convert one with to())", [] { return f({2}) == i({2}); }},
    {"ShapeError: [<] shapes must broadcast: [2] and [3] (sizes equal or 1, aligned at the last axis)", [] { return f({2}) < f({3}); }},
    {"ShapeError: [<=] shapes must broadcast: [2] and [3] (sizes equal or 1, aligned at the last axis)", [] { return f({2}) <= f({3}); }},
    {"ShapeError: [>=] shapes must broadcast: [3] and [0] (sizes equal or 1, aligned at the last axis)", [] { return f({0}) >= f({3}); }},
    {"ValueError: [>] a number beside an i64 tensor must be whole: 0.5", [] { return i({2}) > 0.5; }},
    {"ValueError: [!=] a number beside a boolean tensor must be 0 or 1: 2", [] { return 2 != b({2}); }},
    {"ValueError: [logical_and] takes booleans: f32 [2] (compare it with something: x != 0)", [] { return logical_and(b({2}), f({2})); }},
    {"ValueError: [logical_or] takes booleans: i64 [2] (compare it with something: x != 0)", [] { return logical_or(i({2}), b({2})); }},
    {"ValueError: [logical_not] takes booleans: f32 [] (compare it with something: x != 0)", [] { return logical_not(f({})); }},
    {"ShapeError: [logical_xor] shapes must broadcast: [2] and [3] (sizes equal or 1, aligned at the last axis)",
     [] { return logical_xor(b({2}), b({3})); }},
    {"ValueError: [where] the condition must be boolean: f32 [2] (compare it with something: x != 0)",
     [] { return where(f({2}), f({2}), f({2})); }},
    {"ValueError: [where] dtypes must agree: f32 [2] and f64 [] (convert one with to())",
     [] { return where(b({2}), f({2}), f({}, DType::f64)); }},
    {"ShapeError: [where] shapes must broadcast: [2] and [3] (sizes equal or 1, aligned at the last axis)",
     [] { return where(b({2}), f({3}), f({})); }},
    {"ShapeError: [where] shapes must broadcast: [2] and [3] (sizes equal or 1, aligned at the last axis)",
     [] { return where(b({2}), f({}), f({3})); }},
};

}  // namespace

TEST(PointwiseErrors, ByTheirTextAndNothingIsLeftBehind) { check_refusals(refusals); }
