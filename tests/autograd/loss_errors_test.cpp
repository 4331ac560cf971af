// Every throw of the losses with options, by its full text.
#include "refusals.h"

using namespace capstan;

namespace {

const double inf = std::numeric_limits<double>::infinity(), no_number = std::numeric_limits<double>::quiet_NaN();
Tensor index(const NestedList& list) { return tensor(list, DType::i64); }
Tensor one(const Shape& shape) { return ones(shape); }

const Refusal refusals[] = {
    {"ValueError: [mse_loss] takes f32 or f64: i64 [2] (convert with to())", [] { return mse_loss(i({2}), i({2}), Reduction::sum); }},
    {"ValueError: [mse_loss] dtypes must agree: f32 [2] and i64 [2] (convert one with to())",
     [] { return mse_loss(f({2}), i({2}), Reduction::sum); }},
    {"ShapeError: [mse_loss] input and target must have one shape: [2, 1] and [2] (reshape one of them?)",
     [] {
       return mse_loss(f({2, 1}), f({2}), Reduction::sum);
     }},
    {"ValueError: [l1_loss] takes f32 or f64: i64 [2] (convert with to())", [] { return l1_loss(i({2}), i({2})); }},
    {"ValueError: [l1_loss] dtypes must agree: f32 [2] and i64 [2] (convert one with to())", [] { return l1_loss(f({2}), i({2})); }},
    {"ShapeError: [l1_loss] input and target must have one shape: [2, 1] and [2] (reshape one of them?)",
     [] {
       return l1_loss(f({2, 1}), f({2}));
     }},
    {"ShapeError: [l1_loss] needs at least one element: [0]", [] { return l1_loss(f({0}), f({0})); }},
    {"ValueError: [huber_loss] takes f32 or f64: i64 [2] (convert with to())", [] { return huber_loss(i({2}), i({2})); }},
    {"ValueError: [huber_loss] dtypes must agree: f32 [2] and i64 [2] (convert one with to())", [] { return huber_loss(f({2}), i({2})); }},
    {"ShapeError: [huber_loss] input and target must have one shape: [2, 1] and [2] (reshape one of them?)",
     [] {
       return huber_loss(f({2, 1}), f({2}));
     }},
    {"ShapeError: [huber_loss] needs at least one element: [0]", [] { return huber_loss(f({0}), f({0})); }},
    {"ValueError: [smooth_l1_loss] takes f32 or f64: i64 [2] (convert with to())", [] { return smooth_l1_loss(i({2}), i({2})); }},
    {"ValueError: [smooth_l1_loss] dtypes must agree: f32 [2] and i64 [2] (convert one with to())",
     [] { return smooth_l1_loss(f({2}), i({2})); }},
    {"ShapeError: [smooth_l1_loss] input and target must have one shape: [2, 1] and [2] (reshape one of them?)",
     [] {
       return smooth_l1_loss(f({2, 1}), f({2}));
     }},
    {"ShapeError: [smooth_l1_loss] needs at least one element: [0]", [] { return smooth_l1_loss(f({0}), f({0})); }},
    {"ValueError: [poisson_nll_loss] takes f32 or f64: i64 [2] (convert with to())", [] { return poisson_nll_loss(i({2}), i({2})); }},
    {"ValueError: [poisson_nll_loss] dtypes must agree: f32 [2] and i64 [2] (convert one with to())",
     [] { return poisson_nll_loss(f({2}), i({2})); }},
    {"ShapeError: [poisson_nll_loss] input and target must have one shape: [2, 1] and [2] (reshape one of them?)",
     [] {
       return poisson_nll_loss(f({2, 1}), f({2}));
     }},
    {"ShapeError: [poisson_nll_loss] needs at least one element: [0]", [] { return poisson_nll_loss(f({0}), f({0})); }},
    {"ValueError: [hinge_loss] takes f32 or f64: i64 [2] (convert with to())", [] { return hinge_loss(i({2}), i({2})); }},
    {"ValueError: [hinge_loss] dtypes must agree: f32 [2] and i64 [2] (convert one with to())", [] { return hinge_loss(f({2}), i({2})); }},
    {"ShapeError: [hinge_loss] input and target must have one shape: [2, 1] and [2] (reshape one of them?)",
     [] {
       return hinge_loss(f({2, 1}), f({2}));
     }},
    {"ShapeError: [hinge_loss] needs at least one element: [0]", [] { return hinge_loss(f({0}), f({0})); }},
    {"ValueError: [hinge_embedding_loss] takes f32 or f64: i64 [2] (convert with to())",
     [] { return hinge_embedding_loss(i({2}), i({2})); }},
    {"ValueError: [hinge_embedding_loss] dtypes must agree: f32 [2] and i64 [2] (convert one with to())",
     [] { return hinge_embedding_loss(f({2}), i({2})); }},
    {"ShapeError: [hinge_embedding_loss] input and target must have one shape: [2, 1] and [2] (reshape one of them?)",
     [] {
       return hinge_embedding_loss(f({2, 1}), f({2}));
     }},
    {"ShapeError: [hinge_embedding_loss] needs at least one element: [0]", [] { return hinge_embedding_loss(f({0}), f({0})); }},
    {"ValueError: [kl_div] takes f32 or f64: i64 [2] (convert with to())", [] { return kl_div(i({2}), i({2})); }},
    {"ValueError: [kl_div] dtypes must agree: f32 [2] and i64 [2] (convert one with to())", [] { return kl_div(f({2}), i({2})); }},
    {"ShapeError: [kl_div] input and target must have one shape: [2, 1] and [2] (reshape one of them?)",
     [] {
       return kl_div(f({2, 1}), f({2}));
     }},
    {"ShapeError: [kl_div] needs at least one element: [0]", [] { return kl_div(f({0}), f({0})); }},
    {"ValueError: [binary_cross_entropy_with_logits] takes f32 or f64: i64 [2] (convert with to())",
     [] { return binary_cross_entropy_with_logits(i({2}), i({2})); }},
    {"ValueError: [binary_cross_entropy_with_logits] dtypes must agree: f32 [2] and i64 [2] (convert one with to())",
     [] { return binary_cross_entropy_with_logits(f({2}), i({2})); }},
    {"ShapeError: [binary_cross_entropy_with_logits] input and target must have one shape: [2, 1] and [2] (reshape one of them?)",
     [] {
       return binary_cross_entropy_with_logits(f({2, 1}), f({2}));
     }},
    {"ValueError: [binary_cross_entropy_with_logits] a target must lie in [0, 1]: -1 at element 1 of [2] (labels of -1 and 1 are 0 and 1 "
     "here)",
     [] {
       return binary_cross_entropy_with_logits(f({2}), tensor({1, -1}));
     }},
    {"ValueError: [binary_cross_entropy_with_logits] a target must lie in [0, 1]: 1.5 at element 0 of [1, 1] (labels of -1 and 1 are 0 and "
     "1 here)",
     [] {
       return binary_cross_entropy_with_logits(f({1, 1}, DType::f64), d({{1.5}}));
     }},
    {"ValueError: [binary_cross_entropy_with_logits] a target must lie in [0, 1]: nan at element 0 of [1] (labels of -1 and 1 are 0 and 1 "
     "here)",
     [] { return binary_cross_entropy_with_logits(f({1}), tensor({std::nan("")})); }},
    {"ShapeError: [binary_cross_entropy_with_logits] needs at least one element: [0]",
     [] { return binary_cross_entropy_with_logits(f({0}), f({0})); }},
    {"ValueError: [huber_loss] delta must be positive: 0", [] { return huber_loss(f({2}), f({2}), 0); }},
    {"ValueError: [huber_loss] delta must be positive: nan", [] { return huber_loss(f({2}), f({2}), no_number); }},
    {"ValueError: [smooth_l1_loss] beta must be finite and not negative: -1", [] { return smooth_l1_loss(f({2}), f({2}), -1); }},
    {"ValueError: [smooth_l1_loss] beta must be finite and not negative: inf", [] { return smooth_l1_loss(f({2}), f({2}), inf); }},
    {"ValueError: [poisson_nll_loss] eps must be positive: 0", [] { return poisson_nll_loss(f({2}), f({2}), {.eps = 0}); }},
    {"ValueError: [hinge_loss] a target must be 1 or -1: 0 at element 0", [] { return hinge_loss(f({2}), f({2})); }},
    {"ValueError: [hinge_embedding_loss] a target must be 1 or -1: 0.5 at element 1",
     [] {
       return hinge_embedding_loss(f({2}), tensor({1, 0.5}));
     }},
    {"ValueError: [binary_cross_entropy_with_logits] dtypes must agree: f32 [2] and f64 [2] (convert one with to())",
     [] { return binary_cross_entropy_with_logits(f({2}), f({2}), {.weight = f({2}, DType::f64)}); }},
    {"ShapeError: [binary_cross_entropy_with_logits] shapes must broadcast: [2] and [3] (sizes equal or 1, aligned at the last axis)",
     [] { return binary_cross_entropy_with_logits(f({2}), f({2}), {.pos_weight = f({3})}); }},
    {"ShapeError: [binary_cross_entropy_with_logits] a weight must broadcast to the input: [2, 2] to [2]",
     [] {
       return binary_cross_entropy_with_logits(f({2}), f({2}), {.weight = f({2, 2})});
     }},
    {"ValueError: [nll_loss] takes f32 or f64: i64 [2, 3] (convert with to())",
     [] {
       return nll_loss(i({2, 3}), i({2}), {.reduction = Reduction::sum});
     }},
    {"ShapeError: [nll_loss] needs an axis of classes: []", [] { return nll_loss(f({}), i({}), {.reduction = Reduction::sum}); }},
    {"ShapeError: [nll_loss] labels must have the input's shape without axis 1: [3] for [2, 3]",
     [] {
       return nll_loss(f({2, 3}), i({3}), {.reduction = Reduction::sum});
     }},
    {"ShapeError: [nll_loss] labels must have the input's shape without axis 0: [1] for [3]",
     [] { return nll_loss(f({3}), i({1}), {.reduction = Reduction::sum}); }},
    {"ShapeError: [nll_loss] labels must have the input's shape without axis 1: [2] for [2, 3, 4]",
     [] {
       return nll_loss(f({2, 3, 4}), i({2}), {.reduction = Reduction::sum});
     }},
    {"ShapeError: [nll_loss] needs at least one row: [0, 3]",
     [] {
       return nll_loss(f({0, 3}), i({0}), {.ignore_index = -100});
     }},
    {"ValueError: [nll_loss] a label must lie in [0, 3): 3 at row 1",
     [] {
       return nll_loss(f({2, 3}), index({0, 3}), {.reduction = Reduction::sum});
     }},
    {"ValueError: [nll_loss] a label must lie in [0, 3): -1 at row 0",
     [] {
       return nll_loss(f({2, 3}), index({-1, 3}), {.reduction = Reduction::sum});
     }},
    {"ValueError: [nll_loss] a label must lie in [0, 0): 0 at row 0",
     [] {
       return nll_loss(f({2, 0}), i({2}), {.reduction = Reduction::sum});
     }},
    {"ValueError: [nll_loss] dtypes must agree: f32 [2, 3] and f64 [3] (convert one with to())",
     [] {
       return nll_loss(f({2, 3}), i({2}), {.weight = f({3}, DType::f64)});
     }},
    {"ShapeError: [nll_loss] weight must have one element for each class: [2], 3 classes",
     [] {
       return nll_loss(f({2, 3}), i({2}), {.weight = one({2})});
     }},
    {"ShapeError: [nll_loss] weight must have one element for each class: [3, 1], 3 classes",
     [] {
       return nll_loss(f({2, 3}), i({2}), {.weight = one({3, 1})});
     }},
    {"ValueError: [cross_entropy] takes f32 or f64: i64 [2, 3] (convert with to())",
     [] {
       return cross_entropy(i({2, 3}), i({2}), {.reduction = Reduction::sum});
     }},
    {"ShapeError: [cross_entropy] needs an axis of classes: []", [] { return cross_entropy(f({}), i({}), {.reduction = Reduction::sum}); }},
    {"ShapeError: [cross_entropy] labels must have the input's shape without axis 1: [3] for [2, 3]",
     [] {
       return cross_entropy(f({2, 3}), i({3}), {.reduction = Reduction::sum});
     }},
    {"ShapeError: [cross_entropy] labels must have the input's shape without axis 0: [1] for [3]",
     [] { return cross_entropy(f({3}), i({1}), {.reduction = Reduction::sum}); }},
    {"ShapeError: [cross_entropy] labels must have the input's shape without axis 1: [2] for [2, 3, 4]",
     [] {
       return cross_entropy(f({2, 3, 4}), i({2}), {.reduction = Reduction::sum});
     }},
    {"ShapeError: [cross_entropy] needs at least one row: [0, 3]",
     [] {
       return cross_entropy(f({0, 3}), i({0}), {.ignore_index = -100});
     }},
    {"ValueError: [cross_entropy] a label must lie in [0, 3): 3 at row 1",
     [] {
       return cross_entropy(f({2, 3}), index({0, 3}), {.reduction = Reduction::sum});
     }},
    {"ValueError: [cross_entropy] a label must lie in [0, 3): -1 at row 0",
     [] {
       return cross_entropy(f({2, 3}), index({-1, 3}), {.reduction = Reduction::sum});
     }},
    {"ValueError: [cross_entropy] a label must lie in [0, 0): 0 at row 0",
     [] {
       return cross_entropy(f({2, 0}), i({2}), {.reduction = Reduction::sum});
     }},
    {"ValueError: [cross_entropy] dtypes must agree: f32 [2, 3] and f64 [3] (convert one with to())",
     [] {
       return cross_entropy(f({2, 3}), i({2}), {.weight = f({3}, DType::f64)});
     }},
    {"ShapeError: [cross_entropy] weight must have one element for each class: [2], 3 classes",
     [] {
       return cross_entropy(f({2, 3}), i({2}), {.weight = one({2})});
     }},
    {"ShapeError: [cross_entropy] weight must have one element for each class: [3, 1], 3 classes",
     [] {
       return cross_entropy(f({2, 3}), i({2}), {.weight = one({3, 1})});
     }},
    {"ValueError: [nll_loss] labels must be i64 class indices: f32 [2]",
     [] {
       return nll_loss(f({2, 3}), f({2}));
     }},
    {"ValueError: [cross_entropy] labels must be i64 class indices: boolean [2]",
     [] {
       return cross_entropy(f({2, 3}), b({2}), {});
     }},
    {"ValueError: [cross_entropy] label_smoothing must lie in [0, 1]: 1.5",
     [] {
       return cross_entropy(f({2, 3}), i({2}), {.label_smoothing = 1.5});
     }},
    {"ValueError: [cross_entropy] label_smoothing must lie in [0, 1]: nan",
     [] {
       return cross_entropy(f({2, 3}), i({2}), {.label_smoothing = no_number});
     }},
    {"ShapeError: [cross_entropy] probabilities must have the logits' shape: [2] for [2, 3]",
     [] {
       return cross_entropy(f({2, 3}), f({2}), {});
     }},
    {"ValueError: [cross_entropy] dtypes must agree: f32 [2, 3] and f64 [2, 3] (convert one with to())",
     [] {
       return cross_entropy(f({2, 3}), f({2, 3}, DType::f64), {});
     }},
    {"ValueError: [cross_entropy] ignore_index is for labels, the target holds probabilities: 1",
     [] {
       return cross_entropy(f({2, 3}), f({2, 3}), {.ignore_index = 1});
     }},
    {"ShapeError: [cross_entropy] needs at least one row: [0, 3]",
     [] {
       return cross_entropy(f({0, 3}), f({0, 3}), CrossEntropyOptions{});
     }},
};

}  // namespace

TEST(LossErrors, ByTheirTextAndNothingIsLeftBehind) { check_refusals(refusals); }
