#pragma once
#include <capstan/core/tensor.h>

#include <cmath>
#include <cstdlib>

/// Operations on tensors. With a tape running and an input that wants a gradient they are recorded, otherwise they are
/// plain arithmetic. None changes its inputs. Unless said otherwise: operands are f32 or f64 and have the same dtype (ValueError
/// naming both), a scalar takes the tensor's dtype, shapes broadcast by NumPy's rule (ShapeError naming both), and the
/// result is new memory. dy stands for d loss / d y; a gradient for a broadcast operand is summed over the broadcast axes.
namespace capstan {

// The names that also exist for plain numbers, so that a rule written as `sqrt(s)` works for float, double and Tensor.
using std::abs, std::exp, std::log, std::sqrt, std::pow, std::tanh;

// ---- arithmetic (also i64, without gradient; division only f32 and f64)

/// y = a + b; da = dy, db = dy.
Tensor operator+(const Tensor& a, const Tensor& b);
Tensor operator+(const Tensor& a, double b);
Tensor operator+(double a, const Tensor& b);
/// y = a - b; da = dy, db = -dy.
Tensor operator-(const Tensor& a, const Tensor& b);
Tensor operator-(const Tensor& a, double b);
Tensor operator-(double a, const Tensor& b);
/// y = a b; da = b dy, db = a dy.
Tensor operator*(const Tensor& a, const Tensor& b);
Tensor operator*(const Tensor& a, double b);
Tensor operator*(double a, const Tensor& b);
/// y = a / b; da = dy / b, db = -y dy / b. Division by zero follows IEEE 754.
Tensor operator/(const Tensor& a, const Tensor& b);
Tensor operator/(const Tensor& a, double b);
Tensor operator/(double a, const Tensor& b);
/// y = -x; dx = -dy.
Tensor operator-(const Tensor& x);
Tensor neg(const Tensor& x);

// ---- element by element

/// y = e^x; dx = y dy.
Tensor exp(const Tensor& x);
/// y = ln x; dx = dy / x. NaN for x < 0, -inf at 0.
Tensor log(const Tensor& x);
/// y = sqrt(x); dx = dy / (2 y): infinite at 0. NaN for x < 0.
Tensor sqrt(const Tensor& x);
/// y = x^2; dx = 2 x dy.
Tensor square(const Tensor& x);
/// y = x^p; dx = p x^(p-1) dy. As std::pow: NaN for x < 0 with a fractional p. For p = 0 the gradient is 0 everywhere.
Tensor pow(const Tensor& x, double p);
/// y = |x|; dx = sign(x) dy, with 0 chosen at 0.
Tensor abs(const Tensor& x);
/// y = max(x, 0); dx = dy where x > 0, else 0 (0 chosen at 0). NaN stays NaN.
Tensor relu(const Tensor& x);
/// y = tanh x; dx = (1 - y^2) dy.
Tensor tanh(const Tensor& x);
/// y = 1 / (1 + e^-x), without overflow at either end; dx = y (1 - y) dy.
Tensor sigmoid(const Tensor& x);

// ---- reductions. `axis` may be negative; the axis goes away unless keepdim. Sums are joined
// pairwise: an element goes through 24 + log2(n / 512) roundings at most, along another axis than the last through
// 128 + n / 128, not through n.

/// y = sum of x; dx = dy, repeated. The sum of nothing is 0.
Tensor sum(const Tensor& x);
Tensor sum(const Tensor& x, int axis, bool keepdim = false);
/// y = sum of x / n; dx = dy / n, repeated. Throws ShapeError for n = 0.
Tensor mean(const Tensor& x);
Tensor mean(const Tensor& x, int axis, bool keepdim = false);
/// y = the largest element (NaN when there is one); dx = dy at the first such element, 0 elsewhere. Throws ShapeError for n = 0.
Tensor max(const Tensor& x);
Tensor max(const Tensor& x, int axis, bool keepdim = false);
/// The index of the first largest element along an axis, i64; no gradient. Throws ShapeError for n = 0.
Tensor argmax(const Tensor& x, int axis);

// ---- linear algebra

struct MatmulOptions {
  bool transpose_a = false, transpose_b = false;
};
/// y = a b for matrices [m, k] x [k, n] -> [m, n]; a vector on the left counts as [1, k], on the right as [k, 1], and that
/// axis goes away again. With transpose_a, a is [k, m]; with transpose_b, b is [n, k]: no copy is made.
/// da = dy b^T, db = a^T dy. Throws ShapeError unless the inner sizes agree.
Tensor matmul(const Tensor& a, const Tensor& b, MatmulOptions options = {});
/// y = x w^T + b, for x [..., in], w [out, in], b [out]: one node. dx = dy w, dw = dy^T x, db = sum of dy over the rows.
Tensor linear(const Tensor& x, const Tensor& w, const Tensor& b);
/// y = x w^T.
Tensor linear(const Tensor& x, const Tensor& w);

// ---- shapes (any dtype)

/// The same elements in another shape, without a copy; in a list of sizes one may be -1 and is worked out. dx = dy in x's
/// shape.
Tensor reshape(const Tensor& x, const Shape& shape);
Tensor reshape(const Tensor& x, std::initializer_list<std::int64_t> sizes);
/// Axes a and b swapped; a copy. dx = dy with them swapped back.
Tensor transpose(const Tensor& x, int a = -2, int b = -1);
/// Rows [begin, end) of the first axis, without a copy. dx = dy in those rows, 0 elsewhere.
Tensor rows(const Tensor& x, std::int64_t begin, std::int64_t end);

// ---- softmax and losses

/// y = e^x / sum(e^x) along an axis, shifted by the maximum; dx = y (dy - sum(dy y)).
Tensor softmax(const Tensor& x, int axis = -1);
/// y = x - ln sum(e^x) along an axis; dx = dy - e^y sum(dy).
Tensor log_softmax(const Tensor& x, int axis = -1);
/// y = mean of (input - target)^2, PyTorch's: without a half. The shapes must be equal. d input = 2 (input - target) dy / n;
/// d target is its negative.
Tensor mse_loss(const Tensor& input, const Tensor& target);
/// y = mean over the rows of -log softmax(logits)[label], for logits [n, classes] and labels [n] in i64.
/// d logits = (softmax(logits) - onehot(label)) dy / n. Throws ValueError naming the first label outside [0, classes).
Tensor cross_entropy(const Tensor& logits, const Tensor& labels);

}  // namespace capstan
