// Every throw of the element-wise operations, by its full text.
#include "refusals.h"

using namespace capstan;

namespace {

const double no_number = std::numeric_limits<double>::quiet_NaN();

const Refusal refusals[] = {
    {"ValueError: [expm1] takes f32 or f64: i64 [2] (convert with to())", [] { return expm1(i({2})); }},
    {"ValueError: [log1p] takes f32 or f64: i64 [2] (convert with to())", [] { return log1p(i({2})); }},
    {"ValueError: [rsqrt] takes f32 or f64: i64 [2] (convert with to())", [] { return rsqrt(i({2})); }},
    {"ValueError: [reciprocal] takes f32 or f64: i64 [2] (convert with to())", [] { return reciprocal(i({2})); }},
    {"ValueError: [sin] takes f32 or f64: i64 [2] (convert with to())", [] { return sin(i({2})); }},
    {"ValueError: [cos] takes f32 or f64: i64 [2] (convert with to())", [] { return cos(i({2})); }},
    {"ValueError: [erf] takes f32 or f64: i64 [2] (convert with to())", [] { return erf(i({2})); }},
    {"ValueError: [sign] takes f32 or f64: i64 [2] (convert with to())", [] { return sign(i({2})); }},
    {"ValueError: [floor] takes f32 or f64: i64 [2] (convert with to())", [] { return floor(i({2})); }},
    {"ValueError: [ceil] takes f32 or f64: i64 [2] (convert with to())", [] { return ceil(i({2})); }},
    {"ValueError: [round] takes f32 or f64: i64 [2] (convert with to())", [] { return round(i({2})); }},
    {"ValueError: [leaky_relu] takes f32 or f64: i64 [2] (convert with to())", [] { return leaky_relu(i({2})); }},
    {"ValueError: [elu] takes f32 or f64: i64 [2] (convert with to())", [] { return elu(i({2})); }},
    {"ValueError: [softplus] takes f32 or f64: i64 [2] (convert with to())", [] { return softplus(i({2})); }},
    {"ValueError: [silu] takes f32 or f64: i64 [2] (convert with to())", [] { return silu(i({2})); }},
    {"ValueError: [gelu] takes f32 or f64: i64 [2] (convert with to())", [] { return gelu(i({2})); }},
    {"ValueError: [hardtanh] takes f32 or f64: i64 [2] (convert with to())", [] { return hardtanh(i({2})); }},
    {"ValueError: [isfinite] takes f32 or f64: i64 [2] (convert with to())", [] { return isfinite(i({2})); }},
    {"ValueError: [clamp] takes f32 or f64: boolean [2] (convert with to())", [] { return clamp(b({2}), 0, 1); }},
    {"ValueError: [clamp] low must not be above high: 1, 0", [] { return clamp(f({2}), 1, 0); }},
    {"ValueError: [clamp] low must not be above high: nan, 0", [] { return clamp(f({2}), no_number, 0); }},
    {"ValueError: [hardtanh] low must not be above high: 1, -1", [] { return hardtanh(f({2}), 1, -1); }},
    {"ValueError: [softplus] beta must be positive and finite: 0", [] { return softplus(f({2}), 0); }},
    {"ValueError: [softplus] beta must be positive and finite: inf",
     [] { return softplus(f({2}), std::numeric_limits<double>::infinity()); }},
    {"ValueError: [maximum] does not take i64 (convert with to())", [] { return maximum(i({2}), i({2})); }},
    {"ValueError: [minimum] dtypes must agree: f32 [2] and f64 [2] (convert one with to())",
     [] { return minimum(f({2}), f({2}, DType::f64)); }},
    {"ShapeError: [maximum] shapes must broadcast: [2] and [3] (sizes equal or 1, aligned at the last axis)",
     [] { return maximum(f({2}), f({3})); }},
    {"ValueError: [pow] does not take i64 (convert with to())", [] { return pow(i({2}), i({2})); }},
    {"ShapeError: [pow] shapes must broadcast: [2] and [3] (sizes equal or 1, aligned at the last axis)",
     [] { return pow(f({2}), f({3})); }},
    // comparisons and choices
    {"ValueError: [==] dtypes must agree: f32 [2] and i64 [2] (convert one with to())", [] { return f({2}) == i({2}); }},
    {"ShapeError: [<] shapes must broadcast: [2] and [3] (sizes equal or 1, aligned at the last axis)", [] { return f({2}) < f({3}); }},
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
