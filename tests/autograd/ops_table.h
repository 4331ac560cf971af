#pragma once
#include <functional>

#include "support.h"

/// What an operation is called with; constants such as labels are captured by the row's function.
using Args = std::vector<capstan::Tensor>;

/// One form of one operation with everything that the table checks of it.
struct OpRow {
  std::string declaration;  // as it stands in a header of autograd/ops, without the result's type and ";"
  std::string form;         // tells the rows of one declaration apart
  std::function<capstan::Tensor(const Args&)> f;
  Args at;                                              // f(at), worked out by hand,
  capstan::Tensor is;                                   // is this
  std::vector<std::vector<capstan::Shape>> shapes;      // of the inputs; each is checked
  std::function<capstan::Tensor(const Args&)> same_as;  // the same by xtensor, for inputs with elements; may be missing
  double low = -2, high = 2, gap = 0;                   // where inputs lie; gap: their distance from a kink at 0
  bool has_gradient = true;
  bool flat = false;  // the gradient is 0 everywhere

  std::string name() const { return declaration + (form.empty() ? "" : ", " + form); }
  /// Inputs of these shapes for this row.
  Args inputs(const std::vector<capstan::Shape>& of) const;
};

/// All of them.
const std::vector<OpRow>& ops_table();

// Parts of the table, one file each; the element-wise operations are those of tests/operations.
void add_compare_rows(std::vector<OpRow>& rows);
void add_reduce_rows(std::vector<OpRow>& rows);
void add_axes_rows(std::vector<OpRow>& rows);
void add_linear_rows(std::vector<OpRow>& rows);
void add_algebra_rows(std::vector<OpRow>& rows);
void add_shape_rows(std::vector<OpRow>& rows);
void add_layout_rows(std::vector<OpRow>& rows);
void add_index_rows(std::vector<OpRow>& rows);
void add_loss_rows(std::vector<OpRow>& rows);
void add_random_rows(std::vector<OpRow>& rows);
void add_regression_rows(std::vector<OpRow>& rows);
void add_classification_rows(std::vector<OpRow>& rows);

/// Shapes for an operation of one tensor, and of two that broadcast.
const std::vector<std::vector<capstan::Shape>>& one_shapes();
const std::vector<std::vector<capstan::Shape>>& two_shapes();

/// The sum of y's elements times fixed weights that differ from element to element, as an operation that saves nothing of
/// y: whether the operation under test saves its result then shows.
capstan::Tensor weighted_sum(const capstan::Tensor& y);

/// Gives x on as a new tensor; its gradient rule gives `change(dy)` instead of dy.
template <class Change>
capstan::Tensor pass(const capstan::Tensor& x, Change change) {
  return capstan::record("pass", x.clone(), {x}, [change](const capstan::Tensor& dy, capstan::Inputs& dx) { dx.add(0, change(dy)); });
}
