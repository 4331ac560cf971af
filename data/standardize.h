#pragma once
#include <capstan/core/tensor.h>

namespace capstan::data {

/// Brings each column of a table to mean 0 and standard deviation 1, and back:
///
///     const auto scale = data::Standardizer::fit(training.x);
///     training.x = scale.apply(training.x);
///     test.x = scale.apply(test.x);  // by the training set's numbers
///
/// Arithmetic is in f64 whatever the dtype of x, which results keep. Nothing is recorded on a tape.
struct Standardizer {
  Tensor mean, stddev;  // [columns], f64 from fit()

  /// mean_j = sum_i x_ij / n and stddev_j = sqrt(sum_i (x_ij - mean_j)^2 / n): the divisor is n, not n - 1. Throws:
  ///   - ShapeError unless x is [rows, columns] with at least one of each;
  ///   - ValueError unless it is f32 or f64;
  ///   - ValueError, naming the column, for a constant column and for a value that is not finite.
  static Standardizer fit(const Tensor& x);

  /// (x - mean) / stddev. Throws ShapeError when the columns do not fit, ValueError for another dtype than f32 and f64.
  Tensor apply(const Tensor& x) const;
  /// x * stddev + mean; throws as apply() does.
  Tensor invert(const Tensor& x) const;
};

}  // namespace capstan::data
