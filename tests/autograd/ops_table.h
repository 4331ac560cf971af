#pragma once
#include "../operations/row.h"
#include "support.h"

/// What an operation is called with; constants such as labels are captured by the row's function.
using Args = operations::Tensors;
using OpRow = operations::Checked;
using operations::one_shapes, operations::two_shapes;

/// All of them.
const std::vector<OpRow>& ops_table();

/// The sum of y's elements times fixed weights that differ from element to element, as an operation that saves nothing of
/// y: whether the operation under test saves its result then shows.
capstan::Tensor weighted_sum(const capstan::Tensor& y);

/// Gives x on as a new tensor; its gradient rule gives `change(dy)` instead of dy.
template <class Change>
capstan::Tensor pass(const capstan::Tensor& x, Change change) {
  return capstan::record("pass", x.clone(), {x}, [change](const capstan::Tensor& dy, capstan::Inputs& dx) { dx.add(0, change(dy)); });
}
