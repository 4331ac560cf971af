#pragma once
#include <capstan/core/tensor.h>

// Products. What holds for all operations: autograd/ops.h.
namespace capstan {

struct MatmulOptions {
  bool transpose_a = false, transpose_b = false;
};
/// y = a b for matrices [..., m, k] x [..., k, n] -> [..., m, n]. Axes before the last two hold many of them and broadcast. A vector
/// on the left counts as [1, k], on the right as [k, 1], and that axis goes away again. With transpose_a, a is [..., k, m]; with
/// transpose_b, b is [..., n, k]: no copy is made, and on a vector they do nothing. da = dy b^T, db = a^T dy, summed over what was
/// broadcast. Throws ShapeError unless the inner sizes agree, and for scalars.
Tensor matmul(const Tensor& a, const Tensor& b, MatmulOptions options = {});
/// y = x w^T + b, for x [..., in], w [out, in], b [out]: one node. dx = dy w, dw = dy^T x, db = sum of dy over the rows.
/// Throws ShapeError unless x and w have one `in` and b has `out` elements.
Tensor linear(const Tensor& x, const Tensor& w, const Tensor& b);
/// y = x w^T.
Tensor linear(const Tensor& x, const Tensor& w);
/// y = relu(x w^T + b): relu(linear(x, w, b)) to the bit, in one node. With dy' = dy where y > 0, else 0: dx = dy' w, dw = dy'^T x, db =
/// sum of dy' over the rows. nn::Sequential uses it for a Linear that a ReLU follows. Throws as linear() does.
Tensor linear_relu(const Tensor& x, const Tensor& w, const Tensor& b);

}  // namespace capstan
