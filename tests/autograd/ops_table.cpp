#include "ops_table.h"

using namespace capstan;

Args OpRow::inputs(const std::vector<Shape>& of) const {
  Args in;
  for (std::size_t k = 0; k < of.size(); ++k) in.push_back(numbers(of[k], low, high, static_cast<int>(k), gap));
  return in;
}

const std::vector<OpRow>& ops_table() {
  static const std::vector<OpRow> table = [] {
    std::vector<OpRow> rows;
    add_arithmetic_rows(rows);
    add_pointwise_rows(rows);
    add_activation_rows(rows);
    add_compare_rows(rows);
    add_reduce_rows(rows);
    add_axes_rows(rows);
    add_linear_rows(rows);
    add_algebra_rows(rows);
    add_shape_rows(rows);
    add_layout_rows(rows);
    add_index_rows(rows);
    add_loss_rows(rows);
    add_random_rows(rows);
    add_regression_rows(rows);
    add_classification_rows(rows);
    return rows;
  }();
  return table;
}

const std::vector<std::vector<Shape>>& one_shapes() {
  static const std::vector<std::vector<Shape>> shapes = {{{}},        {{0}},       {{1}},       {{7}},    {{2, 3}}, {{1, 1, 1}},
                                                         {{2, 1, 3}}, {{2, 0, 3}}, {{3, 2, 2}}, {{5, 1}}, {{1, 5}}, {{1, 2, 1, 2, 1, 2}}};
  return shapes;
}

const std::vector<std::vector<Shape>>& two_shapes() {
  static const std::vector<std::vector<Shape>> shapes = {{{}, {}},
                                                         {{3}, {}},
                                                         {{}, {3}},
                                                         {{1}, {1}},
                                                         {{0}, {0}},
                                                         {{0}, {1}},
                                                         {{}, {0}},
                                                         {{1}, {1, 1}},
                                                         {{1, 1}, {1}},
                                                         {{2, 3}, {2, 3}},
                                                         {{2, 3}, {3}},
                                                         {{3}, {2, 3}},
                                                         {{2, 3}, {1, 3}},
                                                         {{1, 3}, {2, 3}},
                                                         {{2, 3}, {2, 1}},
                                                         {{2, 1}, {2, 3}},
                                                         {{2, 1}, {1, 3}},
                                                         {{1, 3}, {2, 1}},
                                                         {{2, 1, 3}, {4, 1}},
                                                         {{4, 1}, {2, 1, 3}},
                                                         {{1, 1}, {3}},
                                                         {{3}, {1, 1}},
                                                         {{2, 2, 2}, {2, 1, 2}},
                                                         {{2, 1, 2}, {2, 2, 2}},
                                                         {{2, 0}, {2, 1}},
                                                         {{1, 3}, {0, 3}},
                                                         {{2, 2, 3}, {1, 3}},
                                                         {{1, 3}, {2, 2, 3}},
                                                         {{2, 1, 2, 1, 2, 1}, {2, 1, 2, 1, 2}},
                                                         {{2, 3}, {}},
                                                         {{1}, {2, 2, 2}}};
  return shapes;
}

Tensor weighted_sum(const Tensor& y) {
  Tensor weights = empty(y.shape(), y.dtype()), total = zeros({}, y.dtype());
  const auto fill = [&]<class T>(T* w) {
    for (std::int64_t i = 0; i < y.numel(); ++i) {
      w[i] = static_cast<T>(std::cos(1.3 * static_cast<double>(i) + 0.4) + (i % 2 ? -1.7 : 1.9));
      *total.data<T>() += w[i] * y.data<T>()[i];
    }
  };
  y.dtype() == DType::f32 ? fill(weights.data<float>()) : fill(weights.data<double>());
  return record("weighted_sum", total, {y}, [w = saved(weights)](const Tensor& dy, Inputs& dx) { dx.add(0, w.get() * dy); });
}
