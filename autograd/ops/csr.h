#pragma once
#include <capstan/autograd/csr_matrix.h>

// Products of a matrix by rows. What holds for all operations: autograd/ops.h.
namespace capstan {

/// y = x w for x [n, columns] and w [columns, k] or [columns] -> [n, k] or [n]; an empty row gives 0. dw = x^T dy, which stays by rows when
/// at most a quarter of w's rows has a value in x (Gradients::is_sparse). For value v[e] of row i in column c, dv[e] = the sum over j of
/// dy[i, j] w[c, j]. Takes time for each value, not for each column. Throws ShapeError unless w has a row for each column of x.
Tensor matmul(const CsrMatrix& x, const Tensor& w);

}  // namespace capstan
