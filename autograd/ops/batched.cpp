#include <capstan/autograd/ops/batched.h>

#include <capstan/autograd/ops.h>

#include <capstan/autograd/record.h>
#include <capstan/core/blas.h>
#include <capstan/core/compute.h>
#include <capstan/core/create.h>
#include <capstan/core/lines.h>
#include <capstan/core/text.h>

#include <algorithm>
#include <cstring>

// matmul() of more than two axes: one product for each pair of matrices, or one for all where a single matrix stands on the right.
namespace capstan {

using detail::fail;
using kernels::data_of;
using kernels::dispatch;
using kernels::Operand;
using kernels::Strides;

namespace {

/// One operand: its matrices as they enter the product, and the axes before them.
struct BatchSide {
  std::int64_t rows, columns, stride;  // stride: of the memory's rows
  bool transposed;
  Shape batch;
};

BatchSide side_of(const Tensor& t, bool transpose, bool left) {
  const Shape s = t.shape();
  if (s.dim() == 1) return left ? BatchSide{1, s[0], s[0], false, {}} : BatchSide{s[0], 1, 1, false, {}};
  const std::int64_t rows = s[-2], columns = s[-1];
  const Shape batch(s.begin(), s.dim() - 2);
  return transpose ? BatchSide{columns, rows, columns, true, batch} : BatchSide{rows, columns, columns, false, batch};
}

template <class T>
Operand<T> operand(const T* data, const BatchSide& s, bool transposed) {
  return s.transposed != transposed ? Operand<T>{data, 1, s.stride} : Operand<T>{data, s.stride, 1};
}

/// Both operands and their products.
struct Plan {
  BatchSide a, b;
  Shape batch, result;
};

Plan plan_of(const Tensor& a, const Tensor& b, MatmulOptions options) {
  Plan p{side_of(a, options.transpose_a, true), side_of(b, options.transpose_b, false), {}, {}};
  if (p.a.columns != p.b.rows)
    fail<ShapeError>("matmul", "inner dimensions must agree: ", a.shape(), p.a.transposed ? "^T" : "", " x ", b.shape(),
                     p.b.transposed ? "^T" : "", " (transpose one of them?)");
  p.batch = broadcast("matmul", p.a.batch, p.b.batch);
  std::int64_t sizes[Shape::max_dim + 2];
  int dim = 0;
  for (const std::int64_t n : p.batch) sizes[dim++] = n;
  if (a.dim() > 1) sizes[dim++] = p.a.rows;
  if (b.dim() > 1) sizes[dim++] = p.b.columns;
  p.result = Shape(sizes, dim);
  return p;
}

/// Calls f(i, ia, ib) for each product: the place of its matrices among the results and in both operands.
template <class F>
void each_product(const Plan& p, F f) {
  kernels::for_each_line<2>(p.batch, {p.a.batch, p.b.batch}, [&](std::int64_t at, const auto& offset, const auto& step, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) f(at + i, offset[0] + i * step[0], offset[1] + i * step[1]);
  });
}

/// Where the gradient for an input goes; cleared, so that products of a broadcast operand can be added up there.
template <class T>
T* cleared(Inputs& dx, int i) {
  const Shape shape = dx.shape(i);
  const Inputs::Place to = dx.place(i);
  if (!to.accumulate) std::memset(to.data, 0, static_cast<std::size_t>(shape.numel()) * sizeof(T));
  return static_cast<T*>(to.data);
}

}  // namespace

void detail::recorded_matmul_rule(const Tensor& a, const Tensor& b, MatmulOptions options, const Tensor& dy, Inputs& dx) {
  const Plan p = plan_of(a, b, options);
  const Tensor left = a.dim() == 1 ? unsqueeze(a, 0) : a, right = b.dim() == 1 ? unsqueeze(b, 1) : b;
  const bool ta = p.a.transposed, tb = p.b.transposed;
  std::int64_t sizes[Shape::max_dim + 2];
  std::copy(p.batch.begin(), p.batch.end(), sizes);
  sizes[p.batch.dim()] = p.a.rows;
  sizes[p.batch.dim() + 1] = p.b.columns;
  const Tensor d = reshape(dy, Shape(sizes, p.batch.dim() + 2));
  const auto add = [&](int i, const Tensor& x, const Tensor& g) {  // g has an axis of size 1 where x is a vector
    dx.add_reduced(i, x.dim() > 1 ? g : squeeze(g, i == 0 ? -2 : -1));
  };
  if (dx.wants(0)) add(0, a, ta ? matmul(right, d, {.transpose_a = tb, .transpose_b = true}) : matmul(d, right, {.transpose_b = !tb}));
  if (dx.wants(1)) add(1, b, tb ? matmul(d, left, {.transpose_a = true, .transpose_b = ta}) : matmul(left, d, {.transpose_a = !ta}));
}

Tensor detail::batched_matmul(const Tensor& a, const Tensor& b, MatmulOptions options) {
  const Plan plan = plan_of(a, b, options);
  const std::int64_t m = plan.a.rows, n = plan.b.columns, k = plan.a.columns;
  Tensor y = k == 0 ? zeros(plan.result, a.dtype()) : empty(plan.result, a.dtype());
  dispatch(a, [&]<class T>(T*) {
    if (y.numel() == 0 || k == 0) return;
    if (b.dim() <= 2 && !plan.a.transposed)  // one matrix for all: one product
      return kernels::product<T>(y.numel() / n, n, k, {data_of<T>(a), k, 1}, operand(data_of<T>(b), plan.b, false), data_of<T>(y), nullptr,
                                 false);
    each_product(plan, [&](std::int64_t i, std::int64_t ia, std::int64_t ib) {
      kernels::product<T>(m, n, k, operand(data_of<T>(a) + ia * m * k, plan.a, false), operand(data_of<T>(b) + ib * k * n, plan.b, false),
                          data_of<T>(y) + i * m * n, nullptr, false);
    });
  });
  return record("matmul", y, {a, b}, [a = saved(a), b = saved(b), options](const Tensor& dy, Inputs& dx) {
    if (dx.recorded()) return recorded_matmul_rule(a.get(), b.get(), options, dy, dx);
    const Plan p = plan_of(a.get(), b.get(), options);
    const std::int64_t rows = p.a.rows, columns = p.b.columns, inner = p.a.columns;
    dispatch(dy, [&]<class T>(T*) {
      T* const da = dx.wants(0) ? cleared<T>(dx, 0) : nullptr;
      T* const db = dx.wants(1) ? cleared<T>(dx, 1) : nullptr;
      if (rows == 0 || columns == 0 || inner == 0) return;
      each_product(p, [&](std::int64_t i, std::int64_t ia, std::int64_t ib) {
        const T* g = data_of<T>(dy) + i * rows * columns;
        const Operand<T> d{g, columns, 1}, d_t{g, 1, columns};
        const T *left = data_of<T>(a.get()) + ia * rows * inner, *right = data_of<T>(b.get()) + ib * inner * columns;
        if (da && p.a.transposed)
          kernels::product<T>(inner, rows, columns, operand(right, p.b, false), d_t, da + ia * rows * inner, nullptr, true);
        else if (da)
          kernels::product<T>(rows, inner, columns, d, operand(right, p.b, true), da + ia * rows * inner, nullptr, true);
        if (db && p.b.transposed)
          kernels::product<T>(columns, inner, rows, d_t, operand(left, p.a, false), db + ib * inner * columns, nullptr, true);
        else if (db)
          kernels::product<T>(inner, columns, rows, operand(left, p.a, true), d, db + ib * inner * columns, nullptr, true);
      });
    });
  });
}

}  // namespace capstan
