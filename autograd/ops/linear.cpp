#include <capstan/autograd/ops/linear.h>

#include <capstan/autograd/ops.h>
#include <capstan/autograd/ops/batched.h>
#include <capstan/autograd/record.h>
#include <capstan/core/blas.h>
#include <capstan/core/compute.h>
#include <capstan/core/create.h>
#include <capstan/core/pool.h>
#include <capstan/core/text.h>

#include <cstring>

// Products by core/blas.h, and the layer x w^T + b as one operation. A rule is two more products, straight into the gradients.
namespace capstan {

using detail::fail;
using detail::Header;
using kernels::data_of;
using kernels::dispatch;
using kernels::Operand;
using kernels::product;

namespace {

/// A row-major matrix with `columns` columns, as it is or transposed, as one side of a product.
template <class T>
Operand<T> operand(const Tensor& t, std::int64_t columns, bool transposed) noexcept {
  return transposed ? Operand<T>{data_of<T>(t), 1, columns} : Operand<T>{data_of<T>(t), columns, 1};
}

/// The sizes of a layer.
struct Layer {
  std::int64_t rows, out, in;
};

/// From so many elements on a gradient has left the first-level cache when step() looks through it.
constexpr std::int64_t worth_looking = 1 << 14;

/// dx[i] (+)= a b, a matrix with m rows and n columns, which is wanted.
template <class T>
[[gnu::always_inline]] inline void add_product(Inputs& dx, int i, std::int64_t m, std::int64_t n, std::int64_t k, const Operand<T>& a,
                                               const Operand<T>& b) {
  const Inputs::Place to = dx.place(i);
  if (k == 0) {
    if (!to.accumulate) std::memset(to.data, 0, static_cast<std::size_t>(m * n) * sizeof(T));
    return;
  }
  bool finite = m * n >= worth_looking;
  product<T>(m, n, k, a, b, static_cast<T*>(to.data), nullptr, to.accumulate, finite ? &finite : nullptr);
  if (finite) dx.found_finite(i);
}

/// A matrix's sizes as matmul sees them, and the size of its memory's rows.
struct Side {
  std::int64_t rows, columns, stride;
};

Side side_of(const Header* h, bool transposed, bool left) noexcept {
  if (h->dim == 1) return left ? Side{1, h->sizes[0], h->sizes[0]} : Side{h->sizes[0], 1, 1};
  return transposed ? Side{h->sizes[1], h->sizes[0], h->sizes[1]} : Side{h->sizes[0], h->sizes[1], h->sizes[1]};
}

[[noreturn, gnu::cold]] void bad_linear(const char* op, const Tensor& x, const Tensor& w, const Tensor* b) {
  if (x.dim() < 1 || w.dim() != 2 || x.size(-1) != w.size(1))
    fail<ShapeError>(op, "x [..., in] and weight [out, in] must agree: ", x.shape(), " and ", w.shape());
  fail<ShapeError>(op, "bias must have one element for each output: ", b->shape(), ", weight ", w.shape());
}

/// x w^T + b, not recorded. Inline, as what follows: out of line they are 2 % more instructions in a small step.
[[gnu::always_inline]] inline Tensor affine(const char* op, const Tensor& x, const Tensor& w, const Tensor* b, Layer& layer) {
  const Header *hx = x.header(), *hw = w.header(), *hb = b ? b->header() : nullptr;
  kernels::require_floating(op, x);
  kernels::require_same_dtype(op, x, w);
  if (b) kernels::require_same_dtype(op, x, *b);
  if (hx->dim < 1 || hw->dim != 2 || hx->sizes[hx->dim - 1] != hw->sizes[1] || (hb && (hb->dim != 1 || hb->sizes[0] != hw->sizes[0])))
      [[unlikely]]
    bad_linear(op, x, w, b);
  const std::int64_t out = hw->sizes[0], in = hw->sizes[1];
  std::int64_t rows = 1;
  for (int i = 0; i + 1 < hx->dim; ++i) rows *= hx->sizes[i];
  if ((rows | out) >> 24 != 0) [[unlikely]]
    static_cast<void>(x.shape().with(-1, out));  // throws for a result that cannot be
  Header* hy = detail::new_block(hx->dtype, rows * out);
  detail::copy_sizes(hy, hx);
  hy->sizes[hx->dim - 1] = out;
  Tensor y = Tensor::adopt(hy);
  dispatch(
      x, [&]<class T>(T*) __attribute__((always_inline)) {
        const T *from = static_cast<T*>(hx->data), *weight = static_cast<T*>(hw->data), *bias = hb ? static_cast<T*>(hb->data) : nullptr;
        T* to = static_cast<T*>(hy->data);
        if (in == 0) [[unlikely]]
          for (std::int64_t i = 0; i < rows * out; ++i) to[i] = bias ? bias[i % out] : T(0);
        else
          product<T>(rows, out, in, {from, in, 1}, {weight, 1, in}, to, bias, false);
      });
  layer = {rows, out, in};
  return y;
}

/// What dy owes to x, w and b.
[[gnu::always_inline]] inline void affine_rule(const Tensor& x, const Tensor& w, const Layer& layer, const Tensor& dy, Inputs& dx) {
  const auto [rows, out, in] = layer;
  if (dx.recorded()) [[unlikely]] {
    const Tensor d = reshape(dy, Shape{rows, out});
    if (dx.wants(0)) dx.add(0, reshape(matmul(d, w), dx.shape(0)));
    if (dx.wants(1)) dx.add(1, matmul(d, reshape(x, Shape{rows, in}), {.transpose_a = true}));
    if (dx.count() > 2 && dx.wants(2)) dx.add(2, sum(d, 0));
    return;
  }
  dispatch(
      dy, [&, rows = rows, out = out, in = in ]<class T>(T*) __attribute__((always_inline)) {
        if (dx.wants(0)) add_product<T>(dx, 0, rows, in, out, operand<T>(dy, out, false), operand<T>(w, in, false));  // dx = dy w
        if (dx.wants(1)) add_product<T>(dx, 1, out, in, rows, operand<T>(dy, out, true), operand<T>(x, in, false));   // dw = dy^T x
        if (dx.count() == 3 && dx.wants(2)) {                                                                         // db = sum of rows
          const Inputs::Place to = dx.place(2);
          kernels::table<T>().sum_columns(data_of<T>(dy), static_cast<T*>(to.data), rows, out, to.accumulate);
        }
      });
}

[[gnu::always_inline]] inline Tensor linear_of(const Tensor& x, const Tensor& w, const Tensor* b) {
  Layer layer;
  Tensor y = affine("linear", x, w, b, layer);
  const Tensor* const inputs[] = {&x, &w, b};
  return detail::record_node(
      "linear", std::move(y), inputs, b ? 3 : 2,
      [x = saved_for(w, x), w = saved_for(x, w), layer](const Tensor& dy, Inputs& dx) { affine_rule(x.get(), w.get(), layer, dy, dx); });
}

}  // namespace

Tensor matmul(const Tensor& a, const Tensor& b, MatmulOptions options) {
  const Header *ha = a.header(), *hb = b.header();
  kernels::require_floating("matmul", a);
  kernels::require_same_dtype("matmul", a, b);
  if (ha->dim < 1 || hb->dim < 1) fail<ShapeError>("matmul", "takes no scalars: ", a.shape(), " x ", b.shape(), " (multiply with *)");
  if (ha->dim > 2 || hb->dim > 2) return detail::batched_matmul(a, b, options);
  const bool ta = options.transpose_a && ha->dim == 2, tb = options.transpose_b && hb->dim == 2;
  const Side l = side_of(ha, ta, true), r = side_of(hb, tb, false);
  if (l.columns != r.rows)
    fail<ShapeError>("matmul", "inner dimensions must agree: ", a.shape(), ta ? "^T" : "", " x ", b.shape(), tb ? "^T" : "",
                     " (transpose one of them?)");
  const std::int64_t m = l.rows, n = r.columns, k = l.columns;
  std::int64_t sizes[2];
  int dim = 0;
  if (ha->dim == 2) sizes[dim++] = m;
  if (hb->dim == 2) sizes[dim++] = n;
  Tensor y = k == 0 ? zeros(Shape(sizes, dim), ha->dtype) : empty(Shape(sizes, dim), ha->dtype);
  dispatch(a, [&]<class T>(T*) {
    if (k > 0) product<T>(m, n, k, operand<T>(a, l.stride, ta), operand<T>(b, r.stride, tb), data_of<T>(y), nullptr, false);
  });
  const bool both = detail::higher_order();
  return record(
      "matmul", std::move(y), {a, b},
      [a = both ? saved(a) : saved_for(b, a), b = both ? saved(b) : saved_for(a, b), ta, tb, p = l, q = r](const Tensor& dy, Inputs& dx) {
        if (dx.recorded()) return detail::recorded_matmul_rule(a.get(), b.get(), {.transpose_a = ta, .transpose_b = tb}, dy, dx);
        const std::int64_t rows = p.rows, columns = q.columns, inner = p.columns;
        dispatch(dy, [&]<class T>(T*) {
          const Operand<T> d = operand<T>(dy, columns, false), d_t = operand<T>(dy, columns, true);
          if (dx.wants(0) && ta)
            add_product<T>(dx, 0, inner, rows, columns, operand<T>(b.get(), q.stride, tb), d_t);  // d(a^T) = b dy^T
          else if (dx.wants(0))
            add_product<T>(dx, 0, rows, inner, columns, d, operand<T>(b.get(), q.stride, !tb));  // da = dy b^T
          if (dx.wants(1) && tb)
            add_product<T>(dx, 1, columns, inner, rows, d_t, operand<T>(a.get(), p.stride, ta));  // d(b^T) = dy^T a
          else if (dx.wants(1))
            add_product<T>(dx, 1, inner, columns, rows, operand<T>(a.get(), p.stride, !ta), d);  // db = a^T dy
        });
      });
}

Tensor linear(const Tensor& x, const Tensor& w, const Tensor& b) { return linear_of(x, w, &b); }
Tensor linear(const Tensor& x, const Tensor& w) { return linear_of(x, w, nullptr); }

Tensor linear_relu(const Tensor& x, const Tensor& w, const Tensor& b) {
  Layer layer;
  Tensor y = affine("linear_relu", x, w, &b, layer);
  kernels::unary_in_place(kernels::Unary::relu, y);
  return record("linear_relu", std::move(y), {x, w, b},
                [x = saved_for(w, x), w = saved_for(x, w), layer](const Tensor& out, const Tensor& dy, Inputs& dx) {
                  affine_rule(x.get(), w.get(), layer,
                              dx.recorded() ? where(out <= 0, zeros({}, dy.dtype()), dy)
                                            : kernels::binary("linear_relu", kernels::Binary::relu_grad, out, dx.take_dy()),
                              dx);
                });
}

}  // namespace capstan
