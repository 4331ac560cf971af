// Every throw of the reductions, by its full text.
#include "refusals.h"

using namespace capstan;

namespace {

const double no_number = std::numeric_limits<double>::quiet_NaN();

const Refusal reductions[] = {
    {"ValueError: [sum] takes f32 or f64: i64 [2] (convert with to())", [] { return sum(i({2}), Axes(0)); }},
    {"ShapeError: [sum] there is no such axis: 2 of 2 (from -2 to 1)",
     [] {
       return sum(f({2, 3}), {0, 2});
     }},
    {"ValueError: [mean] takes f32 or f64: i64 [2] (convert with to())", [] { return mean(i({2}), Axes(0)); }},
    {"ShapeError: [mean] there is no such axis: 2 of 2 (from -2 to 1)",
     [] {
       return mean(f({2, 3}), {0, 2});
     }},
    {"ValueError: [max] takes f32 or f64: i64 [2] (convert with to())", [] { return max(i({2}), Axes(0)); }},
    {"ShapeError: [max] there is no such axis: 2 of 2 (from -2 to 1)",
     [] {
       return max(f({2, 3}), {0, 2});
     }},
    {"ValueError: [min] takes f32 or f64: i64 [2] (convert with to())", [] { return min(i({2}), Axes(0)); }},
    {"ShapeError: [min] there is no such axis: 2 of 2 (from -2 to 1)",
     [] {
       return min(f({2, 3}), {0, 2});
     }},
    {"ValueError: [var] takes f32 or f64: i64 [2] (convert with to())", [] { return var(i({2}), Axes(0)); }},
    {"ShapeError: [var] there is no such axis: 2 of 2 (from -2 to 1)",
     [] {
       return var(f({2, 3}), {0, 2});
     }},
    {"ValueError: [std] takes f32 or f64: i64 [2] (convert with to())", [] { return capstan::std(i({2}), 0); }},
    {"ShapeError: [std] there is no such axis: 2 of 2 (from -2 to 1)",
     [] {
       return capstan::std(f({2, 3}), {0, 2});
     }},
    {"ValueError: [prod] takes f32 or f64: i64 [2] (convert with to())", [] { return prod(i({2}), Axes(0)); }},
    {"ShapeError: [prod] there is no such axis: 2 of 2 (from -2 to 1)",
     [] {
       return prod(f({2, 3}), {0, 2});
     }},
    {"ValueError: [logsumexp] takes f32 or f64: i64 [2] (convert with to())", [] { return logsumexp(i({2}), Axes(0)); }},
    {"ShapeError: [logsumexp] there is no such axis: 2 of 2 (from -2 to 1)",
     [] {
       return logsumexp(f({2, 3}), {0, 2});
     }},
    {"ValueError: [norm] takes f32 or f64: i64 [2] (convert with to())", [] { return norm(i({2}), 2, 0); }},
    {"ShapeError: [norm] there is no such axis: 2 of 2 (from -2 to 1)",
     [] {
       return norm(f({2, 3}), 2, {0, 2});
     }},
    {"ShapeError: [sum] an axis stands twice in the list: -2",
     [] {
       return sum(f({2, 3}), {0, -2});
     }},
    {"ShapeError: [any] an axis stands twice in the list: 1",
     [] {
       return any(b({2, 3}), {1, 1});
     }},
    {"ShapeError: [axes] a tensor has at most 6 axes: 7",
     [] {
       return sum(f({2}), {0, 1, 2, 3, 4, 5, 6});
     }},
    {"ShapeError: [mean] a scalar has no axes: axis 0", [] { return mean(f({}), Axes(0)); }},
    {"ShapeError: [mean] needs at least one element: [2, 0, 3]",
     [] {
       return mean(f({2, 0, 3}), {0, 1});
     }},
    {"ShapeError: [max] needs at least one element: [2, 0, 3]",
     [] {
       return max(f({2, 0, 3}), {0, 1});
     }},
    {"ShapeError: [min] needs at least one element: [2, 0, 3]",
     [] {
       return min(f({2, 0, 3}), {0, 1});
     }},
    {"ShapeError: [min] needs at least one element: [2, 0, 3]",
     [] {
       return min(f({2, 0, 3}), {1, 0}, true);
     }},
    {"ValueError: [argmax] takes f32 or f64: i64 [2] (convert with to())", [] { return argmax(i({2})); }},
    {"ShapeError: [argmax] needs at least one element: [0, 3]",
     [] {
       return argmax(f({0, 3}));
     }},
    {"ShapeError: [argmax] needs at least one element: [0, 3]",
     [] {
       return argmax(f({0, 3}), 0, true);
     }},
    {"ValueError: [argmin] takes f32 or f64: i64 [2] (convert with to())", [] { return argmin(i({2})); }},
    {"ShapeError: [argmin] needs at least one element: [0, 3]",
     [] {
       return argmin(f({0, 3}));
     }},
    {"ShapeError: [argmin] needs at least one element: [0, 3]",
     [] {
       return argmin(f({0, 3}), 0, true);
     }},
    {"ShapeError: [argmin] there is no such axis: 1 of 1 (from -1 to 0)", [] { return argmin(f({3}), 1); }},
    {"ValueError: [argmin] takes f32 or f64: boolean [2] (convert with to())", [] { return argmin(b({2}), 0); }},
    {"ShapeError: [var] needs more elements than the correction: 1 of [3, 1], correction 1",
     [] {
       return var(f({3, 1}), 1);
     }},
    {"ShapeError: [std] needs more elements than the correction: 0 of [0, 3], correction 0",
     [] {
       return capstan::std(f({0, 3}), 0, false, 0);
     }},
    {"ValueError: [var] correction must not be negative: -1", [] { return var(f({3}), {}, false, -1); }},
    {"ValueError: [std] correction must not be negative: nan", [] { return capstan::std(f({3}), {}, false, no_number); }},
    {"ValueError: [norm] p must be positive: 0", [] { return norm(f({3}), 0); }},
    {"ValueError: [norm] p must be positive: nan", [] { return norm(f({3}), no_number); }},
    {"ValueError: [any] takes booleans: f32 [2] (compare it with something: x != 0)", [] { return any(f({2})); }},
    {"ValueError: [all] takes booleans: i64 [2] (compare it with something: x != 0)", [] { return all(i({2}), 0); }},
    {"ShapeError: [cumsum] a scalar has no axes: axis 0", [] { return cumsum(f({}), 0); }},
    {"ValueError: [cumsum] takes f32 or f64: i64 [2] (convert with to())", [] { return cumsum(i({2}), 0); }},
};

}  // namespace

TEST(ReduceErrors, ByTheirTextAndNothingIsLeftBehind) { check_refusals(reductions); }
