// Every throw of an operation, by its full text, with and without a running tape; afterwards everything is as before.
#include "refusals.h"

using namespace capstan;

namespace {

const Refusal refusals[] = {
    // shapes that do not broadcast, dtypes that differ or do not take part
    {"ShapeError: [+] shapes must broadcast: [2, 3] and [2] (sizes equal or 1, aligned at the last axis)",
     [] {
       return f({2, 3}) + f({2});
     }},
    {"ShapeError: [-] shapes must broadcast: [3] and [4] (sizes equal or 1, aligned at the last axis)", [] { return f({3}) - f({4}); }},
    {"ShapeError: [*] shapes must broadcast: [0] and [2] (sizes equal or 1, aligned at the last axis)", [] { return f({0}) * f({2}); }},
    {"ShapeError: [/] shapes must broadcast: [2, 3] and [3, 2] (sizes equal or 1, aligned at the last axis)",
     [] {
       return f({2, 3}) / f({3, 2});
     }},
    {"ValueError: [+] dtypes must agree: f32 [2] and f64 [2] (convert one with to())", [] { return f({2}) + f({2}, DType::f64); }},
    {"ValueError: [-] dtypes must agree: f64 [] and f32 [2] (convert one with to())", [] { return f({}, DType::f64) - f({2}); }},
    {"ValueError: [*] dtypes must agree: f32 [2] and i64 [2] (convert one with to())", [] { return f({2}) * i({2}); }},
    {"ValueError: [/] dtypes must agree: i64 [2] and f32 [2] (convert one with to())", [] { return i({2}) / f({2}); }},
    {"ValueError: [/] does not take i64 (convert with to())", [] { return i({2}) / i({2}); }},
    {"ValueError: [/] does not take i64 (convert with to())", [] { return i({2}) / 2; }},
    {"ValueError: [/] does not take i64 (convert with to())", [] { return 2 / i({2}); }},
    {"ValueError: [+] does not take boolean (convert with to())", [] { return zeros({2}, DType::boolean) + zeros({2}, DType::boolean); }},
    {"ValueError: [*] does not take boolean (convert with to())", [] { return zeros({2}, DType::boolean) * 2; }},
    {"ValueError: [+] a number beside an i64 tensor must be whole: 0.5", [] { return i({2}) + 0.5; }},
    {"ValueError: [-] a number beside an i64 tensor must be whole: -2.5", [] { return -2.5 - i({2}); }},
    {"ValueError: [*] a number beside an i64 tensor must be whole: 1e+300", [] { return i({2}) * 1e300; }},
    // operations for f32 and f64
    {"ValueError: [neg] takes f32 or f64: boolean [2] (convert with to())", [] { return neg(zeros({2}, DType::boolean)); }},
    {"ValueError: [neg] takes f32 or f64: boolean [2] (convert with to())", [] { return -zeros({2}, DType::boolean); }},
    {"ValueError: [sum] takes f32 or f64: i64 [2] (convert with to())", [] { return sum(i({2})); }},
    {"ValueError: [sum] takes f32 or f64: i64 [2] (convert with to())", [] { return sum(i({2}), 0); }},
    {"ValueError: [mean] takes f32 or f64: i64 [2] (convert with to())", [] { return mean(i({2})); }},
    {"ValueError: [mean] takes f32 or f64: i64 [2] (convert with to())", [] { return mean(i({2}), 0); }},
    {"ValueError: [max] takes f32 or f64: i64 [2] (convert with to())", [] { return max(i({2})); }},
    {"ValueError: [max] takes f32 or f64: i64 [2] (convert with to())", [] { return max(i({2}), 0); }},
    {"ValueError: [argmax] takes f32 or f64: i64 [2] (convert with to())", [] { return argmax(i({2}), 0); }},
    {"ValueError: [softmax] takes f32 or f64: i64 [2] (convert with to())", [] { return softmax(i({2})); }},
    {"ValueError: [log_softmax] takes f32 or f64: i64 [2] (convert with to())", [] { return log_softmax(i({2})); }},
    // axes
    {"ShapeError: [sum] there is no such axis: 2 of 2 (from -2 to 1)",
     [] {
       return sum(f({2, 3}), 2);
     }},
    {"ShapeError: [sum] a scalar has no axes: axis 0", [] { return sum(f({}), 0); }},
    {"ShapeError: [mean] there is no such axis: -3 of 2 (from -2 to 1)",
     [] {
       return mean(f({2, 3}), -3);
     }},
    {"ShapeError: [max] there is no such axis: 1 of 1 (from -1 to 0)", [] { return max(f({2}), 1); }},
    {"ShapeError: [argmax] a scalar has no axes: axis -1", [] { return argmax(f({}), -1); }},
    {"ShapeError: [softmax] a scalar has no axes: axis -1", [] { return softmax(f({})); }},
    {"ShapeError: [log_softmax] there is no such axis: 3 of 2 (from -2 to 1)",
     [] {
       return log_softmax(f({2, 3}), 3);
     }},
    {"ShapeError: [transpose] there is no such axis: -2 of 1 (from -1 to 0)", [] { return transpose(f({3})); }},
    {"ShapeError: [transpose] there is no such axis: 2 of 2 (from -2 to 1)",
     [] {
       return transpose(f({3, 3}), 0, 2);
     }},
    {"ShapeError: [transpose] a scalar has no axes: axis 0", [] { return transpose(f({}), 0, 0); }},
    // nothing to reduce
    {"ShapeError: [mean] needs at least one element: [0]", [] { return mean(f({0})); }},
    {"ShapeError: [mean] needs at least one element: [2, 0]",
     [] {
       return mean(f({2, 0}), 1);
     }},
    {"ShapeError: [max] needs at least one element: [3, 0]",
     [] {
       return max(f({3, 0}));
     }},
    {"ShapeError: [max] needs at least one element: [0, 3]",
     [] {
       return max(f({0, 3}), 0);
     }},
    {"ShapeError: [argmax] needs at least one element: [0, 3]",
     [] {
       return argmax(f({0, 3}), 0);
     }},
    // products
    {"ShapeError: [matmul] inner dimensions must agree: [32, 64] x [32, 64] (transpose one of them?)",
     [] {
       return matmul(f({32, 64}), f({32, 64}));
     }},
    {"ShapeError: [matmul] inner dimensions must agree: [2, 3]^T x [3, 4] (transpose one of them?)",
     [] {
       return matmul(f({2, 3}), f({3, 4}), {.transpose_a = true});
     }},
    {"ShapeError: [matmul] inner dimensions must agree: [2, 3] x [3, 4]^T (transpose one of them?)",
     [] {
       return matmul(f({2, 3}), f({3, 4}), {.transpose_b = true});
     }},
    {"ShapeError: [matmul] inner dimensions must agree: [2] x [3, 4]^T (transpose one of them?)",
     [] {
       return matmul(f({2}), f({3, 4}), {.transpose_a = true, .transpose_b = true});
     }},
    {"ShapeError: [matmul] inner dimensions must agree: [2] x [3] (transpose one of them?)", [] { return matmul(f({2}), f({3})); }},
    {"ShapeError: [matmul] takes no scalars: [] x [2, 2] (multiply with *)",
     [] {
       return matmul(f({}), f({2, 2}));
     }},
    {"ValueError: [matmul] takes f32 or f64: i64 [2, 2] (convert with to())",
     [] {
       return matmul(i({2, 2}), i({2, 2}));
     }},
    {"ValueError: [matmul] dtypes must agree: f32 [2, 2] and f64 [2, 2] (convert one with to())",
     [] {
       return matmul(f({2, 2}), f({2, 2}, DType::f64));
     }},
    {"ShapeError: [linear] x [..., in] and weight [out, in] must agree: [2, 3] and [3, 4]",
     [] {
       return linear(f({2, 3}), f({3, 4}), f({3}));
     }},
    {"ShapeError: [linear] x [..., in] and weight [out, in] must agree: [] and [3, 4]",
     [] {
       return linear(f({}), f({3, 4}));
     }},
    {"ShapeError: [linear] x [..., in] and weight [out, in] must agree: [2, 4] and [4]",
     [] {
       return linear(f({2, 4}), f({4}));
     }},
    {"ShapeError: [shape] a tensor has at most 2^48 elements: [1099511627776, 1099511627776]",
     [] {
       return linear(f({std::int64_t{1} << 40, 0}), f({std::int64_t{1} << 40, 0}));
     }},
    {"ShapeError: [linear_relu] x [..., in] and weight [out, in] must agree: [2, 3] and [3, 4]",
     [] {
       return linear_relu(f({2, 3}), f({3, 4}), f({3}));
     }},
    {"ShapeError: [linear_relu] bias must have one element for each output: [4], weight [3, 4]",
     [] {
       return linear_relu(f({2, 4}), f({3, 4}), f({4}));
     }},
    {"ValueError: [linear_relu] takes f32 or f64: i64 [2, 4] (convert with to())",
     [] {
       return linear_relu(i({2, 4}), i({3, 4}), f({3}));
     }},
    {"ShapeError: [linear] bias must have one element for each output: [4], weight [3, 4]",
     [] {
       return linear(f({2, 4}), f({3, 4}), f({4}));
     }},
    {"ShapeError: [linear] bias must have one element for each output: [1, 3], weight [3, 4]",
     [] {
       return linear(f({2, 4}), f({3, 4}), f({1, 3}));
     }},
    {"ValueError: [linear] takes f32 or f64: i64 [2, 4] (convert with to())",
     [] {
       return linear(i({2, 4}), i({3, 4}));
     }},
    {"ValueError: [linear] dtypes must agree: f32 [2, 4] and f64 [3, 4] (convert one with to())",
     [] {
       return linear(f({2, 4}), f({3, 4}, DType::f64));
     }},
    {"ValueError: [linear] dtypes must agree: f32 [2, 4] and f64 [3] (convert one with to())",
     [] {
       return linear(f({2, 4}), f({3, 4}), f({3}, DType::f64));
     }},
    // shapes
    {"ShapeError: [reshape] the number of elements must stay: [2, 3] has 6, [4] has 4",
     [] {
       return reshape(f({2, 3}), Shape{4});
     }},
    {"ShapeError: [reshape] the number of elements must stay: [2, 3] has 6, [7, 1] has 7",
     [] {
       return f({2, 3}).reshape({7, 1});
     }},
    {"ShapeError: [reshape] only one size may be -1: those at 0 and 2 of 3 are",
     [] {
       return reshape(f({2, 3}), {-1, 2, -1});
     }},
    {"ShapeError: [reshape] the size for -1 must be whole: 6 elements of [2, 3] by 4",
     [] {
       return reshape(f({2, 3}), {4, -1});
     }},
    {"ShapeError: [reshape] the size for -1 must be whole: 0 elements of [0] by 0",
     [] {
       return reshape(f({0}), {-1, 0});
     }},
    {"ShapeError: [shape] a size must not be negative: [-2]", [] { return reshape(f({2}), {-2}); }},
    {"ShapeError: [shape] a tensor has at most 6 axes: 7",
     [] {
       return reshape(f({2}), {1, 1, 1, 1, 1, 1, -1});
     }},
    {"ShapeError: [rows] a scalar has no rows", [] { return f({}).rows(0, 1); }},
    {"ShapeError: [rows] the range must lie in the first axis: [2, 5) of [4, 2]",
     [] {
       return rows(f({4, 2}), 2, 5);
     }},
    {"ShapeError: [rows] the range must lie in the first axis: [-1, 2) of [4]", [] { return rows(f({4}), -1, 2); }},
    {"ShapeError: [rows] the range must lie in the first axis: [3, 2) of [4]", [] { return rows(f({4}), 3, 2); }},
    // losses
    {"ShapeError: [mse_loss] input and target must have one shape: [3, 1] and [3] (reshape one of them?)",
     [] {
       return mse_loss(f({3, 1}), f({3}));
     }},
    {"ShapeError: [mse_loss] input and target must have one shape: [3] and [4] (reshape one of them?)",
     [] { return mse_loss(f({3}), f({4})); }},
    {"ShapeError: [mse_loss] needs at least one element: [0, 2]",
     [] {
       return mse_loss(f({0, 2}), f({0, 2}));
     }},
    {"ValueError: [mse_loss] takes f32 or f64: i64 [3] (convert with to())", [] { return mse_loss(i({3}), i({3})); }},
    {"ValueError: [mse_loss] dtypes must agree: f32 [3] and i64 [3] (convert one with to())", [] { return mse_loss(f({3}), i({3})); }},
    {"ValueError: [cross_entropy] takes f32 or f64: i64 [2, 3] (convert with to())",
     [] {
       return cross_entropy(i({2, 3}), i({2}));
     }},
    {"ValueError: [cross_entropy] labels must be i64 class indices: f32 [2]",
     [] {
       return cross_entropy(f({2, 3}), f({2}));
     }},
    {"ShapeError: [cross_entropy] logits [n, classes] and labels [n] must agree: [2, 3] and [3]",
     [] {
       return cross_entropy(f({2, 3}), i({3}));
     }},
    {"ShapeError: [cross_entropy] logits [n, classes] and labels [n] must agree: [3] and [3]",
     [] { return cross_entropy(f({3}), i({3})); }},
    {"ShapeError: [cross_entropy] logits [n, classes] and labels [n] must agree: [2, 3] and [2, 1]",
     [] {
       return cross_entropy(f({2, 3}), i({2, 1}));
     }},
    {"ShapeError: [cross_entropy] needs at least one row: [0, 3]",
     [] {
       return cross_entropy(f({0, 3}), i({0}));
     }},
    {"ValueError: [cross_entropy] a label must lie in [0, 3): 3 at row 1",
     [] {
       return cross_entropy(f({2, 3}), tensor({0, 3}, DType::i64));
     }},
    {"ValueError: [cross_entropy] a label must lie in [0, 3): -1 at row 0",
     [] {
       return cross_entropy(f({2, 3}), tensor({-1, 3}, DType::i64));
     }},
    {"ValueError: [cross_entropy] a label must lie in [0, 0): 0 at row 0",
     [] {
       return cross_entropy(f({2, 0}), i({2}));
     }},
    // no tensor at all
    {"ValueError: [tensor] the tensor is undefined: it was default-constructed or moved from", [] { return f({2}) + Tensor(); }},
    {"ValueError: [tensor] the tensor is undefined: it was default-constructed or moved from", [] { return exp(Tensor()); }},
    {"ValueError: [tensor] the tensor is undefined: it was default-constructed or moved from",
     [] {
       return linear(f({2, 3}), f({4, 3}), Tensor());
     }},
};

}  // namespace

TEST(OpsErrors, ByTheirTextAndNothingIsLeftBehind) { check_refusals(refusals); }
