// Every throw of the operations on shapes and indices, by its full text.
#include "refusals.h"

using namespace capstan;

namespace {

const std::int64_t big = std::int64_t{1} << 62;
Tensor index(const NestedList& list) { return tensor(list, DType::i64); }

const Refusal layouts[] = {
    {"ShapeError: [slice] the range must lie in the axis: [1, 4) of axis 1 of [2, 3]",
     [] {
       return slice(f({2, 3}), -1, 1, 4);
     }},
    {"ShapeError: [slice] the range must lie in the axis: [-1, 2) of axis 0 of [2, 3]",
     [] {
       return slice(f({2, 3}), 0, -1, 2);
     }},
    {"ShapeError: [slice] the range must lie in the axis: [2, 1) of axis 0 of [2]", [] { return slice(f({2}), 0, 2, 1); }},
    {"ValueError: [slice] step must be positive: 0 (turn round with flip())", [] { return slice(f({2}), 0, 0, 1, 0); }},
    {"ValueError: [slice] step must be positive: -1 (turn round with flip())", [] { return slice(f({2}), 0, 0, 1, -1); }},
    {"ShapeError: [slice] a scalar has no axes: axis 0", [] { return slice(f({}), 0, 0, 1); }},
    {"ShapeError: [permute] the order must name each axis once: 2 axes for [2, 3, 4]",
     [] {
       return permute(f({2, 3, 4}), {0, 1});
     }},
    {"ShapeError: [permute] the order must name each axis once: 0 axes for [2]", [] { return permute(f({2}), {}); }},
    {"ShapeError: [permute] an axis stands twice in the list: -1",
     [] {
       return permute(f({2, 3}), {1, -1});
     }},
    {"ShapeError: [permute] there is no such axis: 2 of 2 (from -2 to 1)",
     [] {
       return permute(f({2, 3}), {0, 2});
     }},
    {"ShapeError: [permute] a scalar has no axes: axis 0", [] { return permute(f({}), 0); }},
    {"ShapeError: [squeeze] there is no such axis: 1 of 1 (from -1 to 0)", [] { return squeeze(f({1}), 1); }},
    {"ShapeError: [unsqueeze] there is no such axis: 2 of 2 (from -2 to 1)", [] { return unsqueeze(f({3}), 2); }},
    {"ShapeError: [unsqueeze] there is no such axis: -3 of 2 (from -2 to 1)", [] { return unsqueeze(f({3}), -3); }},
    {"ShapeError: [shape] a tensor has at most 6 axes: 7",
     [] {
       return unsqueeze(f({1, 1, 1, 1, 1, 1}), 0);
     }},
    {"ShapeError: [expand] the shape must be one that x broadcasts to: [2] to [3]", [] { return expand(f({2}), {3}); }},
    {"ShapeError: [expand] the shape must be one that x broadcasts to: [1, 2] to [2]",
     [] {
       return expand(f({1, 2}), {2});
     }},
    {"ShapeError: [expand] the shape must be one that x broadcasts to: [2] to [2, 1]",
     [] {
       return expand(f({2}), {2, 1});
     }},
    {"ShapeError: [shape] a tensor has at most 2^48 elements: [4611686018427387904, 2]",
     [] {
       return expand(f({2}), {big, 2});
     }},
    {"ShapeError: [repeat] needs a count for each axis: 1 for [2, 3]",
     [] {
       return repeat(f({2, 3}), {2});
     }},
    {"ValueError: [repeat] a count must not be negative: -1", [] { return repeat(f({2}), {-1}); }},
    {"ShapeError: [repeat] a tensor has at most 2^48 elements: 4611686018427387904 times [2]", [] { return repeat(f({2}), {big}); }},
    {"ShapeError: [shape] a tensor has at most 2^48 elements: [1099511627776, 2199023255552]",
     [] {
       return repeat(f({2}), {std::int64_t{1} << 40, std::int64_t{1} << 40});
     }},
    {"ShapeError: [shape] a tensor has at most 6 axes: 7",
     [] {
       return repeat(f({2}), {1, 1, 1, 1, 1, 1, 1});
     }},
    {"ShapeError: [flip] an axis stands twice in the list: 0",
     [] {
       return flip(f({2}), {-1, 0});
     }},
    {"ShapeError: [pad] widths must be a pair for each axis at most: 3 for [2, 3]",
     [] {
       return pad(f({2, 3}), {1, 1, 1});
     }},
    {"ShapeError: [pad] widths must be a pair for each axis at most: 4 for [2]",
     [] {
       return pad(f({2}), {1, 1, 1, 1});
     }},
    {"ValueError: [pad] a width must not be negative: -1 (take a slice() instead)",
     [] {
       return pad(f({2}), {0, -1});
     }},
    {"ShapeError: [pad] a tensor has at most 2^48 elements: widths 0 and 4611686018427387904",
     [] {
       return pad(f({2}), {0, big});
     }},
    {"ValueError: [full] an i64 element must be a whole number: 0.5 (choose DType::f32 or DType::f64)",
     [] {
       return pad(i({2}), {0, 1}, 0.5);
     }},
    {"ShapeError: [tril] needs at least two axes: [3]", [] { return tril(f({3})); }},
    {"ShapeError: [triu] needs at least two axes: []", [] { return triu(f({}), 1); }},
    {"ShapeError: [concat] needs at least one tensor", [] { return concat({}); }},
    {"ShapeError: [stack] needs at least one tensor", [] { return stack({}); }},
    {"ValueError: [concat] dtypes must agree: f32 [2] and i64 [2], tensor 2 (convert one with to())",
     [] {
       return concat({f({2}), f({3}), i({2})});
     }},
    {"ValueError: [stack] dtypes must agree: f32 [2] and f64 [2], tensor 1 (convert one with to())",
     [] {
       return stack({f({2}), f({2}, DType::f64)});
     }},
    {"ShapeError: [concat] shapes must agree but along axis 0: [2, 3] and [2, 4], tensor 1",
     [] {
       return concat({f({2, 3}), f({2, 4})});
     }},
    {"ShapeError: [concat] shapes must agree but along axis 0: [2, 3] and [3], tensor 1",
     [] {
       return concat({f({2, 3}), f({3})});
     }},
    {"ShapeError: [concat] a scalar has no axes: axis 0", [] { return concat({f({})}); }},
    {"ShapeError: [stack] shapes must agree: [2] and [3], tensor 1",
     [] {
       return stack({f({2}), f({3})});
     }},
    {"ShapeError: [stack] there is no such axis: 2 of 2 (from -2 to 1)",
     [] {
       return stack({f({2}), f({2})}, 2);
     }},
    {"ShapeError: [shape] a tensor has at most 6 axes: 7",
     [] {
       return stack({f({1, 1, 1, 1, 1, 1})});
     }},
    {"ValueError: [split] size must be positive: 0", [] { return split(f({4}), 0)[0]; }},
    {"ShapeError: [split] there is no such axis: 1 of 1 (from -1 to 0)", [] { return split(f({4}), 2, 1)[0]; }},
    {"ShapeError: [split] the sizes must add up to the axis: 3 for axis 0 of [4]",
     [] {
       return split(f({4}), {1, 2})[0];
     }},
    {"ShapeError: [split] the sizes must add up to the axis: 0 for axis 1 of [2, 4]",
     [] {
       return split(f({2, 4}), std::vector<std::int64_t>{}, 1)[0];
     }},
    {"ShapeError: [split] a part must lie in the axis: size -1 of axis 0 of [4]",
     [] {
       return split(f({4}), {4, -1})[0];
     }},
    {"ShapeError: [split] a part must lie in the axis: size 4611686018427387904 of axis 0 of [4]",
     [] {
       return split(f({4}), {big, 4})[0];
     }},
};

const Refusal indices[] = {
    {"ValueError: [index_select] the index must be i64: f32 [2] (convert with to())", [] { return index_select(f({2}), 0, f({2})); }},
    {"ValueError: [index_select] an index must lie in [0, 3): 3 at element 1 of [2]",
     [] {
       return index_select(f({3}), 0, index({0, 3}));
     }},
    {"ValueError: [index_select] an index must lie in [0, 3): -1 at element 0 of [1]",
     [] { return index_select(f({3}), -1, index({-1})); }},
    {"ValueError: [index_select] an index must lie in [0, 0): 0 at element 0 of [1]", [] { return index_select(f({0}), 0, index({0})); }},
    {"ShapeError: [index_select] there is no such axis: 1 of 1 (from -1 to 0)", [] { return index_select(f({3}), 1, index({0})); }},
    {"ValueError: [gather] the index must be i64: f32 [2] (convert with to())", [] { return gather(f({2}), 0, f({2})); }},
    {"ValueError: [gather] an index must lie in [0, 3): 3 at element 1 of [2]",
     [] {
       return gather(f({3}), 0, index({0, 3}));
     }},
    {"ValueError: [gather] an index must lie in [0, 3): -1 at element 0 of [1]", [] { return gather(f({3}), -1, index({-1})); }},
    {"ValueError: [gather] an index must lie in [0, 0): 0 at element 0 of [1]", [] { return gather(f({0}), 0, index({0})); }},
    {"ShapeError: [gather] there is no such axis: 1 of 1 (from -1 to 0)", [] { return gather(f({3}), 1, index({0})); }},
    {"ShapeError: [index_select] the index must be a vector: [1, 2]",
     [] {
       return index_select(f({3}), 0, i({1, 2}));
     }},
    {"ShapeError: [index_select] the index must be a vector: []", [] { return index_select(f({3}), 0, i({})); }},
    {"ShapeError: [gather] the index must have x's axes, none longer but axis 0: [2] for [2, 3]",
     [] {
       return gather(f({2, 3}), 0, i({2}));
     }},
    {"ShapeError: [gather] the index must have x's axes, none longer but axis 1: [3, 2] for [2, 3]",
     [] {
       return gather(f({2, 3}), 1, i({3, 2}));
     }},
    {"ShapeError: [scatter_add] the index must have x's axes, none longer but axis 1: [3, 2] for [2, 3]",
     [] {
       return scatter_add(f({2, 3}), 1, i({3, 2}), f({3, 2}));
     }},
    {"ShapeError: [scatter_add] index and src must have one shape: [2, 2] and [2, 3]",
     [] {
       return scatter_add(f({2, 3}), 1, i({2, 2}), f({2, 3}));
     }},
    {"ValueError: [scatter_add] an index must lie in [0, 3): 5 at element 1 of [1, 2]",
     [] {
       return scatter_add(f({2, 3}), 1, index({{0, 5}}), f({1, 2}));
     }},
    {"ValueError: [scatter_add] the index must be i64: boolean [2] (convert with to())",
     [] { return scatter_add(f({2}), 0, b({2}), f({2})); }},
    {"ValueError: [scatter_add] dtypes must agree: f32 [2] and f64 [2] (convert one with to())",
     [] { return scatter_add(f({2}), 0, i({2}), f({2}, DType::f64)); }},
    {"ValueError: [scatter_add] takes f32 or f64: i64 [2] (convert with to())", [] { return scatter_add(i({2}), 0, i({2}), i({2})); }},
    {"ValueError: [one_hot] labels must be i64 class indices: f32 [2]", [] { return one_hot(f({2}), 3); }},
    {"ValueError: [one_hot] classes must be positive: 0", [] { return one_hot(i({0}), 0); }},
    {"ValueError: [one_hot] a label must lie in [0, 3): 3 at element 1 of [2]",
     [] {
       return one_hot(index({2, 3}), 3);
     }},
    {"ValueError: [one_hot] a label must lie in [0, 3): -1 at element 0 of [1]", [] { return one_hot(index({-1}), 3); }},
    {"ShapeError: [shape] a tensor has at most 2^48 elements: [2, 4611686018427387904]", [] { return one_hot(i({2}), big); }},
    {"ShapeError: [shape] a tensor has at most 6 axes: 7",
     [] {
       return one_hot(i({1, 1, 1, 1, 1, 1}), 3);
     }},
    {"ValueError: [sort] takes f32 or f64: i64 [2] (convert with to())", [] { return sort(i({2})).values; }},
    {"ShapeError: [sort] a scalar has no axes: axis -1", [] { return sort(f({})).values; }},
    {"ShapeError: [sort] there is no such axis: 2 of 1 (from -1 to 0)", [] { return sort(f({3}), 2).values; }},
    {"ValueError: [argsort] takes f32 or f64: i64 [2] (convert with to())", [] { return argsort(i({2})); }},
    {"ShapeError: [argsort] a scalar has no axes: axis -1", [] { return argsort(f({})); }},
    {"ShapeError: [argsort] there is no such axis: 2 of 1 (from -1 to 0)", [] { return argsort(f({3}), 2); }},
    {"ValueError: [topk] takes f32 or f64: i64 [2] (convert with to())", [] { return topk(i({2}), 1).values; }},
    {"ShapeError: [topk] a scalar has no axes: axis -1", [] { return topk(f({}), 1).values; }},
    {"ShapeError: [topk] there is no such axis: 2 of 1 (from -1 to 0)", [] { return topk(f({3}), 1, 2).values; }},
    {"ShapeError: [topk] k must lie in [0, 3]: 4 along axis 1 of [2, 3]",
     [] {
       return topk(f({2, 3}), 4).values;
     }},
    {"ShapeError: [topk] k must lie in [0, 2]: -1 along axis 0 of [2, 3]",
     [] {
       return topk(f({2, 3}), -1, 0).values;
     }},
};

}  // namespace

TEST(LayoutErrors, ByTheirTextAndNothingIsLeftBehind) { check_refusals(layouts); }
TEST(IndexErrors, ByTheirTextAndNothingIsLeftBehind) { check_refusals(indices); }
