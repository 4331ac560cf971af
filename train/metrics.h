#pragma once
#include <capstan/core/tensor.h>

namespace capstan::metrics {

/// The share of rows, from 0 to 1, whose largest logit (the first of equals) stands at the label. A row that holds a NaN
/// counts as wrong. `logits` is f32 or f64 [n, classes], `labels` is i64 [n] with values in [0, classes).
/// Throws:
///   - ShapeError for other shapes;
///   - ValueError for other dtypes, for no rows and for a label out of range.
double accuracy(const Tensor& logits, const Tensor& labels);

}  // namespace capstan::metrics
