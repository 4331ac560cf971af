// What linear algebra refuses, by its text.
#include "refusals.h"

using namespace capstan;

namespace {

Tensor single(const NestedList& list) { return parameter(tensor(list)); }

const Refusal refusals[] = {
    {"ShapeError: [matmul] inner dimensions must agree: [2, 2, 3] x [2, 3] (transpose one of them?)",
     [] {
       return matmul(f({2, 2, 3}), f({2, 3}));
     }},
    {"ShapeError: [matmul] inner dimensions must agree: [2, 3, 2]^T x [2, 2]^T (transpose one of them?)",
     [] {
       return matmul(f({2, 3, 2}), f({2, 2}), {.transpose_a = true, .transpose_b = true});
     }},
    {"ShapeError: [matmul] shapes must broadcast: [2] and [3] (sizes equal or 1, aligned at the last axis)",
     [] {
       return matmul(f({2, 2, 3}), f({3, 3, 2}));
     }},
    {"ShapeError: [matmul] takes no scalars: [2, 2, 2] x [] (multiply with *)",
     [] {
       return matmul(f({2, 2, 2}), f({}));
     }},
    {"ValueError: [matmul] dtypes must agree: f32 [2, 2, 2] and f64 [2, 2] (convert one with to())",
     [] {
       return matmul(f({2, 2, 2}), f({2, 2}, DType::f64));
     }},
    {"ShapeError: [dot] takes two vectors: [2, 1] and [2]",
     [] {
       return dot(f({2, 1}), f({2}));
     }},
    {"ShapeError: [dot] the sizes must agree: [2] and [3]", [] { return dot(f({2}), f({3})); }},
    {"ValueError: [dot] takes f32 or f64: i64 [2] (convert with to())", [] { return dot(i({2}), i({2})); }},
    {"ShapeError: [outer] takes two vectors: [] and [2]", [] { return outer(f({}), f({2})); }},
    {"ValueError: [outer] dtypes must agree: f32 [2] and f64 [2] (convert one with to())",
     [] { return outer(f({2}), f({2}, DType::f64)); }},
    {"ShapeError: [solve] the matrix must be square: [2, 3]",
     [] {
       return solve(f({2, 3}), f({2}));
     }},
    {"ShapeError: [solve] b must be [n] or [..., n, k] beside a [..., n, n]: [3] for [2, 2]",
     [] {
       return solve(f({2, 2}), f({3}));
     }},
    {"ShapeError: [solve] b must be [n] or [..., n, k] beside a [..., n, n]: [2] for [3, 2, 2]",
     [] {
       return solve(f({3, 2, 2}), f({2}));
     }},
    {"ShapeError: [solve] b must be [n] or [..., n, k] beside a [..., n, n]: [4, 2, 1] for [3, 2, 2]",
     [] {
       return solve(f({3, 2, 2}), f({4, 2, 1}));
     }},
    {"ValueError: [solve] the matrix must be invertible: [2, 2], matrix 0",
     [] {
       return solve(single({{1, 2}, {2, 4}}), f({2}));
     }},
    {"ValueError: [solve] takes f32 or f64: i64 [2, 2] (convert with to())",
     [] {
       return solve(i({2, 2}), i({2}));
     }},
    {"ValueError: [solve] dtypes must agree: f32 [2, 2] and f64 [2] (convert one with to())",
     [] {
       return solve(f({2, 2}), f({2}, DType::f64));
     }},
    {"ShapeError: [inverse] the matrix must be square: [3]", [] { return inverse(f({3})); }},
    {"ValueError: [inverse] the matrix must be invertible: [2, 2, 2], matrix 1",
     [] {
       return inverse(single({{{1, 0}, {0, 1}}, {{0, 1}, {0, 1}}}));
     }},
    {"ShapeError: [det] the matrix must be square: [2, 2, 3]",
     [] {
       return det(f({2, 2, 3}));
     }},
    {"ShapeError: [logdet] the matrix must be square: []", [] { return logdet(f({})); }},
    {"ValueError: [det] takes f32 or f64: boolean [2, 2] (convert with to())",
     [] {
       return det(b({2, 2}));
     }},
    {"ShapeError: [cholesky] the matrix must be square: [1, 2]",
     [] {
       return cholesky(f({1, 2}));
     }},
    {"ValueError: [cholesky] the matrix must be positive definite: [2, 2], matrix 0",
     [] {
       return cholesky(single({{1, 2}, {2, 1}}));
     }},
    {"ValueError: [cholesky] the matrix must be positive definite: [2, 2], matrix 0",
     [] {
       return cholesky(single({{4, 1}, {NAN, 3}}));
     }},
    {"ValueError: [cholesky] the matrix must be positive definite: [2, 2], matrix 0",
     [] {
       return cholesky(single({{INFINITY, 1}, {1, 3}}));
     }},
    {"ShapeError: [qr] needs at least two axes: [3]", [] { return qr(f({3})).q; }},
    {"ValueError: [qr] takes f32 or f64: i64 [2, 2] (convert with to())",
     [] {
       return qr(i({2, 2})).q;
     }},
    {"ShapeError: [eigh] the matrix must be square: [2, 3]",
     [] {
       return eigh(f({2, 3})).values;
     }},
    {"ValueError: [eigh] takes f32 or f64: i64 [2, 2] (convert with to())",
     [] {
       return eigh(i({2, 2})).values;
     }},
    {"NotFiniteError: [eigh] the lower triangle must be finite: [2, 1, 1], matrix 1",
     [] {
       return eigh(single({{{1}}, {{NAN}}})).values;
     }},
    {"NotFiniteError: [lstsq] the elements must be finite: [1, 1] and [1], matrix 0",
     [] { return lstsq(single({{1}}), single({INFINITY})).solution; }},
    {"NotFiniteError: [lstsq] the elements must be finite: [1, 2] and [1, 1], matrix 0",
     [] {
       return lstsq(single({{1, NAN}}), f({1, 1})).solution;
     }},
    {"ShapeError: [lstsq] b must be [m] or [..., m, k] beside a [..., m, n]: [3] for [2, 3]",
     [] {
       return lstsq(f({2, 3}), f({3})).solution;
     }},
    {"ShapeError: [lstsq] b must be [m] or [..., m, k] beside a [..., m, n]: [2] for [2, 2, 3]",
     [] {
       return lstsq(f({2, 2, 3}), f({2})).solution;
     }},
    {"ShapeError: [lstsq] b must be [m] or [..., m, k] beside a [..., m, n]: [] for [2, 3]",
     [] {
       return lstsq(f({2, 3}), f({})).solution;
     }},
    {"ShapeError: [lstsq] b must be [m] or [..., m, k] beside a [..., m, n]: [3, 2, 1] for [2, 2, 3]",
     [] {
       return lstsq(f({2, 2, 3}), f({3, 2, 1})).solution;
     }},
    {"ShapeError: [lstsq] b must be [m] or [..., m, k] beside a [..., m, n]: [2] for [2]", [] { return lstsq(f({2}), f({2})).solution; }},
    {"ValueError: [lstsq] rcond must lie in [0, 1): -1",
     [] {
       return lstsq(f({2, 2}), f({2}), -1).solution;
     }},
    {"ValueError: [lstsq] rcond must lie in [0, 1): 1",
     [] {
       return lstsq(f({2, 2}), f({2}), 1).solution;
     }},
    {"ValueError: [lstsq] rcond must lie in [0, 1): nan",
     [] {
       return lstsq(f({2, 2}), f({2}), NAN).solution;
     }},
    {"ValueError: [lstsq] takes f32 or f64: i64 [2, 2] (convert with to())",
     [] {
       return lstsq(i({2, 2}), i({2})).solution;
     }},
    {"ValueError: [lstsq] dtypes must agree: f32 [2, 2] and f64 [2] (convert one with to())",
     [] {
       return lstsq(f({2, 2}), f({2}, DType::f64)).solution;
     }},
};

}  // namespace

TEST(AlgebraErrors, ByTheirTextAndNothingIsLeftBehind) { check_refusals(refusals); }
